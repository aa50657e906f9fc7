"""What there is to be taken: the shards of a running cluster, or one node that is in none."""

from collections.abc import Iterable
from typing import Final

from attrs import frozen

from gossamer.cluster.checkup import slots_text
from gossamer.cluster.topology import NodeId, ranges_by_owner
from gossamer.deploy.backup.manifest import Origin, Ranges
from gossamer.deploy.backup.server import facts_of, is_clustered, server_in
from gossamer.deploy.blocking_client import fields
from gossamer.deploy.cluster.carry_out import demand_agreement
from gossamer.deploy.cluster.survey import Access, Contact, Survey, host_port, surveyed
from gossamer.deploy.user_error import UserError

NO_REPLICA: Final = "has no replica that is in sync; without --from-replicas it is taken from the primary"


@frozen
class Part:
    """A shard, and the node that it is taken from. ``slots`` are empty outside of a cluster."""

    host: str
    port: int
    origin: Origin
    slots: Ranges = ()

    @property
    def claim(self) -> tuple[object, ...]:
        """As long as this stays the same, it is the same shard with the same slots."""
        return self.origin.primary or self.origin.id or self.origin.address, self.origin.epoch, self.slots


@frozen
class Source:
    """``identity`` is empty if the cluster has none."""

    clustered: bool
    identity: str
    parts: tuple[Part, ...]


def look(place: str, access: Access, from_replicas: bool) -> Source:
    """What is at ``place`` (host:port) now. UserError if it cannot be taken as it is."""
    host, port = host_port(place)
    told = facts_of(host, port, access)
    if not is_clustered(told):
        if from_replicas:
            raise UserError(f"{place} is in no cluster: name the replica itself, without --from-replicas")
        return Source(False, "", (Part(host, port, Origin(f"{host}:{port}", server_in(told))),))
    with surveyed(place, access) as survey:
        demand_settled(survey)
        state = fields(next(iter(survey.contacts.values())).client.text("CLUSTER", "INFO"))
        held = ranges_by_owner(survey.first)
        parts = [part_of(survey, owner, tuple(held[owner]), from_replicas) for owner in held]
    return Source(True, state.get("cluster_identity", ""), tuple(sorted(parts, key=lambda part: part.slots)))


def demand_settled(survey: Survey) -> None:
    """UserError unless each slot has one owner, who answers, and no slot is open."""
    for node, why in survey.silent.items():
        if any(node in view.owners for view in survey.views.values()):
            raise UserError(f"{survey.address(node)} {why}, and it owns slots")
    demand_agreement(survey)
    bare = survey.first.slots_of(None)
    if bare:
        raise UserError(f"{slots_text(bare)} without an owner: gossamer cluster check says more")
    moving = {slot for view in survey.views.values() for slot in (*view.migrating, *view.importing)}
    if moving:
        raise UserError(
            f"{slots_text(sorted(moving))} just now on the way to another node, key by key: try again later"
        )


def part_of(survey: Survey, owner: NodeId, slots: Ranges, from_replicas: bool) -> Part:
    """The shard of the primary ``owner``."""
    contact = survey.contacts[owner]
    if from_replicas:
        followers = [survey.contacts[node] for node, view in survey.views.items() if view.myself.primary == owner]
        found = newest(followers)
        if found is None:
            raise UserError(f"the shard of {contact.address} {NO_REPLICA}")
        contact = found
    server = server_in(fields(contact.client.text("INFO", "server")))
    epoch = survey.first.nodes[owner].config_epoch
    primary = owner if contact.id != owner else ""
    return Part(contact.host, contact.port, Origin(contact.address, server, contact.id, primary, epoch), slots)


def newest(replicas: Iterable[Contact]) -> Contact | None:
    """The one that is furthest of those that are in sync; None if there is none."""
    offsets: list[tuple[int, Contact]] = []
    for replica in replicas:
        told = fields(replica.client.text("INFO", "replication"))
        if told.get("master_link_status") == "up" and told.get("master_sync_in_progress") == "0":
            offsets.append((int(told.get("slave_repl_offset", "0")), replica))
    return max(offsets, key=lambda entry: entry[0], default=(0, None))[1]
