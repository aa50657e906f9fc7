"""nodes.conf, the node's memory of its cluster, on disk: one owner, never half a text, and quick to keep.

One process owns it: the lock is an advisory one on the file, as Redis takes, so that ours and a redis-server keep each
other away too. Because the file is replaced, the lock moves along: the new file is locked before it gets the name, and
who has just got a lock checks that the file he locked is still the one that has the name.

To replace a file durably takes three waits for the disk, and longer when others write. So what is to be kept is noted
first in a file beside it, ``nodes.conf.latest``, whose space is there already, in one of three places that take turns:
the last note that was synced is never written over, nor the last one at all. Of the notes that are whole the newest
counts; so one that was cut short by a crash does no harm. nodes.conf itself follows, replaced, when there is time, for
whoever else reads it.

A note counts only beside the nodes.conf that it was made beside, or beside the one that was about to replace it then:
older notes are in that one already, and a redis-server that ran here meanwhile knows better. It counts there too if
only addresses were edited since, as start scripts do: then these are taken, and all else from the note. Beside a
nodes.conf that was changed in another way, its epochs count, which never go back; beside that of another node it is
none.

A nodes.conf that cannot be replaced (a file that is mounted by itself, in a container whose other files vanish with it)
is written in place, with every note. Its first byte is NUL meanwhile: so one that was cut short is told from a whole
one, and the note, which is there first, counts instead. A symbolic link stays one: its target is replaced.
"""

import contextlib
import errno
import fcntl
import hashlib
import os
import threading
from collections.abc import Callable
from struct import Struct
from typing import Final

from gossamer.cluster.edited import id_of_myself, with_addresses, with_epochs, without_addresses
from gossamer.cluster.text import bytes_of, text_of
from gossamer.node.io.disk import overwrite_file, replace_file, write_all

PLACES: Final = 3
PAGE: Final = 4096
SMALLEST_PLACE: Final = 4 * PAGE
HEAD: Final = Struct(">32sQQ32s32s")
"""Digest of all that follows, number of the note, length of the text, digests of the two nodes.conf it goes with."""


TAIL: Final = Struct(">32s32s32s")
"""Behind the text: digest of the head and of what follows here, digests of the same two without addresses."""

IRREPLACEABLE: Final = (errno.EBUSY, errno.EACCES, errno.EPERM, errno.EROFS, errno.EXDEV)
MOUNTS: Final = "/proc/self/mountinfo"


class ConfInUse(Exception):
    """Another process owns the file."""


class ConfTorn(Exception):
    """It was cut short while it was written in place, and no note is there that could take its place."""


