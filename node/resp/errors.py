"""Every text a client may be refused with. Clients match on them, so they are looked at together.

Source: the replies of Redis 7.0.15. A text here begins with its error code; the writer adds the ``-`` and the line end.
"""

from typing import Final


class Refusal(Exception):
    """The client's request cannot be served; ``text`` is the error reply without the leading ``-``."""

    def __init__(self, text: bytes) -> None:
        self.text: bytes = text


class ProtocolError(Exception):
    """The client does not speak RESP; it gets ``-ERR Protocol error: <text>`` and the connection is closed."""

    def __init__(self, text: bytes) -> None:
        self.text: bytes = text


WRONGTYPE: Final = b"WRONGTYPE Operation against a key holding the wrong kind of value"
NOT_AN_INTEGER: Final = b"ERR value is not an integer or out of range"
NOT_A_FLOAT: Final = b"ERR value is not a valid float"
SYNTAX: Final = b"ERR syntax error"
NO_SUCH_KEY: Final = b"ERR no such key"
OUT_OF_RANGE: Final = b"ERR index out of range"
NOT_POSITIVE: Final = b"ERR value is out of range, must be positive"
SAME_OBJECT: Final = b"ERR source and destination objects are the same"
INVALID_CURSOR: Final = b"ERR invalid cursor"
NOAUTH: Final = b"NOAUTH Authentication required."
WRONGPASS: Final = b"WRONGPASS invalid username-password pair or user is disabled."
NOPROTO: Final = b"NOPROTO unsupported protocol version"
EXECABORT: Final = b"EXECABORT Transaction discarded because of previous errors."
NESTED_MULTI: Final = b"ERR MULTI calls can not be nested"
WATCH_IN_MULTI: Final = b"ERR WATCH inside MULTI is not allowed"
EXEC_WITHOUT_MULTI: Final = b"ERR EXEC without MULTI"
DISCARD_WITHOUT_MULTI: Final = b"ERR DISCARD without MULTI"
CROSSSLOT: Final = b"CROSSSLOT Keys in request don't hash to the same slot"
TRYAGAIN: Final = b"TRYAGAIN Multiple keys request during rehashing of slot"
SLOT_UNSERVED: Final = b"CLUSTERDOWN Hash slot not served"
CLUSTER_DOWN: Final = b"CLUSTERDOWN The cluster is down"
CLUSTER_READS_ONLY: Final = b"CLUSTERDOWN The cluster is down and only accepts read commands"
CLUSTER_DISABLED: Final = b"ERR This instance has cluster support disabled"
SELECT_IN_CLUSTER: Final = b"ERR SELECT is not allowed in cluster mode"
DB_INDEX: Final = b"ERR DB index is out of range"
STRING_TOO_LONG: Final = b"ERR string exceeds maximum allowed size (proto-max-bulk-len)"
BIT_OFFSET: Final = b"ERR bit offset is not an integer or out of range"
BIT_VALUE: Final = b"ERR bit is not an integer or out of range"
OVERFLOW: Final = b"ERR increment or decrement would overflow"
NAN_OR_INFINITY: Final = b"ERR increment would produce NaN or Infinity"
DEBUG_NOT_ALLOWED: Final = (
    b'ERR DEBUG command not allowed. If the enable-debug-command option is set to "local", you can run it from a '
    b"local connection, otherwise you need to set this option in the configuration file, and then restart the server."
)


def wrong_arity(name: str) -> bytes:
    return b"ERR wrong number of arguments for '%s' command" % name.encode()


def unknown_command(argv: list[bytes]) -> bytes:
    """Redis quotes at most 128 bytes of the name and of the arguments together; line ends become spaces."""
    shown = b""
    for arg in argv[1:]:
        if len(shown) >= 128:
            break
        shown += b"'%s' " % arg[: 128 - len(shown)]
    return one_line(b"ERR unknown command '%s', with args beginning with: %s" % (argv[0][:128], shown))


def unknown_subcommand(name: bytes, command: str) -> bytes:
    return one_line(b"ERR unknown subcommand '%s'. Try %s HELP." % (name[:128], command.upper().encode()))


def one_line(text: bytes) -> bytes:
    """An error reply is one line: CR and LF inside it become spaces, as in Redis."""
    return text.replace(b"\r", b" ").replace(b"\n", b" ")
