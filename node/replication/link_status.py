"""How the link to the primary stands: its state, what came of it, and since when."""

from gossamer.gossip.states import StateMachine
from gossamer.node.engine.server import Server
from gossamer.node.replication.link_state import (
    ABANDONED,
    CONNECT,
    CONNECTED,
    LOADING,
    NOADDR,
    SUCCESSORS,
    SYNCING,
    TALKING,
    DataOf,
    LinkState,
    Result,
)


class LinkStatus:
    """All times in ms."""

    def __init__(self, server: Server) -> None:
        self.server: Server = server
        self.data_of: DataOf = DataOf.OTHERS
        self.result: Result = Result.NOTHING
        self.heard_ms: int = 0
        """When something last came from the primary."""
        self.down_since_ms: int = server.now
        self.broke_ms: int = 0
        """When the stream broke off, 0 if it never began."""
        self._states: StateMachine[LinkState] = StateMachine(SUCCESSORS, CONNECT)

    def enter(self, state: LinkState) -> None:
        """Every change of ``state`` comes through here."""
        before = self.state
        self._states.enter(state)
        if before is CONNECTED:
            self.down_since_ms = self.broke_ms = self.server.now
        elif before in SYNCING and state not in TALKING:
            self.mark_damaged()

    def mark_damaged(self) -> None:
        """What came on the connection was of no use; once the stream has begun that no longer counts."""
        if not self.lasted:
            self.result = Result.DAMAGED

    @property
    def state(self) -> LinkState:
        return self._states.state

    @property
    def connected(self) -> bool:
        return self.state is CONNECTED

    @property
    def syncing(self) -> bool:
        """Is a full sync under way?"""
        return self.state in SYNCING

    @property
    def loading(self) -> bool:
        """Is a snapshot of the primary coming in?"""
        return self.state is LOADING

    @property
    def away(self) -> bool:
        """The primary is not at its address any more: nobody is connected to."""
        return self.state is NOADDR

    @property
    def abandoned(self) -> bool:
        """The node follows somebody else now, or nobody."""
        return self.state is ABANDONED

    @property
    def lasted(self) -> bool:
        return self.result is Result.LASTED

    @property
    def damaged(self) -> bool:
        return self.result is Result.DAMAGED

    @property
    def in_step(self) -> bool:
        """What is here came from this primary."""
        return self.data_of is not DataOf.OTHERS

    @property
    def primary_lost_data(self) -> bool:
        return self.data_of is DataOf.LOST_BY_PRIMARY
