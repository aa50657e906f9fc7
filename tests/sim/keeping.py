"""A process that keeps its data: ``Serving`` with the files of its host, which it loads as it starts.

Rules kept here, which are those of node/io:
- Files are loaded a little at a time, between the requests of others; a replica asks its primary for what follows once
  it has them (serve.py, feed.py).
- A file that cannot be loaded ends the node, and nothing is changed (load_aof.py, load_rdb.py).
- While the node waits for the disk it does nothing, and nothing that it has said leaves.
"""

import re
from collections.abc import Callable, Iterator
from functools import partial
from pathlib import Path
from random import Random

from gossamer.node.engine.clients.client import Client
from gossamer.node.engine.edge import Edge
from gossamer.node.engine.server import Server
from gossamer.node.io.load_aof import check_cut
from gossamer.node.machine import Machine
from gossamer.node.persist.aof.manifest import Manifest, ManifestError, manifest_name, parse
from gossamer.node.persist.sealed.key import Key
from gossamer.node.saving.aof_load import AofLoad
from gossamer.node.saving.loading import LoadError
from gossamer.node.saving.rdb_load import RdbLoad
from tests.sim.data_edge import DataEdge
from tests.sim.files import Died, Files
from tests.sim.process import Disk
from tests.sim.sealing import Reader, Seal
from tests.sim.serving import Serving
from tests.sim.timeline import Micros

FEED_BYTES = 1 << 9
FEED_US: Micros = 500
"""Between two pieces of a file that is being loaded."""
TEMPORARY = re.compile(r"(.*/)?temp-\d+\.rdb")


class DataDisk(Disk):
    """``directives``: as if the configuration file said so. ``key``: files are sealed with it. ``saved``: of each file
    that was written whole, when it was begun. ``on_death`` is called when the process has died at a step of the disk
    (``""``), or has ended itself: why."""

    def __init__(self, rng: Random, directives: tuple[tuple[str, str], ...], key: Key | None = None) -> None:
        super().__init__()
        self.files = Files(rng)
        self.key = key
        self.seal = None if key is None else Seal(key, Random(rng.getrandbits(64)))
        self.directives = directives
        self.lives = 0
        self.saved: dict[str, Micros] = {}
        self.on_death: Callable[[str, bool], None] | None = None

    def lose_power(self) -> None:
        super().lose_power()
        self.files.lose_power()

    def note_saved(self, path: str, began_us: Micros) -> None:
        self.saved[path] = began_us


class Keeping(Serving):
    def __init__(self, *args: object) -> None:
        self._held_since_us: Micros = 0
        self._held_until_us: Micros = 0
        super().__init__(*args)  # type: ignore[arg-type]
        assert isinstance(self._disk, DataDisk)
        vm = self.machine.vm
        if self.machine.server.config.flag("vm-enabled"):
            vm.coldest.least = 0
            vm.on_work = self.work_soon
            vm.begin()
        self._loading = loading(self.machine, self._disk.files, self._disk.key)
        self.has_begun = False
        self.machine.saves.begin_loading()

    def make_server(self) -> Server:
        """With what the configuration file says: the machine reads it as it is made."""
        server = super().make_server()
        assert isinstance(self._disk, DataDisk)
        for name, value in self._disk.directives:
            server.config.load(name, value.split())
        return server

    def make_edge(self) -> Edge:
        disk = self._disk
        assert isinstance(disk, DataDisk)
        disk.lives += 1
        edge = DataEdge(self._timeline, self._clock, self._logged, disk.files, self, disk.lives, disk.seal)
        edge.on_saved = disk.note_saved
        return edge

    # Life

    def start(self) -> None:
        super().start()
        self._attend(self._load_on)

    def _load_on(self) -> None:
        self.begin()
        try:
            next(self._loading)
        except StopIteration:
            self.has_begun = True
            self.machine.saves.end_loading()
            self.following.begin()
        except LoadError as error:
            self._logged(f"Fatal error loading the DB, which stays as it is: {error}. Exiting.")
            self._ended(str(error), False)
            return
        self.finish()
        if not self.has_begun:
            self._timeline.after(FEED_US, partial(self._attend, self._load_on))

    def _ended(self, reason: str, silently: bool) -> None:
        if self.alive:
            assert isinstance(self._disk, DataDisk)
            assert self._disk.on_death is not None
            self._disk.on_death(reason, silently)

    # What waits for the disk

    def hold_up(self, for_us: Micros) -> None:
        now_us = self._timeline.now_us
        if self._held_until_us < now_us:
            self._held_since_us = self._held_until_us = now_us
        self._held_until_us += for_us

    @property
    def held_us(self) -> Micros:
        """For how long it has been waiting for the disk."""
        now_us = self._timeline.now_us
        return now_us - self._held_since_us if self._held_until_us > now_us else 0

    def guard(self, action: Callable[[], None]) -> None:
        if not self.alive:
            return
        try:
            action()
        except Died as death:
            self._ended(death.reason, death.silently)

    def _attend(self, action: Callable[[], None]) -> None:
        super()._attend(partial(self._begin_action, action))

    def _begin_action(self, action: Callable[[], None]) -> None:
        if not self.alive:
            return
        if self._held_until_us > self._timeline.now_us:
            self._timeline.at(self._held_until_us, partial(self._late, partial(self._begin_action, action)))
        else:
            self.guard(action)

    def _flush(self, said: list[tuple[Client, bytes]]) -> None:
        if not self.alive:
            return
        if self._held_until_us > self._timeline.now_us:
            self._timeline.at(self._held_until_us, partial(self._flush, said))
        else:
            super()._flush(said)


