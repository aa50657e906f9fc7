"""The connection on which slots go to another node: to its client port, as the gossip knows it."""

from collections.abc import Callable

from gossamer.node.migration.migrations import Migrations
from gossamer.node.migration.source import Export

Address = tuple[str, int]


class ToTarget:
    """A Speaker. It is over when the export has no more to say, or the target is somewhere else by now."""

    def __init__(self, export: Export, migrations: Migrations) -> None:
        self._export = export
        self._migrations = migrations
        self._was_up = False
        self.address = self._current()
        """Where to dial; None: nobody knows."""
        self.again = False
        """The target has moved before it could be reached: dial anew."""

    @property
    def finished(self) -> bool:
        return self._export.finished or self._moved

    @property
    def _moved(self) -> bool:
        return self._current() != self.address

    def on_output(self, tell: Callable[[], None] | None) -> None:
        self._export.on_output = self._export.on_seen = tell

    def connected(self) -> None:
        self._was_up = True
        self._export.connected()

    def receive(self, data: bytes) -> None:
        self._export.receive(data)

    def pause_s(self) -> float:
        return 0.0

    def next_output(self) -> bytes:
        return self._export.next_output()

    def disconnected(self, why: str) -> None:
        self.again = self._moved and not self._was_up and not self._export.finished
        if not self.again:
            self._export.disconnected(why)

    def _current(self) -> Address | None:
        node = self._migrations.topology.nodes.get(self._export.target)
        return None if node is None else (node.ip, node.port)
