"""What any server tells of itself: which program it is, whether it is in a cluster, how many keys it has."""

from contextlib import closing

from gossamer.deploy.blocking_client import BlockingClient, Refused, fields
from gossamer.deploy.cluster.survey import Access, connect, reason
from gossamer.deploy.user_error import UserError

Facts = dict[str, str]
"""The fields of INFO."""


def facts_of(host: str, port: int, access: Access) -> Facts:
    """UserError, in words that begin with the address, if it does not tell."""
    place = f"{host}:{port}"
    with closing(connect(host, port, access)) as client:
        try:
            return fields(client.text("INFO"))
        except Refused as error:
            who = " (--user, --password)" if str(error).startswith(("NOAUTH", "NOPERM")) else ""
            raise UserError(f"{place} does not tell what it is{who}: {error}") from None
        except OSError as error:
            raise UserError(f"{place} does not answer: {reason(error)}") from None


def is_clustered(told: Facts) -> bool:
    return told.get("cluster_enabled") == "1"


def server_in(told: Facts) -> str:
    """Name and version of the program."""
    for name in ("gossamer", "valkey", "redis"):
        if f"{name}_version" in told:
            return f"{name} {told[f'{name}_version']}"
    return "unknown"


def count_keys(client: BlockingClient) -> int:
    """In all databases."""
    lines = fields(client.text("INFO", "keyspace"))
    return sum(int(fields(value.replace(",", "\n").replace("=", ":"))["keys"]) for value in lines.values())
