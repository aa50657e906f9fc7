"""Rules for texts beyond their kind; each gives the reason why a value is refused, or None (Redis 7.2's texts)."""

import re
from typing import Final

from gossamer.cluster.names import LONGEST_ADDRESS, LONGEST_HOSTNAME, can_be_dialled, is_address, is_storable

NO_DEFRAG: Final = (
    "Active defragmentation cannot be enabled: it requires a Redis server compiled with a modified Jemalloc "
    "like the one shipped by default with the Redis source distribution"
)
_HOST: Final = re.compile(r"[A-Za-z0-9.-]*")
_RESERVED_IN_NODES_CONF: Final = frozenset("!#$%&()*+:;<>?@[]^{|}~")
_TEMPLATE: Final = re.compile(
    r"(?:[^{]|\{\{|\{(?:title|listen-addr|server-mode|port|tls-port|unixsocket|config-file)\})+", re.DOTALL
)


def database_file(name: str) -> str | None:
    return "dbfilename can't be a path, just a filename" if _is_path(name) else None


def append_file(name: str) -> str | None:
    if not name:
        return "appendfilename can't be empty"
    return "appendfilename can't be a path, just a filename" if _is_path(name) else None


def append_directory(name: str) -> str | None:
    if not name:
        return "appenddirname can't be empty"
    return "appenddirname can't be a path, just a dirname" if _is_path(name) else None


def spill_directory(name: str) -> str | None:
    return None if name else "vm-dir can't be empty"


def hostname(name: str) -> str | None:
    if len(name) > LONGEST_HOSTNAME:
        return "Hostnames must be less than 256 characters"
    if not _HOST.fullmatch(name):
        return "Hostnames may only contain alphanumeric characters, hyphens or dots"
    return None


def nodename(name: str) -> str | None:
    """The name stands among nodes.conf's auxiliary fields, so it must not hold their punctuation.

    Redis 7.2 takes blanks, commas and bytes that are no text, and does not start again, or is not heard by others.
    """
    if is_storable(name) and not _RESERVED_IN_NODES_CONF & set(name):
        return None
    return "Announced human node name contained invalid character"


def announced_address(address: str) -> str | None:
    """Redis takes anything here, cut to 45 letters, and tells the others, who then cannot be told from broken ones."""
    if not address:
        return None
    if len(address) > LONGEST_ADDRESS:
        return f"Announced addresses must be less than {LONGEST_ADDRESS + 1} characters"
    if is_address(address) and can_be_dialled(address):
        return None
    return "Announced addresses must be an IP address or the name of a host"


def address(name: str) -> str | None:
    """Of whom to connect to, or by whom to be told from others; blanks would end it where it is listed."""
    return None if is_storable(name) else "argument contains characters that no address has"


def no_zero(value: str) -> str | None:
    """Paths and the like end at a zero byte."""
    return "argument must not contain a zero byte" if "\0" in value else None


def title_template(template: str) -> str | None:
    """It must also say more than the program's name; whether it does may depend on other directives."""
    known = _TEMPLATE.fullmatch(template) and template.replace("{title}", "").strip(" ")
    return None if known else "template format is invalid or contains unknown variables"


def _is_path(name: str) -> bool:
    return "/" in name or "\\" in name
