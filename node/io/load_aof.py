"""The append-only files that a node begins with.

Rules kept here:
- The manifest is read whether ``appendonly`` is on or not: a rewrite must not take the names of files that it lists.
- Where the process before was killed, what it has appended is written over first (``write_over.py``).
- A file that ends too early is cut back, if it is the last and ``aof-load-truncated`` says so. Whatever else is wrong
  ends the node, and nothing is changed.
"""

import os
import time
from pathlib import Path

import trio

from gossamer.node.io.clients import Clients
from gossamer.node.io.collector import at_rest
from gossamer.node.io.cut_back import cut_back
from gossamer.node.io.data_file import DataFile, can_go_on
from gossamer.node.io.disk import replace_file, sync_directory
from gossamer.node.io.feed import feed_all
from gossamer.node.io.keys import Keys
from gossamer.node.io.log import Log
from gossamer.node.io.new_file import remove_orphans
from gossamer.node.io.unsealed import tell_unsealed
from gossamer.node.io.write_over import write_over
from gossamer.node.persist.aof.manifest import Manifest, ManifestError, manifest_name, parse
from gossamer.node.persist.sealed.form import SealError
from gossamer.node.saving.aof_load import AofLoad
from gossamer.node.saving.loading import LoadError


async def load_aof(clients: Clients, log: Log, keys: Keys) -> None:
    """Load what the manifest lists if ``appendonly`` is on, and append to it from now on. LoadError."""
    server, aof = clients.machine.server, clients.machine.saves.aof
    folder, filename = Path(server.config.text("appenddirname")), server.config.text("appendfilename")
    aof.manifest = read_manifest(folder / manifest_name(filename))
    if not server.config.flag("appendonly"):
        return
    try:
        server.edge.make_directory(str(folder), filename)
        remove_orphans(str(folder), log.write)
        manifest = upgraded(aof.manifest, folder, filename)
        paths = [folder / file.name for file in manifest.loaded]
        if not paths:
            warn_of_rdb(server.config.text("dbfilename"), log)
        if not server.edge.was_left(str(folder), filename):
            await write_incrs_over([folder / file.name for file in manifest.incrs], log)
        sizes = await load_files(paths, clients, log, keys)
        aof.go_on(manifest, sizes, bool(manifest.incrs) and can_go_on(str(paths[-1]), keys))
    except OSError as error:
        raise LoadError(f"{error.filename}: {error.strerror}") from None


async def write_incrs_over(paths: list[Path], log: Log) -> None:
    """OSError."""
    size = await trio.to_thread.run_sync(write_over, paths)
    if size:
        log.write("notice", f"The last process was killed: {size} bytes of append-only files are written to disk again")


def warn_of_rdb(path: str, log: Log) -> None:
    if os.path.exists(path):
        log.write("warning", f"With appendonly yes {path} is not loaded: the node begins without what it holds")


async def load_files(paths: list[Path], clients: Clients, log: Log, keys: Keys) -> list[int]:
    """Load the files; how many bytes of each count. LoadError, OSError."""
    sizes = [size_of(path) for path in paths]
    if not paths:
        return sizes
    machine = clients.machine
    may_cut = machine.server.config.flag("aof-load-truncated")
    began = time.perf_counter()
    load = AofLoad(machine.server, sum(sizes))
    machine.saves.loading = load
    for index, path in enumerate(paths):
        with at_rest(), opened(path, keys) as file:
            keep = await load_file(path, file, load, clients, log)
            if keep >= 0:
                check_cut(keep if not file.is_sealed else file.whole, path, index == len(paths) - 1, may_cut)
                before = sizes[index]
                sizes[index] = cut_back(str(path), keep, file, keys)
                log.write("warning", f"{path} ends too early: it is cut back from {before} bytes to {sizes[index]}")
            tell_unsealed(str(path), file, keys, "BGREWRITEAOF", log)
    clients.begin()
    load.finish(machine.saves)
    clients.finish()
    log.write("notice", f"DB loaded from append only file: {time.perf_counter() - began:.3f} seconds")
    return sizes


def size_of(path: Path) -> int:
    """LoadError."""
    try:
        return path.stat().st_size
    except OSError as error:
        raise LoadError(f"The append-only file {path} is in the manifest, but: {error.strerror}") from None


def read_manifest(path: Path) -> Manifest:
    """LoadError if it is none."""
    try:
        return parse(path.read_bytes())
    except FileNotFoundError:
        return Manifest()
    except OSError as error:
        raise LoadError(f"{path}: {error.strerror}") from None
    except ManifestError as error:
        raise LoadError(f"{path}: {error}") from None


def upgraded(manifest: Manifest, folder: Path, filename: str) -> Manifest:
    """With the single file of before Redis 7 as its base, if there is one. OSError."""
    old = Path(filename)
    if not manifest.loaded and old.exists():
        manifest = manifest.adopting(filename)
    base = manifest.base
    if base is not None and base.name == filename and old.exists() and not (folder / filename).exists():
        os.close(replace_file(str(folder / manifest_name(filename)), manifest.text()))
        old.rename(folder / filename)
        sync_directory(str(folder))
    return manifest


def check_cut(cut: int, path: Path, is_last: bool, may_cut: bool) -> None:
    """LoadError unless ``path``, which ends too early, may be cut back."""
    if not is_last:
        raise LoadError(f"{path}: byte {cut}: it ends too early, and it is not the last file")
    if not may_cut:
        raise LoadError(
            f"{path}: byte {cut}: Unexpected end of file reading the append only file: set aof-load-truncated to yes, "
            "or look at it with gossamer check-aof --fix"
        )


def opened(path: Path, keys: Keys) -> DataFile:
    """LoadError, OSError."""
    try:
        return DataFile(str(path), keys)
    except SealError as error:
        raise LoadError(f"{path}: {error}") from None


async def load_file(path: Path, file: DataFile, load: AofLoad, clients: Clients, log: Log) -> int:
    """Load the file; behind how many bytes of its data it is to be cut, or -1. LoadError, OSError."""
    clients.begin()
    load.begin_file(str(path))
    clients.finish()
    try:
        await feed_all(file, load, clients, log)
    except SealError as error:
        raise LoadError(f"{path}: {error}") from None
    clients.begin()
    cut = load.end_file()
    clients.finish()
    return file.given if cut < 0 and file.is_torn else cut
