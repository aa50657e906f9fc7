"""Keys and slots that are under way to another node: who would change them waits, or would read what changes there."""

from gossamer.cluster.slots import key_slot
from gossamer.node.engine.state import LEAVING, NodeState
from gossamer.node.engine.table.command import READONLY, WRITE, Command
from gossamer.node.resp.errors import Refusal


class Leaving:
    """Keeps the condition ``LEAVING``."""

    def __init__(self, node: NodeState) -> None:
        self.node: NodeState = node
        self.keys: set[bytes] = set()
        """Of any database."""
        self.slots: set[int] = set()
        """Slots whose last writes are under way to their new owner."""
        self.closed: set[int] = set()
        """Those of them that nobody may read here, for writers may be let in elsewhere at any moment."""
        self.freed: bool = False
        """Slots are no longer under way: the machine lets those who wait for them try again when the batch is done."""

    def hold_keys(self, keys: list[bytes]) -> None:
        """Requests that would change one of ``keys`` wait from now on."""
        self.keys.update(keys)
        self.node.conditions |= LEAVING

    def free_keys(self, keys: list[bytes]) -> None:
        self.keys.difference_update(keys)
        self._look()

    def hold_slots(self, slots: list[int], readers: bool = False) -> None:
        """Requests that would change a key of ``slots`` wait from now on.

        ``readers``: those that read one, too, as ``write-ack-replicas`` demands once the slots may be served elsewhere.
        """
        self.slots.update(slots)
        if readers:
            self.closed.update(slots)
        self.node.conditions |= LEAVING

    def free_slots(self, slots: list[int]) -> None:
        self.slots.difference_update(slots)
        self.closed.difference_update(slots)
        self.freed = True
        self._look()

    def _look(self) -> None:
        if not self.keys and not self.slots:
            self.node.conditions &= ~LEAVING

    def touched_by(self, cmd: Command, argv: list[bytes]) -> bool:
        """Could ``argv`` change what is under way, or see what may have changed at the new owner?"""
        if not cmd.flags & WRITE:
            return bool(self.closed) and self._read_by(cmd, argv)
        if not cmd.keys:
            return True  # FLUSHALL and its like: all keys
        try:
            keys = cmd.keys_of(argv)
        except Refusal:
            return False
        if self.slots and any(key_slot(key) in self.slots for key in keys):
            return True
        return not self.keys.isdisjoint(keys)

    def _read_by(self, cmd: Command, argv: list[bytes]) -> bool:
        """Would ``cmd``, which changes nothing, read a slot that writers may have elsewhere?"""
        if not (cmd.flags & READONLY and cmd.keys):
            return False
        try:
            return any(key_slot(key) in self.closed for key in cmd.keys_of(argv))
        except Refusal:
            return False
