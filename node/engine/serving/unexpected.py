"""Exceptions that nobody expected: whom they cost what.

One that is raised while the request of a client, the message of a link or one connection is handled costs that client,
that link, that connection. It is counted (``unexpected_errors``) and logged with its traceback. The node ends where
its own state may be half changed: its data, for a request that had begun to write (``Changes.dirty``), and what it is
to the others, for the agreement and the role in replication (``NodeState.changing``). Others must not be told, or
shown, that.

The default edge raises, so a simulation or a test in which something unexpected happens has failed.
"""

from typing import Final

from gossamer.node.engine.server import Server

SHOWN: Final = 4
"""Words of a request that the log shows."""
LETTERS: Final = 64
SECRET: Final = (b"auth", b"hello", b"config", b"migrate", b"acl")
"""Commands whose arguments may be passwords."""


def survive(server: Server, what: str, error: Exception, half_changed: bool = False) -> None:
    """Count and log ``error``, after which the caller ends ``what``; raise it if the node cannot go on."""
    if half_changed or server.changing:
        if not error.__dict__.get("__notes__"):
            error.add_note(f"While serving {what}. The state of this node may be half changed, so it ends.")
        server.changing += 1  # for good: whoever meets the error on its way out must not forgive it
        raise error
    server.stats.unexpected_errors += 1
    server.edge.unexpected(what, error)


def told(argv: list[bytes] | None) -> str:
    """The first words of a request for the log; no arguments where one may be a password."""
    if not argv:
        return "no request"
    name = argv[0].lower()
    if name in SECRET:
        return f"{shown(argv[0])} with {len(argv) - 1} arguments that are not shown"
    words = " ".join([shown(word) for word in argv[:SHOWN]])
    return words if len(argv) <= SHOWN else f"{words} and {len(argv) - SHOWN} more arguments"


def shown(word: bytes) -> str:
    text = repr(word[:LETTERS])[1:]
    return text if len(word) <= LETTERS else f"{text}…"
