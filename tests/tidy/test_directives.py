"""Every directive works, is refused, or is known to let nobody down: a new one is not without effect by accident."""

from pathlib import Path
from typing import Final

import pytest

from gossamer.node.config.directive import Directive
from gossamer.node.config.directives import BY_NAME, DIRECTIVES
from tests.tidy.floors import TOP, modules

SPEED: Final = "it would make something faster or smoother: results and promises are the same without"
COMFORT: Final = "it would show or name something, for people"
ABSENT: Final = "it says how something is done that is not there, and that answers with an error or is refused itself"
KEPT: Final = "what it asks for, or could forbid, is always so here"
TUNING: Final = "it would change a detail of this server that is fixed here"

HARMLESS: Final[dict[str, str]] = {
    # network
    "io-threads": SPEED,
    "io-threads-do-reads": SPEED,
    "max-new-connections-per-cycle": SPEED,
    "max-new-tls-connections-per-cycle": SPEED,
    # TLS: each that turns it on is refused
    "tls-cert-file": ABSENT,
    "tls-key-file": ABSENT,
    "tls-key-file-pass": ABSENT,
    "tls-client-cert-file": ABSENT,
    "tls-client-key-file": ABSENT,
    "tls-client-key-file-pass": ABSENT,
    "tls-dh-params-file": ABSENT,
    "tls-ca-cert-file": ABSENT,
    "tls-ca-cert-dir": ABSENT,
    "tls-auth-clients": ABSENT,
    "tls-protocols": ABSENT,
    "tls-ciphers": ABSENT,
    "tls-ciphersuites": ABSENT,
    "tls-prefer-server-ciphers": ABSENT,
    "tls-session-caching": ABSENT,
    "tls-session-cache-size": ABSENT,
    "tls-session-cache-timeout": ABSENT,
    # process
    "always-show-logo": COMFORT,
    "locale-collate": COMFORT,
    "dynamic-hz": SPEED,
    "disable-thp": SPEED,
    "oom-score-adj-values": ABSENT,
    "server_cpulist": SPEED,
    "bio_cpulist": SPEED,
    "aof_rewrite_cpulist": SPEED,
    "bgsave_cpulist": SPEED,
    "jemalloc-bg-thread": SPEED,
    "ignore-warnings": COMFORT,
    "crash-log-enabled": COMFORT,
    "crash-memcheck-enabled": COMFORT,
    "use-exit-on-panic": KEPT,
    "watchdog-period": COMFORT,
    "availability-zone": COMFORT,
    # logs: the log is in its file or on standard output whatever syslog gets
    "syslog-enabled": COMFORT,
    "syslog-ident": COMFORT,
    "syslog-facility": COMFORT,
    # access
    "acllog-max-len": ABSENT,
    "acl-pubsub-default": ABSENT,
    "enable-module-command": ABSENT,
    # memory
    "activerehashing": SPEED,
    "active-defrag-ignore-bytes": ABSENT,
    "active-defrag-threshold-lower": ABSENT,
    "active-defrag-threshold-upper": ABSENT,
    "active-defrag-cycle-min": ABSENT,
    "active-defrag-cycle-max": ABSENT,
    "active-defrag-max-scan-fields": ABSENT,
    "lazyfree-lazy-user-del": SPEED,
    "lazyfree-lazy-user-flush": SPEED,
    "replica-lazy-flush": SPEED,
    # keys
    "notify-keyspace-events": ABSENT,
    "list-compress-depth": SPEED,
    "busy-reply-threshold": ABSENT,
    "sanitize-dump-payload": KEPT,
    "loading-process-events-interval-bytes": SPEED,
    # disk
    # replication
    "repl-disable-tcp-nodelay": SPEED,
    "repl-diskless-load": KEPT,
    "close-on-replica-write": TUNING,
    # cluster
    "cluster-ping-interval": TUNING,
    "cluster-allow-pubsubshard-when-down": ABSENT,
    "cluster-announce-tls-port": ABSENT,
    "cluster-blacklist-ttl": TUNING,
    "cluster-announce-client-ipv4": TUNING,
    "cluster-announce-client-ipv6": TUNING,
    "cluster-announce-client-port": TUNING,
    "cluster-announce-client-tls-port": ABSENT,
}
"""Taken without effect, and named once in the log; with the reason why nobody is let down."""

KEPT_UNASKED: Final = {"rdb-del-sync-files", "aof-rewrite-incremental-fsync"}
"""They work although nobody asks for them: no full sync leaves a file here, and a rewrite syncs as a snapshot does."""


@pytest.mark.parametrize("directive", DIRECTIVES, ids=lambda directive: directive.name)
def test_a_directive_works_is_refused_or_is_harmless(directive: Directive) -> None:
    """Who promises protection, of access, secrecy, memory or data, is not for this table."""
    sorts = [directive.effective, directive.unkept is not None, directive.name in HARMLESS]
    assert sorts.count(True) == 1, "effective=True, unkept=…, or a line in HARMLESS"
    assert directive.harmless == (directive.name in HARMLESS)


def test_every_harmless_directive_exists() -> None:
    assert HARMLESS.keys() - BY_NAME.keys() == set()


def test_what_is_read_works_and_what_works_is_read() -> None:
    """A directive is asked for by its name; those without effect are not."""
    tables = TOP / "node" / "config" / "tables"
    product = "\n".join(path.read_text() for _, path in modules() if not within(path, tables))
    asked = {directive.name for directive in DIRECTIVES if any(f"{q}{directive.name}{q}" in product for q in "'\"")}
    assert asked & HARMLESS.keys() == set()
    assert {d.name for d in DIRECTIVES if d.effective} - asked == KEPT_UNASKED


def within(path: Path, folder: Path) -> bool:
    return folder in path.parents
