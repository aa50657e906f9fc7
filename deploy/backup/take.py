"""``gossamer backup``: all shards of a running cluster, or one node, as files and a manifest.

All shards are asked for at once, so they are of about the same moment; each is the data of its primary at one offset
of its stream. Afterwards the cluster is looked at again: a shard whose primary or slots have changed meanwhile is
taken again, so that every slot is in one file, and all of it.
"""

import argparse
import contextlib
import selectors
import tempfile
import time
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Final

from rich.filesize import decimal as size_text

from gossamer.deploy.backup.download import CutOff, Download
from gossamer.deploy.backup.folder import Folder
from gossamer.deploy.backup.manifest import Manifest, Shard
from gossamer.deploy.backup.progress import Progress, progress_here
from gossamer.deploy.backup.sources import Part, Source, look
from gossamer.deploy.backup.sync import SyncError
from gossamer.deploy.cluster.carry_out import access_of, no_options
from gossamer.deploy.cluster.survey import Access
from gossamer.deploy.signals import Interrupted, Signals
from gossamer.deploy.user_error import INTERRUPTED, UserError
from gossamer.node.version import VERSION

ROUNDS: Final = 4
"""So often is a cluster looked at before its slots count as never at rest."""
WAIT_S: Final = 0.25
"""How long signals and silence may wait while nothing comes."""


def run(args: argparse.Namespace, options: list[str]) -> int:
    no_options(options)
    access = access_of(args)
    started = time.monotonic()
    with Signals() as signals, Folder(args.dir) as folder, progress_here() as progress:
        if folder.left:
            progress.say(f"{args.dir} held a backup that was not finished: it is made anew")
        try:
            manifest = take(folder, args.place, access, args.from_replicas, progress, signals)
        except Interrupted:
            progress.say("interrupted: there is no backup")
            return INTERRUPTED
        except UserError as problem:
            raise UserError(f"{problem}; there is no backup") from None
    shards = f"{len(manifest.shards)} shards, " if manifest.clustered else ""
    whole = f"{shards}{manifest.keys:,} keys, {size_text(manifest.size)}"
    print(f"{args.dir} is a backup: {whole}, taken in {time.monotonic() - started:.1f} s")
    return 0


@contextlib.contextmanager
def taken_aside(place: str, access: Access, progress: Progress, signals: Signals) -> Iterator[tuple[Path, Manifest]]:
    """A backup that is gone when the block ends: it lies where temporary files do ($TMPDIR)."""
    with tempfile.TemporaryDirectory(prefix="gossamer-import-") as top:
        path = Path(top) / "backup"
        with Folder(path) as folder:
            manifest = take(folder, place, access, False, progress, signals)
        yield path, manifest


def take(
    folder: Folder, place: str, access: Access, from_replicas: bool, progress: Progress, signals: Signals
) -> Manifest:
    """A whole backup in ``folder``. UserError, Interrupted."""
    began = now()
    taken: dict[tuple[object, ...], Shard] = {}
    numbers = 0
    for _ in range(ROUNDS):
        source = look(place, access, from_replicas)
        claims = {part.claim for part in source.parts}
        for claim in taken.keys() - claims:
            progress.say(f"{taken[claim].origin.address}: its slots or its role have changed, so it is taken again")
            folder.partial(taken.pop(claim).file).unlink()
        missing = [part for part in source.parts if part.claim not in taken]
        if not missing:
            manifest = manifest_of(source, [taken[part.claim] for part in source.parts], began)
            folder.commit(manifest)
            return manifest
        paths = {part: folder.partial(f"shard-{numbers + at}.rdb") for at, part in enumerate(missing, 1)}
        numbers += len(missing)
        for shard, part in zip(Downloads(paths, access, progress, signals).run(), missing, strict=True):
            taken[part.claim] = shard
    raise UserError("slots have changed hands all the time: a backup needs them at rest")


def manifest_of(source: Source, shards: Sequence[Shard], began: str) -> Manifest:
    return Manifest(f"Gossamer {VERSION}", began, now(), source.clustered, source.identity, tuple(shards))


def now() -> str:
    return time.strftime("%Y-%m-%dT%H:%M:%SZ", time.gmtime())


class CutOffError(UserError):
    """As CutOff, with the name of the node."""


@contextlib.contextmanager
def named(part: Part) -> Iterator[None]:
    """What goes wrong with ``part`` is told with its address."""
    try:
        yield
    except CutOff as error:
        raise CutOffError(f"{part.origin.address}: {error}") from None
    except SyncError as error:
        raise UserError(f"{part.origin.address}: {error}") from None


class Downloads:
    """Several parts on their way, each into its path."""

    def __init__(self, paths: dict[Part, Path], access: Access, progress: Progress, signals: Signals) -> None:
        self._paths = paths
        self._access = access
        self._progress = progress
        self._signals = signals
        self._selector = selectors.DefaultSelector()
        self._under_way: set[Download] = set()
        self._shards: dict[Part, Shard] = {}

    def run(self) -> list[Shard]:
        """In the order of the parts. UserError that names the node, Interrupted."""
        try:
            for part in self._paths:
                self._begin(part, newest=False)
            while self._under_way:
                self._signals.check()
                for key, _ in self._selector.select(WAIT_S):
                    self._turn(key.data)
                for download in self._under_way:
                    with named(download.part):
                        download.demand_life()
        finally:
            for download in self._under_way:
                download.close()
            self._selector.close()
        return [self._shards[part] for part in self._paths]

    def _begin(self, part: Part, newest: bool) -> None:
        with named(part):
            download = Download(part, self._paths[part], self._access, self._progress, newest)
        self._under_way.add(download)
        self._selector.register(download.socket, selectors.EVENT_READ, download)

    def _turn(self, download: Download) -> None:
        part = download.part
        try:
            with named(part):
                download.turn()
                if download.done:
                    self._shards[part] = download.finish()
                    self._leave(download)
                    download.close()
        except CutOffError:
            if download.newest:
                raise
            # Some data only the form of Valkey 9 can hold, and only who asks for it is sent that.
            self._leave(download)
            download.abandon()
            self._progress.say(
                f"{download.name}: the connection ended; once more, in the form of Valkey 9 if it knows that"
            )
            self._begin(part, newest=True)

    def _leave(self, download: Download) -> None:
        self._selector.unregister(download.socket)
        self._under_way.remove(download)
