"""What a directive would promise and this node cannot keep yet, so that it is refused instead of taken without effect.

The rule: who asks for protection (of access, of what is said, of memory, of a process), or for the commands of a
module, gets it, or is told that it is not there. Other directives without effect are taken and named once in the log.
"""

from collections.abc import Sequence
from typing import Final

NO_ACL: Final = "ACL rules are not supported yet: the server would be open to everybody that the rules keep out"
NO_TLS: Final = "TLS is not supported yet: nothing would be encrypted"
NO_MODULES: Final = "modules are not supported yet: the commands of this one would be missing"
NO_OOM_SCORE: Final = (
    "scores for the OOM killer are not supported yet: it would choose whom to end as if there were none"
)
NO_MARK: Final = "socket marks are not supported yet: no packet would have one"

_OPEN: Final = frozenset(
    {
        "on", "nopass", "~*", "allkeys", "%rw~*", "&*", "allchannels", "+@all", "allcommands",
        "sanitize-payload", "skip-sanitize-payload",
    }
)  # fmt: skip
"""Rules that give the default user what it may do here anyway."""


def refused_line(name: str, args: Sequence[str]) -> str | None:
    """Why the line ``name`` with these words, which is no setting, cannot be obeyed; None if it can."""
    if name == "loadmodule":
        return NO_MODULES
    return refused_user(args) if name == "user" else None


def refused_user(args: Sequence[str]) -> str | None:
    """Why a ``user`` line with these words cannot be obeyed; None if it changes nothing."""
    if args[0] == "default" and all(word.lower() in _OPEN for word in args[1:]):
        return None
    return NO_ACL
