"""Nodes in memory with an append-only file on a disk in memory, begun and begun again."""

from random import Random

from gossamer.node.persist.aof.manifest import Manifest, parse
from gossamer.node.saving.aof_load import AofLoad
from tests.unit.node.saving.disk import Disk, GrowingFile, Keeper

MANIFEST = "appendonlydir/appendonly.aof.manifest"


def begin(disk: Disk, to_last: bool = True, **options: str) -> Keeper:
    """A node that begins with what is on ``disk``, as ``io/load_aof.py`` does for a process."""
    keeper = Keeper(disk=disk, appendonly="yes", **options)
    manifest = parse(disk.files[MANIFEST]) if MANIFEST in disk.files else Manifest()
    sizes = []
    if manifest.loaded:
        load = AofLoad(keeper.server, 1)
        for file in manifest.loaded:
            path = f"appendonlydir/{file.name}"
            load.begin_file(path)
            load.feed(disk.files[path])
            cut = load.end_file()
            assert cut < 0 or file == manifest.loaded[-1], "only the last may end too early"
            sizes.append(cut if cut >= 0 else len(disk.files[path]))
        load.finish(keeper.machine.saves)
    keeper.machine.saves.aof.go_on(manifest, sizes, to_last)
    return keeper


def reborn(keeper: Keeper) -> Keeper:
    """A node that begins with what ``keeper`` has written, after a second."""
    keeper.machine.saves.aof.sink.flush_all()
    return begin(keeper.disk.left(Random(0)))


def incr(keeper: Keeper) -> GrowingFile:
    manifest = keeper.machine.saves.aof.manifest
    return keeper.disk.appended[f"appendonlydir/{manifest.incrs[-1].name}"]


def shown(keeper: Keeper) -> bytes:
    return incr(keeper).data.replace(b"\r\n", b" ")


def killed(keeper: Keeper) -> Disk:
    """The disk after the end of the process: all that was written is there."""
    disk = Disk()
    disk.files = keeper.disk.files | {path: file.data for path, file in keeper.disk.appended.items()}
    return disk


def keys(disk: Disk) -> set[bytes]:
    """Of the node that begins with it, in the first two databases."""
    keeper = begin(disk)
    found = keeper.ask("KEYS", "*")
    keeper.ask("SELECT", "1")
    return {word for word in (found + keeper.ask("KEYS", "*")).split(b"\r\n") if word and word[:1] not in b"*$"}
