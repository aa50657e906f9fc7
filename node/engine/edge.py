"""What a command may ask of the world outside: the few things that pure code cannot do itself.

``node/io`` implements it for a process, the simulator and the tests for themselves. Everything here answers at once.
"""

from mypy_extensions import mypyc_attr


@mypyc_attr(allow_interpreted_subclasses=True)
class Edge:
    """The default is a node in a vacuum: nothing happens, nothing is known."""

    def microseconds(self) -> int:
        """A clock for durations, with any origin; never goes back."""
        return 0

    def unix_microseconds(self) -> int:
        """The wall clock."""
        return 0

    def sleep(self, seconds: float) -> None:
        """Stop the whole node that long (DEBUG SLEEP)."""

    def resident_memory(self) -> int:
        """Resident set size of the process in bytes, 0 if unknown."""
        return 0

    def cpu_seconds(self) -> tuple[float, float, float, float]:
        """CPU time of this process in system and user mode, then of its children."""
        return 0.0, 0.0, 0.0, 0.0

    def read_config_file(self) -> str | None:
        """The text of the configuration file, None if the node was started without one. OSError if it cannot be read."""
        return None

    def write_config_file(self, text: str) -> None:
        """Replace the configuration file. OSError if that fails."""

    def log(self, level: str, text: str) -> None:
        """Write a log line; ``level`` is debug, verbose, notice or warning."""