# --- what a node begins with: the role of load_aof.py, load_rdb.py and feed.py


def loading(machine: Machine, files: Files, key: Key | None) -> Iterator[None]:
    """A step each time. LoadError."""
    for path in [path for path in files.names if TEMPORARY.fullmatch(path)]:
        files.unlink(path)
    yield from load_aof(machine, files, key)
    if not machine.server.config.flag("appendonly"):
        yield from load_rdb(machine, files, key)


def load_aof(machine: Machine, files: Files, key: Key | None) -> Iterator[None]:
    config, aof = machine.server.config, machine.saves.aof
    path = f"{config.text('appenddirname')}/{manifest_name(config.text('appendfilename'))}"
    text = files.content(path)
    try:
        aof.manifest = Manifest() if text is None else parse(text)
    except ManifestError as error:
        raise LoadError(f"{path}: {error}") from None
    if not config.flag("appendonly"):
        return
    manifest = aof.manifest
    paths = [aof.path(file) for file in manifest.loaded]
    try:
        for file in manifest.incrs:
            files.write_over(aof.path(file))
        yield  # meanwhile clients are there
        yield from load_files(paths, machine, files, key)
        aof.go_on(manifest, [len(files.content(path) or b"") for path in paths])
    except OSError as error:
        raise LoadError(f"{error.filename}: {error.strerror}") from None


def load_files(paths: list[str], machine: Machine, files: Files, key: Key | None) -> Iterator[None]:
    contents: list[bytes] = []
    for path in paths:
        data = files.content(path)
        if data is None:
            raise LoadError(f"The append-only file {path} is in the manifest, but it is not there")
        contents.append(data)
    if not paths:
        return
    load = AofLoad(machine.server, sum(map(len, contents)))
    machine.saves.loading = load
    for index, (path, data) in enumerate(zip(paths, contents, strict=True)):
        load.begin_file(path)
        reader = Reader(path, data, key)
        for piece in reader.pieces(FEED_BYTES):
            load.feed(piece)
            yield
        cut = load.end_file()
        cut = reader.given if cut < 0 and reader.is_torn else cut
        if cut >= 0:
            size = reader.size_of(cut)
            check_cut(size, Path(path), index == len(paths) - 1, True)
            files.names[path].cut_back(size)
    load.finish(machine.saves)


def load_rdb(machine: Machine, files: Files, key: Key | None) -> Iterator[None]:
    path = machine.server.config.text("dbfilename")
    data = files.content(path)
    if data is None:
        return
    load = RdbLoad(machine.server, machine.replication, path, len(data))
    machine.saves.loading = load
    for piece in Reader(path, data, key).pieces(FEED_BYTES):
        load.feed(piece)
        yield
    load.finish(machine.saves)
