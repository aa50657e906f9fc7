"""The process itself: where it lives, what it logs, how it is watched, who may use it."""

from typing import Final

from gossamer.node.config import checks, promises
from gossamer.node.config.directive import Directive as D  # noqa: N817  (a table reads better narrow)
from gossamer.node.config.kinds import Choice, Flag, Integer, Text
from gossamer.node.config.numbers import INT_MAX, INT_MIN, LONG_MAX
from gossamer.node.config.special import Directory, OomScores, Percentiles, SignalOptions

_LOCALS: Final = tuple(f"local{number}" for number in range(8))
_WHO: Final = ("no", "yes", "local")

PROCESS: Final = (
    D("daemonize", Flag(), False, immutable=True, effective=True),
    D("supervised", Choice("upstart", "systemd", "auto", "no"), "no", immutable=True, effective=True),
    D("pidfile", Text(nullable=True), "", immutable=True, effective=True),
    D("dir", Directory(), "", protected=True, deny_loading=True, effective=True),
    D("databases", Integer(1, INT_MAX), 16, immutable=True, effective=True),
    D("always-show-logo", Flag(), False, immutable=True),
    D("set-proc-title", Flag(), True, immutable=True, effective=True),
    D(
        "proc-title-template",
        Text(check=checks.title_template),
        "{title} {listen-addr} {server-mode}",
        effective=True,
    ),
    D("locale-collate", Text(), "", since="7.2"),
    D("hz", Integer(0, INT_MAX, clamp=(1, 500)), 10, effective=True),
    D("dynamic-hz", Flag(), True),
    D("shutdown-timeout", Integer(0, INT_MAX), 10, effective=True),
    D("shutdown-on-sigint", SignalOptions(), (), effective=True),
    D("shutdown-on-sigterm", SignalOptions(), (), effective=True),
    D("disable-thp", Flag(), True, immutable=True),
    D("huge-pages", Flag(), True, extension=True, effective=True),
    D(
        "oom-score-adj",
        Choice("no", "yes", "relative", "absolute", same={"relative": "yes"}),
        "no",
        unkept=promises.NO_OOM_SCORE,
    ),
    D("oom-score-adj-values", OomScores(), (0, 200, 800)),
    D("server_cpulist", Text(nullable=True), "", immutable=True),
    D("bio_cpulist", Text(nullable=True), "", immutable=True),
    D("aof_rewrite_cpulist", Text(nullable=True), "", immutable=True),
    D("bgsave_cpulist", Text(nullable=True), "", immutable=True),
    D("jemalloc-bg-thread", Flag(), True),
    D("ignore-warnings", Text(), ""),
    D("crash-log-enabled", Flag(), True),
    D("crash-memcheck-enabled", Flag(), True),
    D("use-exit-on-panic", Flag(), False, hidden=True),
    D("watchdog-period", Integer(0, INT_MAX), 0, hidden=True),
    D("availability-zone", Text(), "", extension=True),
)

LOGS: Final = (
    D("loglevel", Choice("debug", "verbose", "notice", "warning", unlisted=["nothing"]), "notice", effective=True),
    D("logfile", Text(), "", immutable=True, effective=True),
    D("syslog-enabled", Flag(), False, immutable=True),
    D("syslog-ident", Text(), "redis", immutable=True),
    D("syslog-facility", Choice("user", *_LOCALS), "local0", immutable=True),
    D("slowlog-log-slower-than", Integer(-1, LONG_MAX), 10000, effective=True),
    D("slowlog-max-len", Integer(0, LONG_MAX), 128, effective=True),
    D("latency-monitor-threshold", Integer(0, LONG_MAX), 0, effective=True),
    D("latency-tracking", Flag(), True, effective=True),
    D("latency-tracking-info-percentiles", Percentiles(), (50.0, 99.0, 99.9), effective=True),
)

ACCESS: Final = (
    D("requirepass", Text(nullable=True, binary=True), "", sensitive=True, effective=True),
    D("aclfile", Text(), "", immutable=True, unkept=promises.NO_ACL),
    D("acllog-max-len", Integer(0, LONG_MAX), 128),
    D("acl-pubsub-default", Choice("allchannels", "resetchannels"), "resetchannels"),
    D("enable-protected-configs", Choice(*_WHO), "no", immutable=True, effective=True),
    D("enable-debug-command", Choice(*_WHO), "no", immutable=True, effective=True),
    D("enable-module-command", Choice(*_WHO), "no", immutable=True),
)

TEST_AIDS: Final = (
    D("rdb-key-save-delay", Integer(INT_MIN, INT_MAX), 0, hidden=True, effective=True),
    D("key-load-delay", Integer(INT_MIN, INT_MAX), 0, hidden=True, effective=True),
    D("loading-process-events-interval-bytes", Integer(1024, INT_MAX), 2 << 20, hidden=True),
)
