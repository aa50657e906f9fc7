"""The append-only files that a node begins with.

Rules kept here:
- The manifest is read whether ``appendonly`` is on or not: a rewrite must not take the names of files that it lists.
- A file that ends too early is cut back, if it is the last and ``aof-load-truncated`` says so. Whatever else is wrong
  ends the node, and nothing is changed.
"""

import os
import time
from pathlib import Path

from gossamer.node.io.clients import Clients
from gossamer.node.io.collector import at_rest
from gossamer.node.io.disk import replace_file, sync_directory
from gossamer.node.io.feed import feed_all
from gossamer.node.io.log import Log
from gossamer.node.io.new_file import remove_orphans
from gossamer.node.persist.aof.manifest import Manifest, ManifestError, manifest_name, parse
from gossamer.node.saving.aof_load import AofLoad
from gossamer.node.saving.loading import LoadError


async def load_aof(clients: Clients, log: Log) -> None:
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
        aof.go_on(manifest, await load_files(paths, clients, log))
    except OSError as error:
        raise LoadError(f"{error.filename}: {error.strerror}") from None


def warn_of_rdb(path: str, log: Log) -> None:
    if os.path.exists(path):
        log.write("warning", f"With appendonly yes {path} is not loaded: the node begins without what it holds")


async def load_files(paths: list[Path], clients: Clients, log: Log) -> list[int]:
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
        with at_rest():
            cut = await load_file(path, load, clients, log)
        if cut >= 0:
            check_cut(cut, path, index == len(paths) - 1, may_cut)
            log.write("warning", f"{path} ends too early: it is cut back from {sizes[index]} bytes to {cut}")
            os.truncate(path, cut)
            sizes[index] = cut
    clients.begin()
    load.finish(machine.saves)
    machine.saves.loading = None
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


async def load_file(path: Path, load: AofLoad, clients: Clients, log: Log) -> int:
    """Load the file at ``path``; where it is to be cut, or -1. LoadError, OSError."""
    clients.begin()
    load.begin_file(str(path))
    clients.finish()
    with path.open("rb", buffering=0) as file:
        await feed_all(file, load, clients, log)
    clients.begin()
    cut = load.end_file()
    clients.finish()
    return cut
