"""PSYNC: how a replica asks for the stream, and what the primary offers."""

from gossamer.cluster.text import bytes_of, text_of
from gossamer.node.replication.history import History
from gossamer.node.replication.lines import TRY_LATER, LinkError, is_id, is_offset, refuse_for_now, shown
from gossamer.node.resp.requests import encoded


class Continue:
    """The stream goes on from where it was asked for, under the id ``replid``; empty: the one that was asked for."""

    def __init__(self, replid: str) -> None:
        self.replid: str = replid


class FullResync:
    """A snapshot comes, of the history ``replid`` at ``offset``."""

    def __init__(self, replid: str, offset: int) -> None:
        self.replid: str = replid
        self.offset: int = offset


def psync_request(history: History, full: bool, failover: bool) -> bytes:
    """``full``: nothing but a snapshot will do. ``failover``: the other end is asked to be the primary."""
    if full:
        return encoded([b"PSYNC", b"?", b"-1"])
    words = [b"PSYNC", bytes_of(history.replid), b"%d" % (history.offset + 1)]
    return encoded([*words, b"FAILOVER"] if failover else words)


def is_accepted(line: bytes) -> bool:
    return line.split(b" ")[0] in (b"+CONTINUE", b"+FULLRESYNC")


def psync_reply(line: bytes) -> Continue | FullResync:
    """What ``line`` offers. Raises LinkError if that is nothing."""
    words = line.split()
    if len(words) == 3 and words[0] == b"+FULLRESYNC" and is_id(words[1]) and is_offset(words[2]):
        return FullResync(text_of(words[1]), int(words[2]))
    if words == [b"+CONTINUE"]:
        return Continue("")
    if len(words) > 1 and words[0] == b"+CONTINUE" and is_id(words[1]):
        return Continue(text_of(words[1]))
    if line.startswith(TRY_LATER):
        raise refuse_for_now(line)
    raise unexpected_reply(line)


def unexpected_reply(line: bytes) -> LinkError:
    return LinkError(f"Unexpected reply to PSYNC from master: {shown(line)}", damaged=True)
