"""INFO: which sections there are, in the order of Redis 7.0.15, and those that count commands, errors and keys.

Sections are asked for by name, in any case and order; their order in the reply is fixed. The others are in
``info_sections.py``. That on virtual memory is of Redis 2; it is shown by itself only where it is on.
"""

from collections.abc import Callable
from typing import Final

from gossamer.cluster.text import bytes_of, text_of
from gossamer.node.commands.info_replication import replication_section
from gossamer.node.commands.info_sections import (
    clients_section,
    cpu_section,
    memory_section,
    persistence_section,
    server_section,
    stats_section,
)
from gossamer.node.engine.insight.latency import percentile
from gossamer.node.engine.server import Server
from gossamer.node.engine.serving.call import Call
from gossamer.node.engine.state import SPILLING
from gossamer.node.engine.table.command import LOADING, STALE, Command, command, distinct
from gossamer.node.resp.reply import Reply, Verbatim

DANGEROUS: Final = ("dangerous",)

Section = Callable[[Server], list[str]]


def modules_section(server: Server) -> list[str]:
    return []


def all_commands(server: Server) -> list[Command]:
    """Every command, each container followed by its subcommands."""
    out: list[Command] = []
    for cmd in distinct(server.table):
        out.append(cmd)
        out += distinct(cmd.subcommands)
    return out


def commandstats_section(server: Server) -> list[str]:
    out: list[str] = []
    for cmd in all_commands(server):
        usage = server.usages.seen(cmd)
        if usage is not None:
            mean = usage.microseconds / usage.calls if usage.calls else 0.0
            out.append(
                f"cmdstat_{cmd.name}:calls={usage.calls},usec={usage.microseconds},usec_per_call={mean:.2f}"
                f",rejected_calls={usage.rejected_calls},failed_calls={usage.failed_calls}"
            )
    return out


def errorstats_section(server: Server) -> list[str]:
    errors = server.stats.errors
    return [f"errorstat_{text_of(code)}:count={errors[code]}" for code in sorted(errors)]


def latencystats_section(server: Server) -> list[str]:
    out: list[str] = []
    if not server.latency.tracking:
        return out
    percents = server.config.percentiles()
    for cmd in all_commands(server):
        usage = server.usages.seen(cmd)
        if usage is not None and usage.calls:
            values = ",".join([f"p{short(percent)}={percentile(usage.histogram, percent):.3f}" for percent in percents])
            out.append(f"latency_percentiles_usec_{cmd.name}:{values}")
    return out


def short(number: float) -> str:
    """``99.9`` or ``50``: six decimals without the zeros at the end."""
    return f"{number:f}".rstrip("0").rstrip(".")


def cluster_section(server: Server) -> list[str]:
    return [f"cluster_enabled:{int(server.clustered)}"]


def keyspace_section(server: Server) -> list[str]:
    return [f"db{db.index}:keys={db.size},expires={db.volatile},avg_ttl=0" for db in server.keyspace.used() if db.size]


def vm_section(server: Server) -> list[str]:
    return server.vm.info()


SECTIONS: Final[list[tuple[str, str, Section]]] = [
    ("server", "Server", server_section),
    ("clients", "Clients", clients_section),
    ("memory", "Memory", memory_section),
    ("vm", "Vm", vm_section),
    ("persistence", "Persistence", persistence_section),
    ("stats", "Stats", stats_section),
    ("replication", "Replication", replication_section),
    ("cpu", "CPU", cpu_section),
    ("modules", "Modules", modules_section),
    ("commandstats", "Commandstats", commandstats_section),
    ("errorstats", "Errorstats", errorstats_section),
    ("latencystats", "Latencystats", latencystats_section),
    ("cluster", "Cluster", cluster_section),
    ("keyspace", "Keyspace", keyspace_section),
]
NOT_BY_DEFAULT: Final = ("commandstats", "latencystats")


def wanted_sections(words: list[str]) -> set[str]:
    """Names of sections for the arguments of INFO; unknown words mean nothing."""
    if "all" in words or "everything" in words:
        return {name for name, _, _ in SECTIONS}
    wanted = set(words)
    if not words or "default" in words:
        wanted |= {name for name, _, _ in SECTIONS if name not in NOT_BY_DEFAULT}
    return wanted


def info_text(server: Server, words: list[str]) -> str:
    wanted = wanted_sections(words)
    parts: list[str] = []
    for name, title, section in SECTIONS:
        if name in wanted and (name != "vm" or name in words or server.conditions & SPILLING):
            parts.append("\r\n".join([f"# {title}", *section(server), ""]))
    return "\r\n".join(parts)


@command("INFO", arity=-1, flags=LOADING | STALE, acl=DANGEROUS)
def info(c: Call, argv: list[bytes]) -> Reply:
    words = [text_of(word).lower() for word in argv[1:]]
    return Verbatim(bytes_of(info_text(c.server, words)))
