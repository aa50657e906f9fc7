"""The append-only file while the node runs: which files it is made of, and when it begins and ends.

What is written is in ``aof_sink.py``, how all of it is written anew in ``aof_rewrites.py``. Where the old files say
nothing of the data, because appending was switched on or a full sync has replaced everything, a new incr stands beside
the manifest until its base is there (aof.c of Redis 7.2).
"""

from collections.abc import Callable
from typing import Final

from gossamer.node.engine.edge import AppendFile
from gossamer.node.engine.server import Server
from gossamer.node.persist.aof.manifest import AofFile, Manifest, manifest_name, parse, temporary_name
from gossamer.node.saving.aof_sink import AofSink, Place
from gossamer.node.saving.save import base_save

OFF: Final = "off"
STARTING: Final = "the first base is being written"
ON: Final = "on"
NEXT: Final[dict[str, tuple[str, ...]]] = {OFF: (STARTING, ON), STARTING: (ON, STARTING, OFF), ON: (STARTING, OFF)}


class Aof:
    """``on_durable`` is called when more of what was written is durable, and when it is switched on or off."""

    def __init__(self, server: Server) -> None:
        self.server: Server = server
        self.sink: AofSink = AofSink(server)
        self.sink.on_durable = self._more_is_durable
        self.on_durable: Callable[[], None] | None = None
        self.state: str = OFF
        self.manifest: Manifest = Manifest()
        """As it is on the disk."""
        self.base_size: int = 0
        self.beside_listed: bool = False
        """The manifest on the disk may list what the sink appends to beside, though writing it has failed."""
        self.incrs_size: int = 0
        """Of the incrs that are not appended to any more."""
        self._home: str = ""
        """``dir`` when the folder was last entered."""

    @property
    def size(self) -> int:
        return self.base_size + self.incrs_size + self.sink.file.size

    @property
    def durable(self) -> Place:
        """Up to where the files have all and keep it, whatever happens: -1 while there are none that count."""
        return self.sink.durable if self.state == ON else (-1, -1)

    def flush(self) -> None:
        """At the end of a batch, before anything that it has said leaves."""
        if self.state != OFF:
            self.sink.flush()

    # --- how it begins and ends

    def go_on(self, manifest: Manifest, sizes: list[int], to_last: bool = True) -> None:
        """The node has begun with what ``manifest`` lists, files of these sizes, and appends to it. OSError.

        ``to_last``: to the last incr, if there is one, and not to a new one.
        """
        edge, last = self.server.edge, sizes[-1] if manifest.incrs and to_last else 0
        self.make_folder()
        as_rdb = self.server.config.flag("aof-use-rdb-preamble")
        begun = manifest.started(self.filename(), as_rdb)
        if begun.incrs == manifest.incrs and not to_last:
            begun = begun.with_incr(self.filename())
        if begun.base is not None and begun.base != manifest.base:
            self._write_base(begun.base, as_rdb)
        file = edge.append_file(self.path(begun.incrs[-1]), last)
        if begun != manifest:
            self.write_manifest(begun)
        self.manifest = begun
        if manifest.base is not None:
            self.base_size = sizes[0]
        self.incrs_size = sum(sizes) - last - (sizes[0] if manifest.base is not None else 0)
        self._enter(ON)
        self._append_to(file)

    def _write_base(self, base: AofFile, as_rdb: bool) -> None:
        """Of a node that has no data. OSError."""
        file = self.server.edge.new_file(self.path(base), False)
        save = base_save(self.server, file, as_rdb)
        while not save.finished:
            save.step()
        save.close()
        self.base_size = file.size
        if file.failure:
            raise OSError(0, file.failure, self.path(base))

    def _append_to(self, file: AppendFile) -> None:
        self.sink.append_to(file)
        if self.sink not in self.server.journal.sinks:
            self.server.journal.attach(self.sink)

    def prepare(self) -> None:
        """Whatever the files say does not count: a first base is to be written. OSError."""
        self.make_folder()
        if self.state == ON:
            self.sink.flush_all()
        self._enter(STARTING)
        self._append_to_nothing()

    def begin_first(self) -> Manifest:
        """A base is begun, and an incr that counts once that is there; the manifest with it. OSError."""
        file = self.server.edge.append_file(self._temporary_incr(), 0)
        self.sink.drop_pending()
        self._append_to(file)
        return self.manifest.with_incr(self.filename())

    def wait_for_disk(self, reason: str) -> None:
        """A first base cannot be begun: nothing is appended, and writes are refused until there is one."""
        self._enter(STARTING)
        self._append_to_nothing()
        self.sink.set_failure(reason)

    def drop_first(self) -> None:
        """The base could not be written: what was appended is of no use. The next one will have it."""
        path = self._temporary_incr()
        self.log("notice", f"Removing the temp incr aof file {path} in the background")
        self._append_to_nothing()
        self.server.edge.remove_file(path)

    def begin_beside(self) -> Manifest:
        """The file that is appended to is unsound: what is appended from now on goes to another one, too, which counts
        with the next base, in the place of all that is there; the manifest with it. OSError."""
        self.sink.append_beside(self.server.edge.append_file(self._temporary_incr(), 0))
        return self.manifest.with_incr(self.filename())

    def drop_beside(self) -> None:
        """There will be no base that it could follow."""
        if self.sink.beside is not None:
            self.sink.drop_beside()
            self.beside_listed = False
            self.server.edge.remove_file(self._temporary_incr())

    def begin_incr(self) -> Manifest:
        """Append to a new incr; the manifest with it. OSError."""
        manifest = self.manifest.with_incr(self.filename())
        file = self.server.edge.append_file(self.path(manifest.incrs[-1]), 0)
        self.write_manifest(manifest)
        self.incrs_size += self.sink.file.size
        self._append_to(file)
        return manifest

    def install(self, manifest: Manifest, base_size: int) -> None:
        """A new base is there: ``manifest`` takes effect. OSError."""
        beside = self.sink.beside is not None
        if beside and not self.beside_listed:
            failure = self.sink.sync_beside()
            if failure:
                raise OSError(0, failure, self.path(manifest.incrs[-1]))
        if (beside and not self.beside_listed) or self.state == STARTING:
            self.server.edge.rename_file(self._temporary_incr(), self.path(manifest.incrs[-1]))
        self.beside_listed = beside
        self.write_manifest(manifest)
        if beside:
            self.beside_listed = False
            self.sink.go_over()
        if self.state == STARTING:
            self._enter(ON)
            self.sink.healed()
        self.base_size = base_size
        self.incrs_size = 0

    def close(self) -> None:
        """All that was written is kept; nothing more is."""
        if self.state == OFF:
            return
        self.sink.flush_all()
        self._append_to_nothing()
        self._enter(OFF)

    def leave(self) -> None:
        """The node ends: all that was written is durable, or the next process cannot rely on it."""
        if self.sink.flush_all() and not self.sink.unsound and self.state == ON:
            self.server.edge.leave_directory(self._folder(), self.filename())

    def _append_to_nothing(self) -> None:
        self.drop_beside()
        self.server.journal.detach(self.sink)
        self.sink.drop_pending()
        self.sink.append_to(AppendFile())

    def _enter(self, state: str) -> None:
        assert state in NEXT[self.state], f"appending does not go from '{self.state}' to '{state}'"
        self.state = state
        self._more_is_durable()

    def _more_is_durable(self) -> None:
        if self.on_durable is not None:
            self.on_durable()

    # --- files

    def forget_numbers(self) -> None:
        """Go on with the manifest as a start would, which knows no numbers of files that are not listed any more."""
        text = self.manifest.text()
        self.manifest = parse(text) if text else Manifest()

    def paths(self) -> list[str]:
        """Of the files that hold the data, in the order in which they are loaded."""
        return [self.path(file) for file in self.manifest.loaded]

    def filename(self) -> str:
        return self.server.config.text("appendfilename")

    def _folder(self) -> str:
        return self.server.config.text("appenddirname")

    def make_folder(self) -> None:
        """OSError."""
        self.server.edge.make_directory(self._folder(), self.filename())
        self._home = self.server.config.text("dir")

    @property
    def has_moved(self) -> bool:
        """CONFIG SET dir has led away from the files: what is in the folder here belongs to somebody else."""
        return self._home != self.server.config.text("dir")

    def path(self, file: AofFile) -> str:
        return f"{self._folder()}/{file.name}"

    def _temporary_incr(self) -> str:
        return f"{self._folder()}/{temporary_name(self.filename())}.incr"

    def write_manifest(self, manifest: Manifest) -> None:
        """It holds once it is on the disk. OSError."""
        self.server.edge.replace_file(f"{self._folder()}/{manifest_name(self.filename())}", manifest.text())
        self.manifest = manifest

    def delete_history(self) -> None:
        """Files that nobody needs any more, unless ``aof-disable-auto-gc`` keeps them."""
        history = self.manifest.history
        if self.server.config.flag("aof-disable-auto-gc") or not history or self.has_moved:
            return
        try:
            self.write_manifest(self.manifest.without_history())
        except OSError as error:
            self.log("warning", f"{told(error)}: files that are not needed any more stay")
            return
        for file in history:
            self.server.edge.remove_file(self.path(file))

    def log(self, level: str, text: str) -> None:
        self.server.edge.log(level, text)


def told(error: OSError) -> str:
    return f"{error.filename}: {error.strerror}"
