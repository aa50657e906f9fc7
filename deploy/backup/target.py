"""Where keys go: the primaries of a cluster by slot, or one node."""

from contextlib import closing
from typing import Final

from attrs import define, field

from gossamer.cluster.checkup import slots_text
from gossamer.cluster.slots import SLOTS
from gossamer.cluster.topology import Topology
from gossamer.deploy.backup.pipe import Pipe
from gossamer.deploy.backup.server import count_keys, facts_of, is_clustered
from gossamer.deploy.blocking_client import BlockingClient, Refused
from gossamer.deploy.cluster.survey import Access, answered, connect, host_port, reach, surveyed
from gossamer.deploy.user_error import UserError

Place = tuple[str, int]
"""Host and port of a node, as it is reached from here."""

MAX_BULK: Final = 512 << 20
"""``proto-max-bulk-len``, where the target does not tell."""


@define
class Target:
    """``owners``: of each slot; the one node, where it is no cluster. ``keys``: of each primary, when looked at."""

    access: Access
    clustered: bool
    owners: list[Place]
    max_bulk: int = MAX_BULK
    _pipes: dict[Place, Pipe] = field(factory=dict)

    def owner(self, slot: int) -> Place:
        return self.owners[slot] if self.clustered else self.owners[0]

    def pipe(self, place: Place) -> Pipe:
        """The connection to the node there. OSError."""
        if place not in self._pipes:
            self._pipes[place] = Pipe(*place, self.access)
        return self._pipes[place]

    @property
    def pipes(self) -> list[Pipe]:
        return list(self._pipes.values())

    def forget(self, pipe: Pipe) -> None:
        """Its connection has ended."""
        del self._pipes[pipe.host, pipe.port]

    def refresh(self) -> None:
        """Ask the cluster who owns what now; it stays as it was if nobody can tell."""
        if not self.clustered:
            return
        for place in dict.fromkeys([*self._pipes, *self.owners]):
            try:
                contact, view = reach(*place, self.access)
            except UserError:
                continue
            contact.client.close()
            if view.ok:
                self.owners = owners_in(view)
                return

    def counts(self) -> dict[Place, int]:
        """How many keys each primary has now. UserError."""
        out: dict[Place, int] = {}
        for place in dict.fromkeys(self.owners):
            with closing(connect(*place, self.access)) as client, answered():
                out[place] = count_keys(client)
        return out

    def close(self) -> None:
        for pipe in self._pipes.values():
            pipe.client.close()


def target_at(place: str, access: Access) -> Target:
    """What is at ``place`` (host:port). UserError if no keys can be put there."""
    host, port = host_port(place)
    told = facts_of(host, port, access)
    with closing(connect(host, port, access)) as client, answered():
        max_bulk = max_bulk_of(client)
    if not is_clustered(told):
        if told.get("role") == "slave":
            raise UserError(f"{place} is a replica: name its primary, {told['master_host']}:{told['master_port']}")
        return Target(access, False, [(host, port)], max_bulk)
    with surveyed(place, access) as survey:
        for node, why in survey.silent.items():
            if any(node in view.owners for view in survey.views.values()):
                raise UserError(f"{survey.address(node)} {why}, and it owns slots")
        bare = survey.first.slots_of(None)
        if bare:
            raise UserError(f"{slots_text(bare)} of {place} without an owner: gossamer cluster check says more")
        return Target(access, True, owners_in(survey.first), max_bulk)


def owners_in(view: Topology) -> list[Place]:
    """The owner of each slot; all must have one."""
    places = {node.id: (node.ip, node.port) for node in view.nodes.values()}
    return [places[owner] for owner in view.owners[:SLOTS] if owner is not None]


def max_bulk_of(client: BlockingClient) -> int:
    """The longest argument that the server takes."""
    (answer,) = client.ask_all([("CONFIG", "GET", "proto-max-bulk-len")])
    match answer:
        case [_, bytes(size)]:
            return int(size)
    return MAX_BULK


def demand_database(target: Target, db: int) -> None:
    """UserError if the node has no such database."""
    if target.clustered or not db:
        return
    place = target.owners[0]
    with closing(connect(*place, target.access)) as client:
        (answer,) = client.ask_all([("SELECT", db)])
    if isinstance(answer, Refused):
        raise UserError(f"{place[0]}:{place[1]} has no database {db}: {answer}")
