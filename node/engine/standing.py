"""What the engine asks of replication, which lives on a higher floor (``node.replication``)."""

from mypy_extensions import mypyc_attr

from node.engine.client import Client


@mypyc_attr(allow_interpreted_subclasses=True)
class Standing:
    """The default is a node that neither follows nor is followed."""

    def left(self, client: Client) -> None:
        """The connection of ``client`` has ended."""
