"""What a command may ask of the world outside: the few things that pure code cannot do itself.

``node/io`` implements it for a process, the simulator and the tests for themselves. Everything here answers at once.
"""

from collections.abc import Callable, Iterator

from mypy_extensions import mypyc_attr


class ProcessFacts:
    """What INFO tells of the process; the edge fills it once."""

    def __init__(self) -> None:
        self.pid: int = 0
        self.build: str = "interpreted"
        """Which build runs, ``compiled`` or ``interpreted``."""
        self.run_id: str = "0" * 40
        """40 hexadecimal digits, new with every start."""
        self.os: str = ""
        """System, release and machine, as ``uname`` has them."""
        self.multiplexing: str = "none"
        self.compiler: str = "0.0.0"
        self.executable: str = ""
        self.config_file: str = ""
        self.supervised: str = "no"
        """By whom: systemd, upstart or nobody."""
        self.total_memory: int = 0
        """Bytes of memory of the machine."""


@mypyc_attr(allow_interpreted_subclasses=True)
class NewFile:
    """A file that takes the place of another once it is whole and durable; this one is written nowhere.

    ``on_progress`` is called when there is room again, and when it is ``done`` or has failed; not out of its methods.
    """

    def __init__(self) -> None:
        self.done: bool = False
        """It stands in its place, and a power cut does not take it away."""
        self.failure: str = ""
        """Why it will never stand there."""
        self.size: int = 0
        """Bytes that were handed in."""
        self.pid: int = 0
        """Of the process that stands for it in the background: whoever ends that ends the file."""
        self.on_progress: Callable[[], None] | None = None

    def full(self) -> bool:
        """Had more better wait, for the disk is slower than whoever writes?"""
        return False

    def write(self, data: bytes) -> None:
        """The next bytes."""
        self.size += len(data)

    def commit(self) -> None:
        """That was all."""
        self.done = True

    def abandon(self) -> None:
        """It is not wanted any more: whatever is there of it goes away."""


@mypyc_attr(allow_interpreted_subclasses=True)
class AppendFile:
    """A file that grows at its end, or not at all; this one is written nowhere."""

    def __init__(self) -> None:
        self.size: int = 0
        self.failure: str = ""
        """Why the last thing that was tried has failed; empty if it has not."""
        self.syncing: bool = False
        """``sync_soon`` has begun and is not done."""
        self.on_synced: Callable[[], None] | None = None
        """Called then; not out of its methods."""

    def append(self, data: bytes | bytearray) -> bool:
        """Write ``data`` behind what is there; False, and nothing of it is there, if that fails. It is not kept."""
        self.size += len(data)
        return True

    def sync(self) -> bool:
        """All that was written is durable when this returns; False if that fails."""
        return True

    def sync_soon(self) -> None:
        """As ``sync``, while the node goes on."""

    def drop_unsynced(self) -> None:
        """What is not durable is taken away, as well as that can be done."""

    def close(self) -> None:
        """Nothing more is written to it."""


@mypyc_attr(allow_interpreted_subclasses=True)
class SpillStore:
    """Payloads that are put away until somebody asks for them, or nobody needs them; this one has them in memory.

    A place is a number. ``done`` is called at once, or later in the node's own thread, and not out of a batch.
    """

    def __init__(self) -> None:
        self.path: str = ""
        """Where it is, for messages."""
        self.used: int = 0
        """Bytes that are put away."""
        self.size: int = 0
        """Bytes that it takes for that."""
        self.kept: dict[int, bytes] = {}
        self.given: int = 0

    def write(self, payloads: list[bytes], at_once: bool, done: Callable[[list[int], str], None]) -> None:
        """Put these away. ``done`` gets the place of each; or none, and the reason, if that has failed."""
        places: list[int] = []
        for payload in payloads:
            self.given += 1
            self.kept[self.given] = payload
            self.used += len(payload)
            places.append(self.given)
        self.size = self.used
        done(places, "")

    def read(self, place: int) -> bytes:
        """What was put away there. OSError if it cannot be read, or is not what it was."""
        return self.kept[place]

    def read_soon(self, place: int, done: Callable[[bytes, str], None]) -> None:
        """As ``read``, while the node goes on. ``done`` gets it, or the reason."""
        try:
            found = self.read(place)
        except OSError as error:
            done(b"", error.strerror or str(error))
            return
        done(found, "")

    def free(self, place: int) -> None:
        """Nobody needs what is there."""
        self.used -= len(self.kept.pop(place))
        self.size = self.used


