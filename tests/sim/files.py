"""The files of one host: what a process sees of them, and what of that a loss of power leaves.

Rules kept here, which are those of a file system that keeps its books in order (ext4, XFS):
- What is written is seen at once, and durable after an fsync of the file. Of what is not, a loss of power leaves a
  random part, from its beginning on: the last write may be torn.
- Names are changed at once, and durable after an fsync of the folder. Of changes that are not, a loss of power leaves
  the first few: a rename may be undone, a deleted file may be back.
- After an fsync that has failed a kernel that ``forgets`` has nothing more to write, as Linux, which tells of an error
  once: later ones succeed, and do not make durable what that one had to.
"""

from collections.abc import Iterable
from random import Random
from typing import Final

from attrs import define, field

from tests.sim.timeline import Micros

ENOSPC: Final = 28
EIO: Final = 5
TEXTS: Final = {ENOSPC: "No space left on device", EIO: "Input/output error"}
STEPS: Final = ("open", "write", "fsync", "rename")


class Died(BaseException):
    """The process does not get past this step of the disk. ``silently``: the power went. ``reason``: it ends itself."""

    def __init__(self, silently: bool, reason: str = "") -> None:
        super().__init__(reason)
        self.silently = silently
        self.reason = reason


@define(eq=False)
class Inode:
    """``durable``: so much of the data, from its beginning, a loss of power does not take; never more than ``sound``,
    if that is set: what is behind it was lost to an fsync that failed."""

    data: bytearray = field(factory=bytearray)
    durable: int = 0
    sound: int = -1

    def cut_back(self, size: int) -> None:
        del self.data[size:]
        self.durable = min(self.durable, size)
        if size <= self.sound:
            self.sound = -1

    def synced(self, size: int) -> None:
        size = min(size, len(self.data))
        self.durable = max(self.durable, size if self.sound < 0 else min(size, self.sound))

    def forget(self) -> None:
        """What should have become durable will not."""
        if self.sound < 0 and self.durable < len(self.data):
            self.sound = self.durable


Change = tuple[tuple[str, Inode | None], ...]
"""Names, and what they stand for from then on, as one step."""


@define
class Files:
    """``failing``: the error of each step that fails, and how often it does, from 0 to 1.

    ``liars``: an fsync of files whose names end so says that it was done, and was not. ``forgets``: see above.
    ``fatal``: who waits for an fsync that fails is killed before it can do anything about it.
    ``dies_in``: the process dies before so many steps more are done; ``silently``: because the power goes.
    ``writes_over``: the method of that name does something.
    """

    rng: Random
    latency_us: Micros = 300
    """What an fsync takes."""
    failing: dict[str, tuple[int, float]] = field(factory=dict)
    liars: str | None = None
    forgets: bool = False
    fatal: bool = False
    dies_in: int = -1
    silently: bool = False
    writes_over: bool = True
    names: dict[str, Inode] = field(factory=dict)
    steps: int = 0
    failures: int = 0
    _kept: dict[str, Inode] = field(factory=dict)
    """The names that are durable."""
    _changes: list[Change] = field(factory=list)
    """Those that are not, in their order."""

    # --- steps: each may fail (OSError), or be the last

    def step(self, kind: str, path: str) -> None:
        self.steps += 1
        if self.dies_in == 0:
            raise Died(self.silently)
        if self.dies_in > 0:
            self.dies_in -= 1
        code, chance = self.failing.get(kind, (0, 0.0))
        if chance and self.rng.random() < chance:
            self.failures += 1
            raise OSError(code, TEXTS[code], path)

    def open(self, path: str, empty: bool = False) -> Inode:
        """The file at ``path``, made if it is not there; ``empty``: another one, whatever is there."""
        self.step("open", path)
        if empty or path not in self.names:
            self._change((path, Inode()))
        return self.names[path]

    def write(self, inode: Inode, data: bytes, path: str) -> None:
        """All of it, or a part and then OSError."""
        try:
            self.step("write", path)
        except (OSError, Died):
            inode.data += data[: self.rng.randint(0, len(data))]
            raise
        inode.data += data

    def fsync(self, inode: Inode, path: str, size: int = -1) -> None:
        """``size``: what was there when it began, if that is not all of it."""
        try:
            self.step("fsync", path)
        except OSError:
            if self.forgets:
                inode.forget()
            if self.fatal:
                raise Died(False) from None
            raise
        if self.liars is None or not path.endswith(self.liars):
            inode.synced(len(inode.data) if size < 0 else size)

    def write_over(self, path: str) -> None:
        """What is seen of the file is written once more, durably: what an fsync that failed has lost is there again."""
        inode = self.names.get(path)
        if inode is not None and self.writes_over:
            self.step("write", path)
            inode.sound = -1
            self.fsync(inode, path)

    def rename(self, path: str, new: str) -> None:
        self.step("rename", new)
        if path not in self.names:
            raise FileNotFoundError(2, "No such file or directory", path)
        self._change((new, self.names[path]), (path, None))

    def unlink(self, path: str) -> None:
        if path in self.names:
            self.step("unlink", path)
            self._change((path, None))

    def fsync_folder(self, path: str) -> None:
        """Of the file at ``path``."""
        self.step("fsync", path)
        self._keep(self._changes)
        self._changes = []

    def _change(self, *change: tuple[str, Inode | None]) -> None:
        self._changes.append(change)
        _apply([change], self.names)

    def _keep(self, changes: Iterable[Change]) -> None:
        _apply(changes, self._kept)

    # --- what happens to it

    def lose_power(self) -> None:
        self._keep(self._changes[: self._some(0, len(self._changes))])
        self._changes = []
        self.names = dict(self._kept)
        for inode in dict.fromkeys(self.names.values()):
            inode.cut_back(self._some(inode.durable, inode.durable if inode.sound >= 0 else len(inode.data)))
            inode.durable, inode.sound = len(inode.data), -1

    def _some(self, least: int, most: int) -> int:
        """Often nothing more, or all."""
        kind = self.rng.random()
        return least if kind < 0.3 else most if kind > 0.8 else self.rng.randint(least, most)

    def content(self, path: str) -> bytes | None:
        inode = self.names.get(path)
        return None if inode is None else bytes(inode.data)

    def all(self) -> dict[str, bytes]:
        return {path: bytes(inode.data) for path, inode in self.names.items()}

    def flip(self, path: str, at: int, bit: int) -> None:
        """At rest."""
        self.names[path].data[at] ^= 1 << bit


def _apply(changes: Iterable[Change], names: dict[str, Inode]) -> None:
    for change in changes:
        for path, inode in change:
            if inode is None:
                names.pop(path, None)
            else:
                names[path] = inode
