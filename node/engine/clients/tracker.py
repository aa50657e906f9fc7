"""What one client has asked of client tracking, and the pushes that wait until it has its reply."""

from typing import Final

NOT_GIVEN: Final = 0
GIVEN: Final = 1
"""CLIENT CACHING was the last request, or no other than CLIENT has come since."""
IN_USE: Final = 2
"""It holds for the present request, or for the transaction that this one is a part of."""


class Tracker:
    """A client keeps it for as long as it is connected: what it has read while it tracked may still be remembered.

    A client that invalidations are redirected to has one as well, for its ``pushes``.
    """

    def __init__(self) -> None:
        self.on: bool = False
        self.broadcast: bool = False
        self.opt_in: bool = False
        self.opt_out: bool = False
        self.no_loop: bool = False
        self.redirect: int = 0
        """The id of the client that is told instead; 0: none."""
        self.broken: bool = False
        """That client was gone when there was something to tell."""
        self.prefixes: set[bytes] = set()
        """With ``broadcast``: which keys are told of."""
        self.caching: int = NOT_GIVEN
        """CLIENT CACHING: YES with ``opt_in``, NO with ``opt_out``."""
        self.pushes: list[bytes] = []
        """What others have redirected here while a request of this client runs."""
        self.changed: list[bytes | None] = []
        """Keys that it had read, and that its own request has changed; None: all keys."""

    def turn_on(self, broadcast: bool, opt_in: bool, opt_out: bool, no_loop: bool, redirect: int) -> None:
        """CLIENT TRACKING ON: what was asked for before is forgotten, but for prefixes and CLIENT CACHING."""
        self.on = True
        self.broadcast = broadcast
        self.opt_in = opt_in
        self.opt_out = opt_out
        self.no_loop = no_loop
        self.redirect = redirect
        self.broken = False

    def turn_off(self) -> None:
        self.turn_on(False, False, False, False, self.redirect)
        self.on = False
        self.prefixes = set()
        self.caching = NOT_GIVEN

    def begins(self, of_client: bool, in_multi: bool) -> None:
        """A request begins. CLIENT CACHING holds for one, or for a transaction, and CLIENT and its like do not count.

        ``of_client``: it is CLIENT. ``in_multi``: a transaction is open.
        """
        if self.caching == IN_USE and not in_multi:
            self.caching = NOT_GIVEN
        if self.caching == GIVEN and not of_client:
            self.caching = IN_USE

    def remembers(self) -> bool:
        """Is what the present request reads remembered?"""
        if not self.on or self.broadcast:
            return False
        if self.opt_in:
            return self.caching != NOT_GIVEN
        return not self.opt_out or self.caching == NOT_GIVEN

    def flags(self) -> list[bytes]:
        """As CLIENT TRACKINGINFO names them, in its order."""
        told = [
            (not self.on, b"off"),
            (self.on, b"on"),
            (self.broadcast, b"bcast"),
            (self.opt_in, b"optin"),
            (self.opt_in and self.caching != NOT_GIVEN, b"caching-yes"),
            (self.opt_out, b"optout"),
            (self.opt_out and self.caching != NOT_GIVEN, b"caching-no"),
            (self.no_loop, b"noloop"),
            (self.broken, b"broken_redirect"),
        ]
        return [name for holds, name in told if holds]
