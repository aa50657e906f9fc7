"""The same questions to a real redis-server 7.0 and to Config."""

import subprocess
from pathlib import Path

import pytest

from gossamer.node.config import Config, ConfigError, ConfigSetError, load_all, load_text, read_options
from gossamer.node.config.directives import BY_NAME
from tests.unit.node.config.conftest import Start

OF_THE_TEST = {"port", "unixsocket", "dir"}
"""Directives that the comparison itself has to set on the real server."""

HIDDEN_SINCE_7_2 = {"aof-disable-auto-gc"}

NEWER = {name for name, directive in BY_NAME.items() if directive.since != "7.0" and not directive.hidden}


def test_config_get_star_has_the_same_names_and_defaults(start: Start) -> None:
    theirs = {name: value for name, value in start().get("*").items() if name not in HIDDEN_SINCE_7_2}
    ours = Config().get(["*"])
    assert set(ours) - set(theirs) == NEWER
    assert set(theirs) <= set(ours)
    assert {n: ours[n] for n in theirs if n not in OF_THE_TEST} == {
        n: v for n, v in theirs.items() if n not in OF_THE_TEST
    }


def test_hidden_directives_have_the_same_defaults(start: Start) -> None:
    server = start()
    for name, directive in BY_NAME.items():
        if directive.hidden and directive.since == "7.0":
            assert server.get(name) == Config().get([name])


ATTEMPTS: list[list[str]] = [
    ["hz", "0"], ["hz", "1000"], ["hz", "01"], ["hz", " 1"], ["hz", "+1"], ["hz", ""], ["hz", "99999999999"],
    ["hz", "1e1"],
    ["maxclients", "0"], ["maxclients", "-1"], ["maxclients", "4294967296"], ["timeout", "-1"], ["timeout", "5"],
    ["maxmemory", "-1"], ["maxmemory", ""], ["maxmemory", "1kb"], ["maxmemory", "1K"], ["maxmemory", "12gbb"],
    ["maxmemory", "18446744073709551616"], ["maxmemory", "99999999999gb"], ["maxmemory", "0x10"], ["maxmemory", "10B"],
    ["maxmemory", "0"], ["maxmemory-clients", "200%"], ["maxmemory-clients", "1x"],
    ["maxmemory-clients", "-5"], ["maxmemory-clients", "%"],
    ["repl-backlog-size", "9223372036854775808"], ["slowlog-max-len", "-1"], ["tracking-table-max-keys", "-1"],
    ["list-max-ziplist-size", "-2147483649"], ["stream-node-max-bytes", "kb"], ["proto-max-bulk-len", "1"],
    ["client-query-buffer-limit", "1mb"], ["active-defrag-ignore-bytes", "0"], ["unixsocketperm", "777"],
    ["latency-tracking-info-percentiles", "1 2.50 99.999999999"], ["latency-tracking-info-percentiles", "1 101"],
    ["latency-tracking-info-percentiles", "1 a"], ["latency-tracking-info-percentiles", ""],
    ["oom-score-adj-values", "1 2"], ["oom-score-adj-values", "1 2 9000"], ["oom-score-adj-values", "1 2 x"],
    ["oom-score-adj-values", "10 20 30"], ["shutdown-on-sigint", "SAVE now"], ["shutdown-on-sigint", "now save"],
    ["shutdown-on-sigint", "save nosave"], ["shutdown-on-sigint", "bad"], ["shutdown-on-sigint", ""],
    ["shutdown-on-sigterm", "default force"], ["save", "60"], ["save", " 1 2"], ["save", "1 2 "], ["save", "0 1"],
    ["save", "1 -1"], ["save", "01 2"], ["save", "900 1 300 0"], ["save", '"a'], ["save", ""],
    ["client-output-buffer-limit", "normal 1mb 0 0"], ["client-output-buffer-limit", "foo 1 2 3"],
    ["client-output-buffer-limit", "normal 1 2"], ["client-output-buffer-limit", "normal x 2 3"],
    ["client-output-buffer-limit", "normal 1 2 -3"], ["client-output-buffer-limit", "master 1 2 3"],
    ["client-output-buffer-limit", ""], ["client-output-buffer-limit", "slave 1 2 3 REPLICA 4k 5 06"],
    ["notify-keyspace-events", "KEAQ"], ["notify-keyspace-events", "mnKgd"], ["notify-keyspace-events", "KEAn"],
    ["notify-keyspace-events", "$lshzxegtdKEm"], ["notify-keyspace-events", "nnt"], ["notify-keyspace-events", ""],
    ["slave-priority", "-1"], ["SLAVE-priority", "3"], ["replica-priority", "1", "slave-priority", "2"],
    ["dbfilename", "a"], ["dir", "/"], ["dir", "a", "dir", "b"], ["databases", "3"], ["replicaof", "a b"],
    ["cluster-announce-hostname", "a_b"], ["cluster-announce-hostname", "a.b-c"],
    ["proc-title-template", "{foo}"], ["proc-title-template", "{port"], ["proc-title-template", ""],
    ["proc-title-template", "{{{title}}"], ["proc-title-template", "a}b {port}"],
    ["maxmemory-policy", "bad"], ["maxmemory-policy", "NOeviction"], ["acl-pubsub-default", "ALLCHANNELS"],
    ["appendfsync", "no "], ["appendonly", "maybe"], ["activedefrag", "yes"], ["oom-score-adj", "no"],
    ["loglevel", "loud"], ["supervised", "no"], ["foo", "1"], ["include", "a"], ["foo", "1", "databases", "3"],
    ["databases", "1", "foo", "3"], ["maxmemory", "10", "maxmemory", "20", "foo", "1"], ["hz", "5", "HZ", "10"],
    ["hz", "7", "timeout", "9", "appendonly", "x"], ["hz", "7", "timeout", "9"], ["masterauth", "", "masteruser", "x"],
]  # fmt: skip


