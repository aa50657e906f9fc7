"""A voter votes once in an epoch, across its restarts too, and an epoch has one winner.

The winner of an epoch is the candidate that asked for votes in it and then leads under it. A candidate that lost gets
its config epoch elsewhere, and it is a later one.
"""

from gossamer.cluster.topology import NodeId
from gossamer.gossip.packet import MessageType
from tests.sim.checkers.checker import Checker
from tests.sim.history import Record, Said, Violation


class OneWinnerAnEpoch(Checker):
    kinds = (Said,)

    def __init__(self) -> None:
        self._asked: set[tuple[NodeId, int]] = set()
        self._voted: set[tuple[NodeId, int]] = set()
        self._winners: dict[int, NodeId] = {}

    def see(self, record: Record) -> None:
        assert isinstance(record, Said)
        packet = record.packet
        if packet.kind is MessageType.FAILOVER_AUTH_REQUEST:
            self._asked.add((packet.sender, packet.current_epoch))
        elif packet.kind is MessageType.FAILOVER_AUTH_ACK:
            vote = packet.sender, packet.current_epoch
            if vote in self._voted:
                raise Violation(f"{record.host} votes in epoch {packet.current_epoch} once more")
            self._voted.add(vote)
        elif packet.primary is None and (packet.sender, packet.config_epoch) in self._asked:
            winner = self._winners.setdefault(packet.config_epoch, packet.sender)
            if winner != packet.sender:
                raise Violation(
                    f"{record.host} leads under epoch {packet.config_epoch}, whose election {winner[:8]} has won"
                )
