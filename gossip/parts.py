"""The parts of the agreement, each made from the tables and from those parts that it asks."""

from gossip.announcer import Announcer
from gossip.detector import Detector
from gossip.election import Election
from gossip.handover import Handover
from gossip.health import Health
from gossip.hostname_lookup import HostnameLookup
from gossip.identity import Identity
from gossip.manual_failover import ManualFailover
from gossip.messages import Messages
from gossip.refusals import Refusals
from gossip.replica_migration import ReplicaMigration
from gossip.roles import Roles
from gossip.tables import Tables
from gossip.voting import Voting


class Parts:
    """One of each. A part is made after those that it asks."""

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
