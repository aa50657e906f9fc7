"""Slot migrations that nodes make between themselves (CLUSTER MIGRATESLOTS of Valkey 9), as they tell of them."""

from typing import Final

from gossamer.deploy.blocking_client import Refused, as_text
from gossamer.deploy.cluster.survey import Contact

SUCCESS: Final = "success"
ENDED: Final = {SUCCESS, "failed", "cancelled"}


def understands(contact: Contact) -> bool:
    """Whether the node knows how to."""
    (answer,) = contact.client.ask_all([("COMMAND", "INFO", "cluster|migrateslots")])
    return isinstance(answer, list) and answer[0] is not None


def exports(contact: Contact) -> list[dict[str, str]]:
    """The migrations that leave this node, the newest first, with the fields of CLUSTER GETSLOTMIGRATIONS; none from a
    node that knows of no such thing."""
    (answer,) = contact.client.ask_all([("CLUSTER", "GETSLOTMIGRATIONS")])
    if isinstance(answer, Refused):
        return []
    assert isinstance(answer, list)
    told = []
    for job in answer:
        assert isinstance(job, list)
        words = [str(word) if isinstance(word, int) else as_text(word) for word in job]
        told.append(dict(zip(words[::2], words[1::2], strict=True)))
    return [job for job in told if job["operation"] == "EXPORT"]
