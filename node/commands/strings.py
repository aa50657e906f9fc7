"""Commands on strings (redis.io, "Strings"). One function a command; see ``node/engine/command.py`` for the declarations."""

from node.engine.call import Call
from node.engine.command import DENYOOM, FAST, READONLY, STRING, WRITE, command
from node.engine.keyspec import ACCESS, RO, RW, UPDATE, KeySpec, first
from node.resp.reply import OK, Reply


@command("GET", arity=2, flags=READONLY | FAST, keys=first(RO, ACCESS), acl=STRING, since="1.0.0", group="string")
def get(c: Call, key: bytes) -> Reply:
    """Returns the string value of a key."""
    return c.text(key)


SET_KEYS = (KeySpec((RW, ACCESS, UPDATE), variable=True),)


@command("SET", arity=-3, flags=WRITE | DENYOOM, keys=SET_KEYS, acl=STRING, since="1.0.0", group="string")
def set_(c: Call, argv: list[bytes]) -> Reply:
    """Sets the string value of a key."""
    c.store(argv[1], argv[2])
    return OK