@mypyc_attr(allow_interpreted_subclasses=True)
class Edge:
    """The default is a node in a vacuum: nothing happens, nothing is known."""

    def microseconds(self) -> int:
        """A clock for durations, with any origin; never goes back."""
        return 0

    def clock(self) -> Callable[[], int]:
        """The same clock in nanoseconds, as a function that is asked for once and called for every request."""
        return self.nanoseconds

    def nanoseconds(self) -> int:
        return self.microseconds() * 1000

    def unix_microseconds(self) -> int:
        """The wall clock."""
        return 0

    def sleep(self, seconds: float) -> None:
        """Stop the whole node that long (DEBUG SLEEP)."""

    def resident_memory(self) -> int:
        """Resident set size of the process in bytes, 0 if unknown."""
        return 0

    def give_back_memory(self) -> None:
        """What the allocator keeps goes back to the system."""

    def peak_memory(self) -> int:
        """The largest resident set size so far in bytes, 0 if unknown."""
        return 0

    def process(self) -> ProcessFacts:
        return ProcessFacts()

    def stop(self) -> None:
        """End the node once the batch is done."""

    def status(self, text: str) -> None:
        """What a service manager may show of the node from now on."""

    def cpu_seconds(self) -> tuple[float, float, float, float]:
        """CPU time of this process in system and user mode, then of its children."""
        return 0.0, 0.0, 0.0, 0.0

    def read_config_file(self) -> str | None:
        """The text of the configuration file, None if there is none. OSError if it cannot be read."""
        return None

    def write_config_file(self, text: str) -> None:
        """Replace the configuration file. OSError if that fails."""

    def new_file(self, path: str, background: bool) -> NewFile:
        """Begin a file that will stand at ``path``. Unless in the ``background``, each step of it is done at once."""
        return NewFile()

    def append_file(self, path: str, size: int) -> AppendFile:
        """The file at ``path``, made if it is not there, and cut back to ``size`` bytes. OSError if that fails."""
        return AppendFile()

    def spill_store(self, path: str) -> SpillStore:
        """An empty store in the folder ``path``, which is made if it is not there. OSError if that fails."""
        return SpillStore()

    def make_directory(self, path: str, name: str) -> None:
        """There is a directory at ``path`` when this returns, and files of this ``name`` there are this node's alone.

        OSError if that fails.
        """

    def leave_directory(self, path: str, name: str) -> None:
        """All that this node has written to files of this ``name`` there is on the disk."""

    def was_left(self, path: str, name: str) -> bool:
        """As far as one can know: did who wrote to the files of this ``name`` there before say ``leave_directory``, or
        has the system started since? Else the disk may lack what they seem to hold."""
        return True

    def replace_file(self, path: str, data: bytes) -> None:
        """A file at ``path`` holds ``data``, durably, when this returns. OSError if that fails."""

    def rename_file(self, path: str, new: str) -> None:
        """The file at ``path`` is at ``new``, durably, when this returns. OSError if that fails."""

    def read_file(self, path: str) -> Iterator[bytes]:
        """What the file at ``path`` holds, in pieces. OSError."""
        raise FileNotFoundError(2, "No such file or directory", path)

    def remove_file(self, path: str) -> None:
        """The file at ``path`` is not needed any more; nothing is said if that fails."""

    def fail(self, reason: str) -> None:
        """End the node at once, with status 1: nothing that was not said yet may be said any more."""
        raise AssertionError(reason)

    def log(self, level: str, text: str) -> None:
        """Write a log line; ``level`` is debug, verbose, notice or warning."""

    def unexpected(self, what: str, error: Exception) -> None:
        """Log ``error``, which came up while ``what`` was served, or raise it, as by default: see ``unexpected.py``."""
        raise error
