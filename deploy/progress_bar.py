"""A progress bar on a terminal, under the lines of what has been said: what all kinds of bars share."""

from types import TracebackType
from typing import TYPE_CHECKING, Self

if TYPE_CHECKING:
    from rich.progress import Progress


class ProgressBar:
    """A context, in which ``progress`` is shown."""

    def __init__(self, progress: "Progress") -> None:
        self._progress = progress

    def say(self, text: str) -> None:
        self._progress.console.print(f"  {text}", highlight=False, markup=False)

    def __enter__(self) -> Self:
        self._progress.start()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._progress.stop()
