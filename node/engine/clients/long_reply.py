"""Replies that take long to make: in steps of about a millisecond, between the batches, while their clients wait.

The first step is made at once, and mostly it is the only one. Else the client waits in the registry, and its request is
run anew when the reply is there (``made_for``): so all that follows from a request follows once, at its end. Within a
transaction, and where nobody can wait, all steps are made at once.

Clients are served in the order of arrival. A reply shows the data as it was when the request was first run: it is made
from a copy or from a snapshot.
"""

from collections.abc import Callable

from mypy_extensions import mypyc_attr

from gossamer.node.engine.clients.client import IN_MULTI, Client, Clients
from gossamer.node.engine.clients.waiting import LONG_REPLY, RETRY, Wait, Waiting
from gossamer.node.resp.reply import Reply


@mypyc_attr(allow_interpreted_subclasses=True)
class LongReply:
    """``reply`` holds when it is ``done``."""

    def __init__(self) -> None:
        self.done: bool = False
        self.reply: Reply = None

    def step(self) -> None:
        """Go on for about a millisecond."""
        raise NotImplementedError

    def close(self) -> None:
        """It is done, or nobody wants it any more: let go of what it is made from."""


class LongWait(Wait):
    """``begun``: those whose replies are being made, this one among them."""

    def __init__(self, client: Client, made: LongReply, begun: "list[LongWait]") -> None:
        super().__init__(client, LONG_REPLY)
        self.made: LongReply = made
        self.begun: list[LongWait] = begun

    def ended(self) -> None:
        self.made.close()
        if self in self.begun:
            self.begun.remove(self)


class LongReplies:
    """``on_work`` is called when there is something to do."""

    def __init__(self, clients: Clients, waiting: Waiting) -> None:
        self.clients: Clients = clients
        self.waiting: Waiting = waiting
        self.begun: list[LongWait] = []
        """Whose replies are being made, in the order of arrival."""
        self.ready: list[LongWait] = []
        """Whose replies are done, until their requests are run anew."""
        self.on_work: Callable[[], None] | None = None

    def make(self, client: Client, made: LongReply) -> Reply:
        """What the handler of a request returns whose reply is ``made``."""
        try:
            made.step()
            # Who is no client of the server (the primary's stream) cannot wait.
            if not made.done and not client.modes & IN_MULTI and client.id in self.clients.by_id:
                return self._wait(client, made)
            while not made.done:
                made.step()
        except Exception:
            made.close()
            raise
        made.close()
        return made.reply

    def made_for(self, client: Client) -> LongReply | None:
        """The reply to the request of ``client``, which is run anew; None if it is run for the first time."""
        again = self.waiting.retried
        return again.made if isinstance(again, LongWait) and again.client is client else None

    def pending(self) -> bool:
        """Is there something to do?"""
        return bool(self.begun)

    def work(self) -> None:
        """A step for whoever waits longest: for ``begun[0]``."""
        wait = self.begun[0]
        wait.made.step()
        if wait.made.done:
            self.begun.remove(wait)
            self.ready.append(wait)

    def give_up(self) -> Client:
        """The step has failed, and would fail again; whose reply it was."""
        return self.begun.pop(0).client

    def take_ready(self) -> list[LongWait]:
        ready, self.ready = self.ready, []
        return [wait for wait in ready if not wait.finished]

    def _wait(self, client: Client, made: LongReply) -> Reply:
        wait = LongWait(client, made, self.begun)
        self.waiting.begin(wait)
        self.begun.append(wait)
        if self.on_work is not None:
            self.on_work()
        return RETRY
