"""The parts of the agreement, each made from the tables and from those parts that it asks."""

from gossip.ballot import Ballot
from gossip.detector import Detector
from gossip.election import Election
from gossip.handover import Handover
from gossip.health import Health
from gossip.herald import Herald
from gossip.identity import Identity
from gossip.manual import Manual
from gossip.names import Names
from gossip.orphans import Orphans
from gossip.refusals import Refusals
from gossip.roles import Roles
from gossip.tables import Tables
from gossip.voice import Voice


class Parts:
    """One of each. The order is that in which they need each other."""

    def __init__(self, tables: Tables) -> None:
        self.health = Health(tables)
        self.voice = Voice(tables, self.health)
        self.herald = Herald(tables, self.voice)
        self.detector = Detector(tables, self.health, self.voice)
        self.refusals = Refusals(tables, self.detector)
        self.roles = Roles(tables)
        self.ballot = Ballot(tables, self.voice)
        self.election = Election(tables, self.health, self.roles, self.voice)
        self.manual = Manual(tables, self.voice)
        self.handover = Handover(tables, self.voice)
        self.orphans = Orphans(tables, self.health, self.roles)
        self.names = Names(tables)
        self.identity = Identity(tables, self.health, self.herald)
