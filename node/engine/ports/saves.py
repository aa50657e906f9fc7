"""What the engine and replication ask of whoever saves the data, on a higher floor (``gossamer.node.saving``)."""

from mypy_extensions import mypyc_attr


@mypyc_attr(allow_interpreted_subclasses=True)
class SavesPort:
    """The default is a node that keeps nothing."""

    def flushed(self) -> None:
        """FLUSHALL has deleted all keys."""

    def replaced(self) -> None:
        """A full sync has put other data in the place of all that was there."""

    def synced_offset(self) -> int:
        """Up to where the append-only file here has the stream durably: -1 if there is none, 0 if it has just begun."""
        return -1

    def refusal(self) -> bytes:
        """What a write is told as long as ``UNSAVED`` holds."""
        return b""

    def buffered(self) -> int:
        """Bytes that wait to be written to the append-only file."""
        return 0

    def before_end(self, options: frozenset[str]) -> bool:
        """The node is about to end as these words of SHUTDOWN say: save if that is wanted; may it end?"""
        return True
