"""What a checker is, and how it is put to a history."""

from collections.abc import Iterable

from tests.sim.history import History, Record


class Checker:
    kinds: tuple[type[Record], ...] = ()
    """The records it wants to see."""

    def see(self, record: Record) -> None:
        """Raise Violation if what happened may not happen."""
        raise NotImplementedError


def attach(checkers: Iterable[Checker], history: History) -> None:
    """From now on the checkers see what happens as it happens."""
    for checker in checkers:
        for kind in checker.kinds:
            history.listeners.setdefault(kind, []).append(checker.see)