class NodesConf:
    """nodes.conf at ``path``, owned by this process from construction to ``close``.

    Raises ConfInUse, ConfTorn, or OSError if the file cannot be opened. ``remarks``: what should be in the log.
    """

    def __init__(self, path: str) -> None:
        # A CONFIG SET dir must not move the file away from under us.
        self.path = os.path.realpath(path)
        self.remarks: list[str] = []
        self._fd = _lock(self.path)
        saved = read_all(self._fd)
        self._in_place = False
        if is_mounted(self.path):
            self._write_in_place()
        self._beside = Beside(saved), Beside(saved)
        self._replacing = threading.Lock()
        self._notes = Notes(f"{self.path}.latest")
        try:
            text = self._recover(saved)
        except ConfTorn:
            self.close()
            raise
        self._text = text_of(text)
        self.behind = text != saved
        """nodes.conf itself is older than a note."""

    def _recover(self, saved: bytes) -> bytes:
        """What counts of nodes.conf and of the newest note."""
        note, (exact, blind) = self._notes.newest(), self._notes.counts(self._beside[0])
        if saved.startswith(b"\0"):
            if not note:
                raise ConfTorn
            self.remarks.append(f"{self.path} was cut short while it was written: what was noted beside it counts")
            return note
        if not note:
            if saved and self._notes.missing and not self._in_place:
                self.remarks.append(
                    f"No notes are beside {self.path}: whatever its node noted after it was written is not known here"
                )
            return saved
        if exact:
            return note
        edited, newer = text_of(saved), text_of(note)
        if blind:
            self.remarks.append(f"Addresses in {self.path} were edited: they count, and all else that was noted later")
            return bytes_of(with_addresses(newer, edited))
        if not id_of_myself(newer) or id_of_myself(newer) != id_of_myself(edited):
            what = "is of another node" if saved else "is of a node whose nodes.conf is gone"
            self.remarks.append(f"{self.path}.latest {what}: it is not looked at")
            return saved
        merged = bytes_of(with_epochs(edited, newer))
        if merged != bytes_of(with_epochs(edited, edited)):
            self.remarks.append(
                f"{self.path} was changed since the newest note beside it was made: of that only its epochs count"
            )
            return merged
        return saved

    def _write_in_place(self) -> None:
        self._in_place = True
        self.remarks.append(
            f"{self.path} cannot be replaced, as it is mounted by itself or its directory may not be written: it is "
            "written in place. Mount its directory rather than the file."
        )

    def read(self) -> str:
        """The whole text as it was when this process began; empty for a node that has not saved yet."""
        return self._text

    def note(self, text: str, synced: bool) -> None:
        """Keep this text from now on; ``synced``: on disk, not only in case this process ends. Not from two threads."""
        data = bytes_of(text)
        if self._in_place:
            self._note_in_place(data, synced)
        elif self._notes.hold(data):
            self._notes.write(data, self._beside, synced)
        else:
            self.write(text)
            self._notes.make_place(data)

    def _note_in_place(self, data: bytes, synced: bool) -> None:
        """In both places, and in the one that may be cut short only when the other is whole."""
        with self._replacing:
            fresh = Beside(data)
            if not self._notes.hold(data):
                self._notes.make_place(data)
            self._notes.write(data, (self._beside[0], fresh), synced)
            overwrite_file(self._fd, data, synced)
            self._beside = fresh, fresh

    def write(self, text: str) -> None:
        """Replace nodes.conf itself by this text, which is on disk when this returns."""
        self.replacing(text)()

    def replacing(self, text: str) -> Callable[[], None]:
        """The same, to be done at leisure and by any thread, while newer texts may be noted already."""
        data = bytes_of(text)
        fresh = Beside(data)
        self._beside = self._beside[0], fresh

        def replace() -> None:
            with self._replacing:
                if self._beside[1] is not fresh:
                    return  # by a newer text already
                if not self._in_place:
                    self._try_to_replace(data)
                if self._in_place:
                    overwrite_file(self._fd, data, synced=True)
                self._beside = fresh, fresh

        return replace

    def _try_to_replace(self, data: bytes) -> None:
        old = self._fd
        try:
            self._fd = replace_file(self.path, data, lock=True)
        except OSError as error:
            if error.errno not in IRREPLACEABLE:
                raise
            self._write_in_place()
        else:
            os.close(old)

    def close(self) -> None:
        self._notes.close()
        os.close(self._fd)


class Beside:
    """A nodes.conf as a note remembers it: its digest, and that of it without addresses."""

    def __init__(self, data: bytes) -> None:
        self.exact = digest_of(data)
        self.blind = digest_of(bytes_of(without_addresses(text_of(data))))


