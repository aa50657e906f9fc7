"""What the operator is told while steps are carried out: a progress bar on a terminal, log lines elsewhere."""

import sys
import time
from types import TracebackType
from typing import Final, Protocol

from gossamer.deploy.progress_bar import ProgressBar
from gossamer.deploy.watch import log

LINE_S: Final = 2.0
"""At most so often does a log line tell how far a move is."""


class Progress(Protocol):
    """A context; ``moved`` is told as often as one likes."""

    def say(self, text: str) -> None:
        """Something has been done, or is about to take a while."""

    def moved(self, slots: int, keys: int) -> None:
        """So much more has arrived."""

    def __enter__(self) -> "Progress": ...

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None: ...


def progress_for(slots: int) -> Progress:
    """For a plan that moves ``slots``."""
    return Bar(slots) if slots and sys.stdout.isatty() else Lines(slots)


class Lines:
    """One line for each thing, with the time."""

    def __init__(self, slots: int) -> None:
        self._of = slots
        self._slots = self._keys = 0
        self._next = time.monotonic() + LINE_S

    def say(self, text: str) -> None:
        log(text)

    def moved(self, slots: int, keys: int) -> None:
        self._slots += slots
        self._keys += keys
        if time.monotonic() >= self._next:
            self._next = time.monotonic() + LINE_S
            log(f"{self._slots} of {self._of} slots moved{_with(self._keys)}")

    def __enter__(self) -> "Lines":
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        if self._of and error is None:
            log(f"{self._slots} of {self._of} slots moved{_with(self._keys)}")


class Bar(ProgressBar):
    """Under the lines of what has been said."""

    def __init__(self, slots: int) -> None:
        from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn, TimeRemainingColumn

        self._keys = 0
        progress = Progress(
            TextColumn("{task.description}"),
            BarColumn(bar_width=40),
            MofNCompleteColumn(),
            TextColumn("slots{task.fields[keys]}"),
            TimeRemainingColumn(compact=True),
        )
        super().__init__(progress)
        self._task = progress.add_task("moving", total=slots, keys="")

    def moved(self, slots: int, keys: int) -> None:
        self._keys += keys
        self._progress.update(self._task, advance=slots, keys=_with(self._keys))


def _with(keys: int) -> str:
    return f" with {keys:,} keys" if keys else ""
