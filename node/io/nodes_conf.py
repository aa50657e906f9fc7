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
older notes are in that one already, and a redis-server that ran here meanwhile knows better.
"""

import contextlib
import fcntl
import os
import threading
from collections.abc import Callable
from hashlib import sha256
from struct import Struct
from typing import Final

from node.io.disk import replace_file, write_all

PLACES: Final = 3
PAGE: Final = 4096
SMALLEST_PLACE: Final = 4 * PAGE
HEAD: Final = Struct(">32sQQ32s32s")
"""Digest of all that follows, number of the note, length of the text, digests of the two nodes.conf it goes with."""


class ConfInUse(Exception):
    """Another process owns the file."""


class NodesConf:
    """nodes.conf at ``path``, owned by this process from construction to ``close``.

    Raises ConfInUse, or OSError if the file cannot be opened.
    """

    def __init__(self, path: str) -> None:
        # A CONFIG SET dir must not move the file away from under us.
        self.path = os.path.abspath(path)
        self._fd = _lock(self.path)
        saved = read_all(self._fd)
        self._beside = (digest_of(saved), digest_of(saved))
        self._replacing = threading.Lock()
        self._notes = Notes(f"{self.path}.latest")
        noted = self._notes.newest(self._beside[0])
        self._text = (noted or saved).decode("utf-8", "surrogateescape")
        self.behind = bool(noted)
        """nodes.conf itself is older than a note."""

    def read(self) -> str:
        """The whole text as it was when this process began; empty for a node that has not saved yet."""
        return self._text

    def note(self, text: str, synced: bool) -> None:
        """Keep this text from now on; ``synced``: on disk, not only in case this process ends. Not from two threads."""
        data = encoded(text)
        if self._notes.hold(data):
            self._notes.write(data, self._beside, synced)
        else:
            self.write(text)
            self._notes.make_place(data)

    def write(self, text: str) -> None:
        """Replace nodes.conf itself by this text, which is on disk when this returns."""
        self.replacing(text)()

    def replacing(self, text: str) -> Callable[[], None]:
        """The same, to be done at leisure and by any thread, while newer texts may be noted already."""
        data = encoded(text)
        digest = digest_of(data)
        self._beside = self._beside[0], digest

        def replace() -> None:
            with self._replacing:
                if self._beside[1] != digest:
                    return  # by a newer text already
                old = self._fd
                self._fd = replace_file(self.path, data, lock=True)
                os.close(old)
                self._beside = digest, digest

        return replace

    def close(self) -> None:
        self._notes.close()
        os.close(self._fd)


class Notes:
    """The file beside it. Texts and digests are bytes."""

    def __init__(self, path: str) -> None:
        self._path = path
        self._fd = os.open(path, os.O_RDWR | os.O_CREAT, 0o644)
        self._place_size = os.fstat(self._fd).st_size // PLACES
        self._number = 0
        self._last = self._synced = 0
        """Places of the last note, and of the last one that was synced."""

    def newest(self, beside: bytes) -> bytes:
        """The text of the newest note that counts beside a nodes.conf with that digest; empty if there is none."""
        text = b""
        for place in range(PLACES):
            note = os.pread(self._fd, self._place_size, place * self._place_size)
            if len(note) < HEAD.size:
                continue
            digest, number, length, *goes_with = HEAD.unpack_from(note)
            whole = digest == digest_of(note[len(digest) : HEAD.size + length])
            if whole and number > self._number:
                self._number, self._last, self._synced = number, place, place
                text = note[HEAD.size : HEAD.size + length] if beside in goes_with else b""
        if text:
            os.fdatasync(self._fd)  # it may have been written only, by a process that was killed
        return text

    def hold(self, text: bytes) -> bool:
        """Is a place large enough?"""
        return HEAD.size + len(text) <= self._place_size

    def make_place(self, text: bytes) -> None:
        """Space for texts twice as long, all of it written: then a note changes nothing but itself on the disk."""
        self._place_size = max(SMALLEST_PLACE, -(-2 * len(text) // PAGE) * PAGE)
        os.ftruncate(self._fd, 0)
        os.lseek(self._fd, 0, os.SEEK_SET)
        write_all(self._fd, bytes(PLACES * self._place_size))
        os.fsync(self._fd)
        self._last = self._synced = 0

    def write(self, text: bytes, goes_with: tuple[bytes, bytes], synced: bool) -> None:
        self._number += 1
        place = next(place for place in range(PLACES) if place not in (self._last, self._synced))
        rest = HEAD.pack(b"", self._number, len(text), *goes_with)[32:] + text
        os.lseek(self._fd, place * self._place_size, os.SEEK_SET)
        write_all(self._fd, digest_of(rest) + rest)
        self._last = place
        if synced:
            os.fdatasync(self._fd)
            self._synced = place

    def close(self) -> None:
        os.close(self._fd)


def encoded(text: str) -> bytes:
    return text.encode("utf-8", "surrogateescape")


def digest_of(data: bytes) -> bytes:
    return sha256(data).digest()


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
