"""The options of XADD and XTRIM (streamParseAddOrTrimArgsOrReply of Redis 7.2)."""

from typing import Final

from gossamer.node.commands.numbers import integer
from gossamer.node.commands.streams.ids import NO_ID, strict_id
from gossamer.node.engine.serving.call import Call
from gossamer.node.resp.errors import (
    SYNTAX,
    TRIM_LIMIT_ALONE,
    TRIM_LIMIT_EXACT,
    TRIM_LIMIT_NEGATIVE,
    TRIM_MAXLEN_NEGATIVE,
    TRIM_TWICE,
    TRIM_WITHOUT_STRATEGY,
    Refusal,
    c_string,
)
from gossamer.node.types.streams.ids import LAST, id_text
from gossamer.node.types.streams.stream import Stream
from gossamer.node.types.streams.trim import ANY, Trim, trim

MAXLEN: Final = b"MAXLEN"
MINID: Final = b"MINID"
LIMIT: Final = b"LIMIT"
NOMKSTREAM: Final = b"NOMKSTREAM"
APPROXIMATE: Final = b"~"
EXACT: Final = b"="
AUTOMATIC: Final = b"*"

# How many entries may go where nothing is said of it.
NODES: Final = 100
"""So many full nodes."""
UNLIMITED_NODES: Final = 10_000
MOST: Final = 1_000_000


class TrimOptions:
    """``at``: where in the request the options end, and the id of XADD stands."""

    def __init__(self) -> None:
        self.at: int = 2
        self.create: bool = True
        """XADD may make a stream."""
        self.entry_id: int = NO_ID
        """As XADD was told; ``NO_ID``: all of it is made here."""
        self.automatic_sequence: bool = False
        """The sequence number of the id is made here."""
        self.strategy: bytes = b""
        self.length: int = ANY
        self.first_id: int = ANY
        self.approximate: bool = False
        self.limit: int = ANY

    def trim(self, stream: Stream) -> int:
        """Trim ``stream``; how many entries have gone."""
        return trim(stream, Trim(self.length, self.first_id, self.approximate, self.limit))

    def words(self, stream: Stream) -> list[bytes]:
        """The options that do to another copy of it exactly what ``trim`` has done to ``stream``."""
        if not self.strategy:
            return []
        if not self.approximate:
            left = id_text(self.first_id) if self.length == ANY else b"%d" % self.length
        elif self.length == ANY:
            left = id_text(stream.first_id if stream.length else LAST)
        else:
            left = b"%d" % stream.length
        return [self.strategy, EXACT, left]


PLAIN: Final = TrimOptions()
"""Of ``XADD key * …``."""


def read_options(c: Call, argv: list[bytes], adding: bool) -> TrimOptions:
    """``adding``: of XADD. They are looked at only: most often they are the same object."""
    if adding and argv[2] == AUTOMATIC:
        return PLAIN
    options = TrimOptions()
    while options.at < len(argv):
        option = argv[options.at].upper()
        if adding and option == AUTOMATIC:
            break
        if option in (MAXLEN, MINID) and options.at + 1 < len(argv):
            read_strategy(options, argv, option)
        elif option == LIMIT and options.at + 1 < len(argv):
            options.limit = integer(argv[options.at + 1])
            if options.limit < 0:
                raise Refusal(TRIM_LIMIT_NEGATIVE)
            options.at += 2
        elif adding and option == NOMKSTREAM:
            options.create = False
            options.at += 1
        elif adding:
            read_new_id(options, argv[options.at])
            break
        else:
            raise Refusal(SYNTAX)
    check(c, options, adding)
    return options


def read_strategy(options: TrimOptions, argv: list[bytes], strategy: bytes) -> None:
    if options.strategy:
        raise Refusal(TRIM_TWICE)
    at = options.at + 1
    options.approximate = argv[at] == APPROXIMATE and at + 1 < len(argv)
    if argv[at] in (APPROXIMATE, EXACT) and at + 1 < len(argv):
        at += 1
    if strategy == MINID:
        options.first_id = strict_id(argv[at])
    else:
        options.length = integer(argv[at])
        if options.length < 0:
            raise Refusal(TRIM_MAXLEN_NEGATIVE)
    options.strategy = strategy
    options.at = at + 1


def read_new_id(options: TrimOptions, text: bytes) -> None:
    milliseconds, dash, sequence = text.partition(b"-")
    options.automatic_sequence = dash != b"" and c_string(sequence) == AUTOMATIC
    options.entry_id = strict_id(milliseconds + b"-0" if options.automatic_sequence else text)


def check(c: Call, options: TrimOptions, adding: bool) -> None:
    """What is said together must fit together; and set the limit."""
    if options.limit > 0 and not options.strategy:
        raise Refusal(TRIM_LIMIT_ALONE)
    if not adding and not options.strategy:
        raise Refusal(TRIM_WITHOUT_STRATEGY)
    if c.privileged:  # the primary has trimmed as much as this says
        options.limit = 0
    elif options.limit != ANY:
        if not options.approximate:
            raise Refusal(TRIM_LIMIT_EXACT)
    elif options.approximate:
        most = NODES * c.server.encodings.stream_node_max_entries
        options.limit = min(most, MOST) if most > 0 else UNLIMITED_NODES
    else:
        options.limit = 0
