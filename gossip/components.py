"""The components of the agreement, each made from the tables and from those components that it asks."""

from gossamer.gossip.announcer import Announcer
from gossamer.gossip.detector import Detector
from gossamer.gossip.election import Election
from gossamer.gossip.handover import Handover
from gossamer.gossip.health import Health
from gossamer.gossip.hostname_lookup import HostnameLookup
from gossamer.gossip.identity import Identity
from gossamer.gossip.manual_failover import ManualFailover
from gossamer.gossip.messages import Messages
from gossamer.gossip.refusals import Refusals
from gossamer.gossip.replica_migration import ReplicaMigration
from gossamer.gossip.roles import Roles
from gossamer.gossip.tables import Tables
from gossamer.gossip.voting import Voting


class Components:
    """One of each. A component is made after those that it asks."""

    def __init__(self, tables: Tables) -> None:
        self.health = Health(tables)
        self.messages = Messages(tables, self.health)
        self.announcer = Announcer(tables, self.messages)
        self.detector = Detector(tables, self.health, self.messages, self.announcer)
        self.refusals = Refusals(tables, self.detector)
        self.roles = Roles(tables, self.announcer)
        self.voting = Voting(tables, self.messages)
        self.election = Election(tables, self.health, self.roles, self.messages)
        self.manual_failover = ManualFailover(tables, self.messages)
        self.handover = Handover(tables, self.messages)
        self.replica_migration = ReplicaMigration(tables, self.health, self.roles)
        self.hostname_lookup = HostnameLookup(tables)
        self.identity = Identity(tables, self.health, self.announcer)
