"""The manifest of an append-only file: which files it is made of, as text and as a value.

    file <name> seq <number> type <b|h|i>

A base holds all data of one moment, incrs hold what was written since, in order. What a rewrite made superfluous is
history until it is deleted. The base stands first, then history, then incrs (aof.c of Redis 7.2).

Rules kept here:
- A manifest never changes: each step of its life gives the next one, which holds once its text is on the disk.
- What is wrong with a text is told in Redis' words, and none of it is believed then.
- A new file never gets the name of one that is listed: what is history is about to be deleted.
"""

from typing import Final

from attrs import evolve, frozen

from gossamer.cluster.text import bytes_of, text_of
from gossamer.node.config.words import quote
from gossamer.node.resp.inline import split_words

LONGEST_LINE: Final = 1024
"""With its line feed."""

EMPTY: Final = "Found an empty AOF manifest"
TOO_LONG: Final = "The AOF manifest file contains too long line"
INVALID: Final = "Invalid AOF manifest file format"
A_PATH: Final = "File can't be a path, just a filename"
SECOND_BASE: Final = "Found duplicate base file information"
NOT_GROWING: Final = "Found a non-monotonic sequence number"
UNKNOWN_TYPE: Final = "Unknown AOF file type"


class ManifestError(Exception):
    """The text is no manifest. ``reason`` in Redis' words, ``line``, from 1, with its ``text``; 0 for no line."""

    def __init__(self, reason: str, line: int, text: str) -> None:
        super().__init__(f"line {line}: {reason}: {text!r}" if line else reason)
        self.reason: str = reason
        self.line: int = line
        self.text: str = text


@frozen
class AofFile:
    """A file in the folder of the manifest. ``seq`` counts bases and incrs, each for themselves."""

    name: str
    seq: int


@frozen
class Manifest:
    """``base_seq`` and ``incr_seq``: of the files that were made last, whether they are still listed or not."""

    base: AofFile | None = None
    history: tuple[AofFile, ...] = ()
    incrs: tuple[AofFile, ...] = ()
    base_seq: int = 0
    incr_seq: int = 0

    @property
    def loaded(self) -> tuple[AofFile, ...]:
        """The files that hold the data, in the order in which they are loaded."""
        return self.incrs if self.base is None else (self.base, *self.incrs)

    def text(self) -> bytes:
        """What is written to the disk."""
        lines = [] if self.base is None else [_line(self.base, "b")]
        lines += [_line(file, "h") for file in self.history]
        lines += [_line(file, "i") for file in self.incrs]
        return b"".join(lines)

    # --- the steps of its life; ``filename`` is the directive appendfilename

    def started(self, filename: str, rdb: bool) -> "Manifest":
        """As a node begins to write: with an incr to append to, and with a base unless there is anything else.

        A base that is new has no data yet; ``rdb``: it is written as an RDB.
        """
        out = self if self.loaded else self._with_base(filename, rdb)
        return out if out.incrs else out.with_incr(filename)

    def adopting(self, filename: str) -> "Manifest":
        """With the single file of before Redis 7 as its base; it keeps its name, and is to be moved here."""
        assert not self.loaded
        return evolve(self, base=AofFile(filename, 1), base_seq=1)

    def with_incr(self, filename: str) -> "Manifest":
        """With a new incr at the end, to which all is appended from now on."""
        seq, name = self._unused(self.incr_seq, filename, ".incr.aof")
        return evolve(self, incrs=(*self.incrs, AofFile(name, seq)), incr_seq=seq)

    def rewritten(self, filename: str, rdb: bool, kept: int = 1) -> "Manifest":
        """With a new base in the place of the old one and of all incrs but the last ``kept``, which are history now.

        ``kept``: the incrs that were begun with the rewrite or after it; 0 while nothing is appended.
        """
        assert 0 <= kept <= max(len(self.incrs), 1)
        done = max(len(self.incrs) - kept, 0)
        based = self._with_base(filename, rdb)
        return evolve(based, history=(*self.incrs[:done], *based.history), incrs=self.incrs[done:])

    def without_history(self) -> "Manifest":
        """What was history has been deleted, or is about to be."""
        return evolve(self, history=())

    def _with_base(self, filename: str, rdb: bool) -> "Manifest":
        seq, name = self._unused(self.base_seq, filename, ".base.rdb" if rdb else ".base.aof")
        old = () if self.base is None else (self.base,)
        return evolve(self, base=AofFile(name, seq), history=(*old, *self.history), base_seq=seq)

    def _unused(self, seq: int, filename: str, suffix: str) -> tuple[int, str]:
        """The first number above ``seq`` whose name is not taken, and that name."""
        taken = {file.name for file in (*self.loaded, *self.history)}
        while True:
            seq += 1
            name = f"{filename}.{seq}{suffix}"
            if name not in taken:
                return seq, name


def manifest_name(filename: str) -> str:
    """The file that holds the manifest."""
    return f"{filename}.manifest"


def temporary_name(name: str) -> str:
    """What ``name`` is called until it is whole."""
    return f"temp-{name}"


def parse(text: bytes) -> Manifest:
    """What ``text`` lists; ManifestError if Redis would not load it. Fields with unknown names mean nothing."""
    if not text:
        raise ManifestError(EMPTY, 0, "")
    reader = _Reader()
    lines = text.split(b"\n")
    for number, line in enumerate(lines, 1):
        ended = number < len(lines)
        if line.startswith(b"#") or not (line or ended):
            continue
        try:
            if not ended or len(line) >= LONGEST_LINE:
                raise ValueError(TOO_LONG)
            reader.line(line)
        except ValueError as error:
            raise ManifestError(str(error), number, text_of(line[:LONGEST_LINE])) from None
    return Manifest(
        reader.base,
        tuple(reader.history),
        tuple(reader.incrs),
        reader.base.seq if reader.base else 0,
        reader.incrs[-1].seq if reader.incrs else 0,
    )


class _Reader:
    """What the lines have listed so far. ValueError, with the reason, is about the present line."""

    def __init__(self) -> None:
        self.base: AofFile | None = None
        self.history: list[AofFile] = []
        self.incrs: list[AofFile] = []

    def line(self, line: bytes) -> None:
        role, file = _fields(line)
        if role == b"b":
            if self.base is not None:
                raise ValueError(SECOND_BASE)
            self.base = file
        elif role == b"h":
            self.history.append(file)
        elif role == b"i":
            if self.incrs and file.seq <= self.incrs[-1].seq:
                raise ValueError(NOT_GROWING)
            self.incrs.append(file)
        else:
            raise ValueError(UNKNOWN_TYPE)


def _fields(line: bytes) -> tuple[bytes, AofFile]:
    """The type of the file that ``line`` tells of, and the file."""
    words = None if b"\0" in line else split_words(line.strip(b" \t\r"))
    if words is None or len(words) < 6 or len(words) % 2:
        raise ValueError(INVALID)
    told = {words[at].lower(): words[at + 1] for at in range(0, len(words), 2)}
    name, seq, role = told.get(b"file", b""), told.get(b"seq", b""), told.get(b"type", b"")[:1]
    if b"/" in name or b"\\" in name:
        raise ValueError(A_PATH)
    if not name or not role or not seq.isdigit() or int(seq) == 0:
        raise ValueError(INVALID)
    return role, AofFile(text_of(name), int(seq))


def _line(file: AofFile, role: str) -> bytes:
    name = bytes_of(file.name)
    plain = all(0x20 < ch < 0x7F and ch not in b"\"'\\" for ch in name)
    return b"file %b seq %d type %b\n" % (name if plain else bytes_of(quote(file.name)), file.seq, bytes_of(role))
