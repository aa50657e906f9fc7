"""The name of the process, for ``ps`` and ``top``: what ``proc-title-template`` makes of the configuration.

``ps`` shows the whole title. ``top`` and ``pgrep`` show the fifteen letters of the kernel's own name, in which an
address would leave no room for the port; so these are ``gossamer:7000``.
"""

import re
from typing import Final

from gossamer.cluster import text
from gossamer.node.config import Config

try:
    import setproctitle
except ImportError:  # an installation without it serves all the same
    setproctitle = None  # type: ignore[assignment]

NAME: Final = "gossamer"
WRONG: Final = "template format is invalid or contains unknown variables"
_PART: Final = re.compile(r"\{(\{|[a-z-]+\})")


def expand(config: Config, config_file: str, name: str = NAME) -> str:
    """The title: the template with its variables replaced, without blanks around it. ``name`` is ``{title}``."""
    port, tls_port = config.integer("port"), config.integer("tls-port")
    path = config.text("unixsocket")
    hosts = config.words("bind")
    variables = {
        "title": name,
        "listen-addr": f"{hosts[0] if hosts else '*'}:{port or tls_port}" if port or tls_port else f"unixsocket:{path}",
        "server-mode": "[cluster]" if config.flag("cluster-enabled") else "",
        "port": str(port),
        "tls-port": str(tls_port),
        "unixsocket": path,
        "config-file": config_file or "-",
    }

    def value(part: re.Match[str]) -> str:
        inner = part[1]
        return "{" if inner == "{" else variables[inner.removesuffix("}")]

    return _PART.sub(value, config.text("proc-title-template")).strip(" ")


def fault(config: Config, config_file: str) -> str | None:
    """The reason why the template cannot be used: nothing would be left of it but the program's name, as Redis asks."""
    return None if expand(config, config_file, "") else WRONG


def show(config: Config, config_file: str) -> None:
    """Give this process its title, if it may have one."""
    if setproctitle is None or not config.flag("set-proc-title"):
        return
    port = config.integer("port") or config.integer("tls-port")
    setproctitle.setproctitle(printable(expand(config, config_file)))
    setproctitle.setthreadtitle(f"{NAME}:{port}" if port else NAME)


def printable(title: str) -> str:
    """What the system takes for a title: valid text, that ends at its first NUL."""
    return text.printable(title).partition("\0")[0]
