"""What a node tells of itself and not of the cluster: its keys, and whether it follows its primary as it should."""

from typing import Final

from gossamer.cluster.topology import NodeId
from gossamer.deploy.blocking_client import fields
from gossamer.deploy.cluster.migrations import ENDED, exports
from gossamer.deploy.cluster.survey import Survey

SYNCING: Final = "it is being sent its data"


def keys_of(survey: Survey) -> dict[NodeId, int]:
    sizes = {node: contact.client.ask("DBSIZE") for node, contact in survey.contacts.items()}
    return {node: size for node, size in sizes.items() if isinstance(size, int)}


def unsynced_of(survey: Survey) -> dict[NodeId, str]:
    """Replicas whose link is down, or leads to another node than the one they say they follow; and why."""
    out: dict[NodeId, str] = {}
    for node, contact in survey.contacts.items():
        primary = survey.views[node].myself.primary
        if primary is not None:
            told = fields(contact.client.text("INFO", "replication"))
            if told.get("master_sync_in_progress") == "1":
                out[node] = SYNCING
            elif told.get("master_link_status") != "up":
                out[node] = "the link is down"
    return out


def moving_of(survey: Survey) -> list[tuple[NodeId, NodeId, str]]:
    """Migrations that the nodes make between themselves just now: from, to, and the slots in words."""
    return [
        (node, job["target_node"], job["slot_ranges"].replace(" ", ", "))
        for node, contact in survey.contacts.items()
        for job in exports(contact)
        if job["state"] not in ENDED
    ]