class Notes:
    """The file beside it. Texts and digests are bytes."""

    def __init__(self, path: str) -> None:
        self._path = path
        self._fd = os.open(path, os.O_RDWR | os.O_CREAT, 0o644)
        self._place_size = os.fstat(self._fd).st_size // PLACES
        self.missing = not self._place_size
        """There is no such file, or nothing was ever noted in it."""
        self._number = 0
        self._last = self._synced = 0
        """Places of the last note, and of the last one that was synced."""
        self._goes_with: list[bytes] = []
        self._goes_with_blind: list[bytes] = []

    def newest(self) -> bytes:
        """The text of the newest note that is whole; empty if there is none."""
        text = b""
        for place in range(PLACES):
            note = os.pread(self._fd, self._place_size, place * self._place_size)
            if len(note) < HEAD.size:
                continue
            digest, number, length, *goes_with = HEAD.unpack_from(note)
            whole = digest == digest_of(note[len(digest) : HEAD.size + length])
            if whole and number > self._number:
                self._number, self._last, self._synced = number, place, place
                text = note[HEAD.size : HEAD.size + length]
                self._goes_with = goes_with
                self._goes_with_blind = _tail_of(note, digest, HEAD.size + length)
        if text:
            os.fdatasync(self._fd)  # it may have been written only, by a process that was killed
        return text

    def counts(self, beside: Beside) -> tuple[bool, bool]:
        """Whether that note was made beside this nodes.conf: exactly, or but for its addresses."""
        return beside.exact in self._goes_with, beside.blind in self._goes_with_blind

    def hold(self, text: bytes) -> bool:
        """Is a place large enough?"""
        return HEAD.size + len(text) + TAIL.size <= self._place_size

    def make_place(self, text: bytes) -> None:
        """Space for texts twice as long, all of it written: then a note changes nothing but itself on the disk."""
        self._place_size = max(SMALLEST_PLACE, -(-2 * len(text) // PAGE) * PAGE)
        os.ftruncate(self._fd, 0)
        os.lseek(self._fd, 0, os.SEEK_SET)
        write_all(self._fd, bytes(PLACES * self._place_size))
        os.fsync(self._fd)
        self._last = self._synced = 0

    def write(self, text: bytes, goes_with: tuple[Beside, Beside], synced: bool) -> None:
        self._number += 1
        place = next(place for place in range(PLACES) if place not in (self._last, self._synced))
        old, fresh = goes_with
        rest = HEAD.pack(b"", self._number, len(text), old.exact, fresh.exact)[32:] + text
        digest = digest_of(rest)
        blind = old.blind + fresh.blind
        os.lseek(self._fd, place * self._place_size, os.SEEK_SET)
        write_all(self._fd, digest + rest + digest_of(digest + blind) + blind)
        self._last = place
        if synced:
            os.fdatasync(self._fd)
            self._synced = place

    def close(self) -> None:
        os.close(self._fd)


def _tail_of(note: bytes, digest: bytes, at: int) -> list[bytes]:
    """The digests behind the text; none if they are not there, as in the notes of older versions."""
    if len(note) < at + TAIL.size:
        return []
    proof, *blind = TAIL.unpack_from(note, at)
    return blind if proof == digest_of(digest + b"".join(blind)) else []


def is_mounted(path: str) -> bool:
    """Whether the file itself is a mount point, so that nothing can be renamed to its place."""
    try:
        with open(MOUNTS, "rb") as mounts:
            points = [line.split()[4] for line in mounts]
    except OSError:  # no Linux: the first attempt to replace it will tell
        return False
    escaped = os.fsencode(path)
    for special in (b"\\", b" ", b"\t", b"\n"):
        escaped = escaped.replace(special, b"\\%03o" % special[0])
    return escaped in points


def digest_of(data: bytes) -> bytes:
    return hashlib.sha256(data).digest()


def read_all(fd: int) -> bytes:
    return os.pread(fd, os.fstat(fd).st_size, 0)


def _lock(path: str) -> int:
    while True:
        fd = os.open(path, os.O_RDWR | os.O_CREAT, 0o644)
        try:
            fcntl.flock(fd, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            os.close(fd)
            raise ConfInUse(path) from None
        with contextlib.suppress(FileNotFoundError):
            if os.path.samestat(os.fstat(fd), os.stat(path)):
                return fd
        os.close(fd)  # replaced between open and lock: its owner holds the new one
