"""What a benchmark is given and what it is: a name, its method in words, and a function from a ``Bench`` to figures."""

from collections.abc import Callable

from attrs import frozen

from gossamer.deploy.servers import Kind
from tests.perf.figures import Figures


@frozen
class Bench:
    """The contenders, and how much to measure: ``scale`` multiplies request counts, key counts and waiting times."""

    compiled: Kind | None
    interpreted: Kind
    peers: tuple[Kind, ...]
    rounds: int = 5
    scale: float = 1.0
    tell: Callable[[str], None] = print
    """Called with a line on what is going on."""

    @property
    def kinds(self) -> list[Kind]:
        """All, ours first, in the order in which they take turns."""
        return [*([self.compiled] if self.compiled else []), self.interpreted, *self.peers]

    @property
    def judged(self) -> list[Kind]:
        """One build of ours, the compiled one if it is there: for what takes the interpreted one minutes a round."""
        return [self.compiled or self.interpreted, *self.peers]

    def amount(self, full: int) -> int:
        return max(1, round(full * self.scale))


@frozen
class Question:
    name: str
    method: str
    """How it is measured, in full sentences: for the report."""
    measure: Callable[[Bench], list[Figures]]
