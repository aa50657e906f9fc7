"""The names under which the clients of one server find its commands (``rename-command``).

A command keeps its own name in statistics and errors, as with Redis. In the stream of writes it goes by the name that
the client used, as with Redis, too: a real replica with the same configuration knows no other. Our replicas understand
both, whatever their own clients may call it, so nobody's data depends on who has renamed what. One rule makes that
unambiguous: a name that was declared means the command that it was declared for.
"""

from typing import Final

from gossamer.cluster.text import bytes_of
from gossamer.node.engine.table.command import DECLARED, Command, lookup

NO_SUCH_COMMAND: Final = "No such command in rename-command"
TARGET_EXISTS: Final = "Target command name already exists"


class CommandTable:
    """``table``: what clients may call, by name in lower and in upper case."""

    def __init__(self) -> None:
        self.table: dict[bytes, Command] = DECLARED
        self.originals: dict[bytes, Command] = self.table
        """The same by the names that were declared, those included that clients may not call."""
        self.renamed: bool = False

    def rename(self, old: bytes, new: bytes) -> str | None:
        """``old`` is called ``new`` from now on, or by nobody if that is empty; the reason why not, or None."""
        old = old.lower()
        cmd = self.table.get(old)
        if cmd is None:
            return NO_SUCH_COMMAND
        if new and new.lower() != old and new.lower() in self.table:
            return TARGET_EXISTS
        if not self.renamed:
            self.table = dict(self.originals)
            self.renamed = True
        self.table.pop(old)
        self.table.pop(old.upper(), None)
        if new:
            self.table[new.lower()] = self.table[new.upper()] = cmd
        return None

    def in_stream(self, argv: list[bytes]) -> Command | None:
        """The command that ``argv``, out of a stream of writes, means."""
        found = lookup(self.originals, argv)
        return lookup(self.table, argv) if found is None and self.renamed else found

    def for_stream(self, cmd: Command, argv: list[bytes]) -> list[bytes]:
        """``argv`` as a client sent it, in words that mean ``cmd`` in a stream of writes."""
        if self.in_stream(argv) is cmd:
            return argv
        words = bytes_of(cmd.name.upper()).split(b"|")
        return [*words, *argv[len(words) :]]
