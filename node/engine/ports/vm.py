"""What the engine asks of whoever keeps values out of memory, on a higher floor (``gossamer.node.vm``)."""

from mypy_extensions import mypyc_attr

from gossamer.node.engine.clients.client import Client
from gossamer.node.engine.table.command import QueuedCommand


@mypyc_attr(allow_interpreted_subclasses=True)
class VmPort:
    """The default is a node that has all values in memory."""

    def __init__(self) -> None:
        self.lookups: int = 0
        """How often a request has looked for a value, while values may be out of memory."""

    def holds_up(self, client: Client, commands: list[QueuedCommand]) -> bool:
        """Do the ``commands`` of a request need values that are not in memory? Then these are being read, and
        ``client`` waits: its request is run anew when they are there."""
        return False

    def keep(self) -> None:
        """A batch has ended: values leave the memory if all takes too much."""

    def info(self) -> list[str]:
        """Lines of INFO."""
        return ["vm_enabled:0"]