def test_config_set_answers_and_leaves_the_same(start: Start) -> None:
    server = start()
    config = Config()
    for attempt in ATTEMPTS:
        names, values = attempt[::2], attempt[1::2]
        theirs = server.set(*attempt)
        ours = "OK"
        try:
            config.set(list(zip(names, values, strict=True)))
        except ConfigSetError as error:
            ours = error.text
        assert ours == theirs, attempt
        left = {name: value for name, value in server.get(*names).items() if name not in OF_THE_TEST}
        assert {name: config.get(names)[name] for name in left} == left, attempt


QUESTIONS: list[list[str]] = [
    ["replica-pr?ority"], ["re*-priority", "slave-priority", "REPLICA-PRIORITY"], ["CLUSTER-Enabled"], ["[a-b]*"],
    ["[^a-z]*"], ["MAX*", "*mem*"], ["hz\\"], ["h\\z*"], ["rdb-key*", "rdb-key-save-delay"], ["nope"],
]  # fmt: skip


def test_config_get_finds_the_same(start: Start) -> None:
    server = start()
    config = Config()
    for patterns in QUESTIONS:
        theirs = server.get(*patterns)
        ours = {name: value for name, value in config.get(patterns).items() if name not in NEWER | OF_THE_TEST}
        others = OF_THE_TEST | HIDDEN_SINCE_7_2
        assert ours == {name: value for name, value in theirs.items() if name not in others}, patterns


SAMPLE = """# my config


  Slave-Priority   50
save 60 1
save 100 2
save 200 3
include inc.conf
maxmemory 100mb
maxmemory 200mb
timeout 0
requirepass "a b\\x01"
hz 10
unixsocketperm 700
lua-replicate-commands no
loglevel debug
client-output-buffer-limit pubsub 32mb 8mb 60
client-output-buffer-limit normal 1mb 1 1
cluster-announce-hostname foo
notify-keyspace-events ""
maxclients 100

shutdown-on-sigint save now
# end
"""

CHANGES = [
    "loglevel", "notice", "cluster-announce-hostname", "", "save", "10 5", "tracking-table-max-keys", "7",
    "maxmemory", "1000000", "repl-backlog-size", "2mb", "slowlog-max-len", "7", "notify-keyspace-events", "KA",
    "hash-max-ziplist-value", "2000", "latency-tracking-info-percentiles", "", "masterauth", "\\\"'",
    "oom-score-adj-values", "1 2 3", "replica-announce-ip", "h",
]  # fmt: skip


def test_config_rewrite_writes_the_same_lines(start: Start, home: Path) -> None:
    file = home / "redis.conf"
    file.write_text(SAMPLE)
    (home / "inc.conf").write_text("tcp-keepalive 11\n")
    server = start("redis.conf", password="a b\x01")
    assert server.set(*CHANGES) == "OK"
    assert server.client.config_rewrite()
    theirs = [line for line in file.read_text().splitlines() if not line.startswith("user ")]

    config = Config()
    load_text(config, SAMPLE, "redis.conf", lambda path: [(path, "tcp-keepalive 11")])
    for name in OF_THE_TEST:
        config.load(name, [server.get(name)[name]])
    config.set(list(zip(CHANGES[::2], CHANGES[1::2], strict=True)))
    ours = config.rewrite(SAMPLE).splitlines()

    # What is appended below the signature stands in the order of a hash table there, of our table here.
    cut = theirs.index("# Generated by CONFIG REWRITE")
    assert ours[: cut + 1] == theirs[: cut + 1]
    assert sorted(ours[cut:]) == sorted(theirs[cut:])


BAD_STARTS: list[list[str]] = [
    ["--port"], ["--port", "abc"], ["--foo"], ["--save", "3600", "1", "300"], ["--port 1", "--hz", "x"],
    ["--port", "--hz", "x"], ["--save", "--appendonly", "maybe"], ["--port", "1", "--port", "2", "--hz=x"],
    ["-p", "33"], ["--bind", "::1 foo", "--hz", "x"], ["--requirepass", "--x", "--hz", "x"],
    ["--a.b"], ["--hz", "7", "-", "--port", "1"], ["--replicaof", "a"], ["--replicaof", "a", "x"],
    ["--cluster-enabled", "yes", "--replicaof", "a", "1"], ["--unixsocketperm", "9"], ["--unixsocketperm", "1000"],
    ["--client-output-buffer-limit", "normal 1 2 3 slave 4 5"], ["--appendfilename", "a/b"], ["--appenddirname", ""],
    ["--proc-title-template", "{x}"], ["--include"], ["--user"], ["--loadmodule"], ["--rename-command", "a"],
    ["--dbfilename", "a/b"], ["--lua-replicate-commands"], ["--hz", 'a"\\\n\x01'],
]  # fmt: skip


@pytest.mark.parametrize("argv", BAD_STARTS, ids=" ".join)
def test_a_bad_command_line_dies_with_the_same_words(redis_server: str, home: Path, argv: list[str]) -> None:
    run = subprocess.run([redis_server, *argv], cwd=home, capture_output=True, text=True, timeout=30, check=False)
    assert run.returncode == 1
    with pytest.raises(ConfigError) as caught:
        load_all(Config(), read_options(argv), lambda path: [])
    theirs = run.stderr.splitlines()
    ours = str(caught.value).splitlines()
    assert ours[-1] == theirs[-1]
    assert [line for line in ours if line.startswith(">>>")] == [line for line in theirs if line.startswith(">>>")]
