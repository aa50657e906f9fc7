"""CLIENT TRACKING, CACHING, GETREDIR and TRACKINGINFO: what a client wants to be told of what it caches.

The order of checks is that of Redis 7.2 (networking.c, clientCommand): all options are read before ON or OFF is.
"""

from typing import Final

from gossamer.node.commands.numbers import integer
from gossamer.node.engine.clients.client import IN_MULTI
from gossamer.node.engine.clients.tracker import GIVEN, IN_USE, Tracker
from gossamer.node.engine.clients.tracking_prefixes import overlap
from gossamer.node.engine.serving.call import Call
from gossamer.node.engine.table.command import CONNECTION, LOADING, NOSCRIPT, STALE, command
from gossamer.node.resp.errors import (
    BCAST_AND_OPT,
    BCAST_SWITCHED,
    CACHING_NO,
    CACHING_UNTRACKED,
    CACHING_YES,
    NO_REDIRECT_CLIENT,
    ONE_REDIRECT,
    OPT_SWITCHED,
    OPTIN_AND_OPTOUT,
    PREFIX_WITHOUT_BCAST,
    SYNTAX,
    Refusal,
    prefixes_overlap,
)
from gossamer.node.resp.reply import OK, Reply, SetReply

SELF: Final = NOSCRIPT | LOADING | STALE
OPTIONS: Final = (b"BCAST", b"OPTIN", b"OPTOUT", b"NOLOOP")


class Wanted:
    """The options of one CLIENT TRACKING."""

    def __init__(self) -> None:
        self.redirect: int = 0
        self.prefixes: list[bytes] = []
        self.options: set[bytes] = set()

    def has(self, option: bytes) -> bool:
        return option in self.options


@command("CLIENT|TRACKING", arity=-3, flags=SELF, acl=CONNECTION)
def client_tracking(c: Call, argv: list[bytes]) -> Reply:
    wanted = read_options(c, argv)
    word = argv[2].upper()
    tracking = c.server.tracking
    if word == b"ON":
        check(c.client.tracker, wanted)
        tracker = tracking.tracker_of(c.client)
        tracker.turn_on(
            wanted.has(b"BCAST"), wanted.has(b"OPTIN"), wanted.has(b"OPTOUT"), wanted.has(b"NOLOOP"), wanted.redirect
        )
        tracking.enable(c.client, tracker, wanted.prefixes)
    elif word == b"OFF":
        tracking.disable(c.client)
    else:
        raise Refusal(SYNTAX)
    return OK


def read_options(c: Call, argv: list[bytes]) -> Wanted:
    wanted = Wanted()
    at = 3
    while at < len(argv):
        option = argv[at].upper()
        has_value = at + 1 < len(argv)
        if option == b"REDIRECT" and has_value:
            wanted.redirect = redirect_target(c, wanted, argv[at + 1])
            at += 1
        elif option == b"PREFIX" and has_value:
            wanted.prefixes.append(argv[at + 1])
            at += 1
        elif option in OPTIONS:
            wanted.options.add(option)
        else:
            raise Refusal(SYNTAX)
        at += 1
    return wanted


def redirect_target(c: Call, wanted: Wanted, word: bytes) -> int:
    """The id of a client that is there now."""
    if wanted.redirect:
        raise Refusal(ONE_REDIRECT)
    client_id = integer(word)
    if client_id not in c.server.clients.by_id:
        raise Refusal(NO_REDIRECT_CLIENT)
    return client_id


def check(tracker: Tracker | None, wanted: Wanted) -> None:
    """Do the options go together, and with what the client has asked for before?"""
    broadcast = wanted.has(b"BCAST")
    before = tracker if tracker is not None and tracker.on else None
    if wanted.prefixes and not broadcast:
        raise Refusal(PREFIX_WITHOUT_BCAST)
    if before is not None and before.broadcast != broadcast:
        raise Refusal(BCAST_SWITCHED)
    if broadcast and (wanted.has(b"OPTIN") or wanted.has(b"OPTOUT")):
        raise Refusal(BCAST_AND_OPT)
    if wanted.has(b"OPTIN") and wanted.has(b"OPTOUT"):
        raise Refusal(OPTIN_AND_OPTOUT)
    if before is not None and ((wanted.has(b"OPTIN") and before.opt_out) or (wanted.has(b"OPTOUT") and before.opt_in)):
        raise Refusal(OPT_SWITCHED)
    check_prefixes(sorted(before.prefixes) if before is not None else [], wanted.prefixes)


def check_prefixes(present: list[bytes], added: list[bytes]) -> None:
    """No key may be told of twice."""
    for at, prefix in enumerate(added):
        for other in present:
            if overlap(prefix, other):
                raise Refusal(prefixes_overlap(prefix, b"an existing", other))
        for other in added[at + 1 :]:
            if overlap(prefix, other):
                raise Refusal(prefixes_overlap(prefix, b"another provided", other))


@command("CLIENT|CACHING", arity=3, flags=SELF, acl=CONNECTION)
def client_caching(c: Call, _: bytes, mode: bytes) -> Reply:
    tracker = c.client.tracker
    if tracker is None or not tracker.on:
        raise Refusal(CACHING_UNTRACKED)
    word = mode.upper()
    if word not in (b"YES", b"NO"):
        raise Refusal(SYNTAX)
    if word == b"YES" and not tracker.opt_in:
        raise Refusal(CACHING_YES)
    if word == b"NO" and not tracker.opt_out:
        raise Refusal(CACHING_NO)
    tracker.caching = IN_USE if c.client.modes & IN_MULTI else GIVEN
    return OK


@command("CLIENT|GETREDIR", arity=2, flags=SELF, acl=CONNECTION)
def client_getredir(c: Call, _: bytes) -> Reply:
    return redirect_of(c.client.tracker)


def redirect_of(tracker: Tracker | None) -> int:
    """0: the client is told itself; -1: it does not track."""
    return tracker.redirect if tracker is not None and tracker.on else -1


@command("CLIENT|TRACKINGINFO", arity=2, flags=SELF, acl=CONNECTION)
def client_trackinginfo(c: Call, _: bytes) -> Reply:
    tracker = c.client.tracker
    flags = [b"off"] if tracker is None else tracker.flags()
    prefixes: Reply = [] if tracker is None else sorted(tracker.prefixes)
    told: dict[bytes, Reply] = {b"flags": SetReply(flags)}
    told[b"redirect"] = redirect_of(tracker)
    told[b"prefixes"] = prefixes
    return told
