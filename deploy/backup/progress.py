"""How far files are: bars on a terminal, log lines elsewhere."""

import sys
import time
from types import TracebackType
from typing import Final, Protocol

from rich.filesize import decimal as size_text

from gossamer.deploy.progress_bar import ProgressBar
from gossamer.deploy.watch import log

LINE_S: Final = 2.0
"""At most so often do log lines tell how far all is."""


class Progress(Protocol):
    """A context. A thing that takes a while has a name: it begins, goes on and ends."""

    def say(self, text: str) -> None:
        """Something has happened."""

    def begin(self, name: str, size: int | None) -> None:
        """``size`` in bytes, None if that is not known yet."""

    def advance(self, name: str, size: int) -> None:
        """So many more bytes."""

    def end(self, name: str, text: str = "") -> None:
        """It is done; ``text`` is said."""

    def __enter__(self) -> "Progress": ...

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None: ...


def progress_here() -> Progress:
    return Bars() if sys.stdout.isatty() else Lines()


class Lines:
    """One line for each thing that is done, and some in between."""

    def __init__(self) -> None:
        self._sizes: dict[str, int | None] = {}
        self._at: dict[str, int] = {}
        self._next = time.monotonic() + LINE_S

    def say(self, text: str) -> None:
        log(text)

    def begin(self, name: str, size: int | None) -> None:
        self._sizes[name] = size
        self._at.setdefault(name, 0)

    def advance(self, name: str, size: int) -> None:
        self._at[name] += size
        if time.monotonic() < self._next:
            return
        self._next = time.monotonic() + LINE_S
        for other, at in self._at.items():
            whole = self._sizes[other]
            if at:
                log(f"{other}: {size_text(at)}" + (f" of {size_text(whole)}" if whole else ""))

    def end(self, name: str, text: str = "") -> None:
        del self._at[name], self._sizes[name]
        if text:
            log(text)

    def __enter__(self) -> "Lines":
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None: ...


class Bars(ProgressBar):
    """Under the lines of what has been said, one for each thing that goes on."""

    def __init__(self) -> None:
        from rich.progress import (
            BarColumn,
            DownloadColumn,
            Progress,
            TaskID,
            TextColumn,
            TimeRemainingColumn,
            TransferSpeedColumn,
        )

        progress = Progress(
            TextColumn("{task.description}", markup=False),
            BarColumn(bar_width=40),
            DownloadColumn(),
            TransferSpeedColumn(),
            TimeRemainingColumn(compact=True),
            transient=True,
        )
        super().__init__(progress)
        self._tasks: dict[str, TaskID] = {}

    def begin(self, name: str, size: int | None) -> None:
        if name in self._tasks:
            self._progress.update(self._tasks[name], total=size)
        else:
            self._tasks[name] = self._progress.add_task(name, total=size)

    def advance(self, name: str, size: int) -> None:
        self._progress.advance(self._tasks[name], size)

    def end(self, name: str, text: str = "") -> None:
        self._progress.remove_task(self._tasks.pop(name))
        if text:
            self.say(text)
