"""What the engine asks of replication, which lives on a higher floor (``gossamer.node.replication``)."""

from mypy_extensions import mypyc_attr

from gossamer.node.engine.clients.client import Client


@mypyc_attr(allow_interpreted_subclasses=True)
class ReplicationPort:
    """The default is a node that neither follows nor is followed."""

    def left(self, client: Client) -> None:
        """The connection of ``client`` has ended."""

    def buffers(self) -> tuple[int, int]:
        """Bytes of the backlog and of what replicas have not read; how many of them count against no limit."""
        return 0, 0

    # the connection to the primary, for CLIENT LIST and CLIENT KILL

    def upstream_client(self) -> Client | None:
        """The client that the primary's stream is run as, while it flows."""
        return None

    def cut(self) -> None:
        """End the connection to the primary, now; it will be made again."""

    # what the cluster wants of it, and what the cluster wants to know

    def follow(self, host: str, port: int, again: bool = False, node: str = "") -> None:
        """Be a replica of the primary that serves clients at this address. ``again``: the same one has moved there.

        ``node``: its id in the cluster. A node that answers there under another id is not followed.
        """

    def unfollow(self) -> None:
        """The primary is not at its address any more: keep its data, and connect to nobody before ``follow``."""

    def lead(self) -> None:
        """Be a primary, and go on with the stream from where it is."""

    @property
    def offset(self) -> int:
        """The last byte of the stream that this node has made, those not sent yet included, or has applied."""
        return 0

    @property
    def primary_lost_data(self) -> bool:
        """The primary lives, but has lost the data that this replica has of it."""
        return False

    @property
    def syncing(self) -> bool:
        """All data of the primary is on its way, and nobody was promised anything of what is here now."""
        return False

    @property
    def heard(self) -> int:
        """When a replica last heard from its primary, or, if the connection is down, when it broke (ms; 0: never)."""
        return 0
