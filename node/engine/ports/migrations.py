"""What the engine tells whoever moves slots between nodes, on a higher floor (``gossamer.node.migration``)."""

from mypy_extensions import mypyc_attr

from gossamer.node.engine.clients.client import Client
from gossamer.node.engine.slots.slot_import import SlotImport


@mypyc_attr(allow_interpreted_subclasses=True)
class MigrationPort:
    """The default is a node that moves nothing."""

    def left(self, client: Client) -> None:
        """The connection of ``client`` has ended."""

    def failed(self, client: Client, error: bytes) -> None:
        """A request of the node that hands over slots on this connection was refused."""

    def flushed(self) -> None:
        """All keys have been deleted."""

    def loaded(self, slot_imports: list[SlotImport]) -> None:
        """A full sync has replaced all data; the primary is importing these slots."""
