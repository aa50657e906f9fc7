"""CONFIG SET: all or nothing, in Redis' words."""

import pytest

from gossamer.node.config import Config, ConfigSetError
from gossamer.node.config.directives import BY_NAME, DIRECTIVES


def refusal(config: Config, *pairs: tuple[str, str], local: bool = False) -> str:
    with pytest.raises(ConfigSetError) as caught:
        config.set(pairs, local=local)
    return caught.value.text


@pytest.mark.parametrize(
    ("name", "value", "reason"),
    [
        ("port", "abc", "argument couldn't be parsed into an integer"),
        ("port", "70000", "argument must be between 0 and 65535 inclusive"),
        ("hz", "01", "argument couldn't be parsed into an integer"),
        ("hz", "", "argument couldn't be parsed into an integer"),
        ("maxclients", "-1", "argument must be between 1 and 4294967295 inclusive"),
        ("appendonly", "maybe", "argument must be 'yes' or 'no'"),
        ("maxmemory", "1x", "argument must be a memory value"),
        ("maxmemory-clients", "200%", "percentage argument must be less or equal to 100"),
        ("maxmemory-clients", "-5", "argument must be a memory or percent value"),
        ("loglevel", "loud", "argument(s) must be one of the following: debug, verbose, notice, warning"),
        ("save", "60", "Invalid save parameters"),
        ("client-output-buffer-limit", "normal 1 2", "Wrong number of arguments in buffer limit configuration."),
        ("oom-score-adj-values", "1 2", "wrong number of arguments"),
        ("notify-keyspace-events", "Q", "Invalid event class character. Use 'Ag$lshzxeKEtmdn'."),
        ("cluster-announce-hostname", "a_b", "Hostnames may only contain alphanumeric characters, hyphens or dots"),
        ("cluster-announce-human-nodename", "a:b", "Announced human node name contained invalid character"),
        ("proc-title-template", "{foo}", "template format is invalid or contains unknown variables"),
        ("databases", "3", "can't set immutable config"),
        ("dir", "/tmp", "can't set protected config"),
        ("bind", " ".join(["::1"] * 17), "Too many bind addresses specified."),
    ],
)
def test_a_refused_value_is_named_with_its_reason(name: str, value: str, reason: str) -> None:
    text = refusal(Config(), (name, value))
    assert text == f"CONFIG SET failed (possibly related to argument '{name}') - {reason}"


def test_an_unknown_name_is_refused_as_written() -> None:
    assert refusal(Config(), ("Foo", "1")) == "Unknown option or number of arguments for CONFIG SET - 'Foo'"
    assert refusal(Config(), ("include", "a")).startswith("Unknown option")


def test_the_first_offender_decides() -> None:
    assert "immutable" in refusal(Config(), ("databases", "1"), ("foo", "3"))
    assert "Unknown option" in refusal(Config(), ("foo", "1"), ("databases", "3"))
    assert refusal(Config(), ("hz", "5"), ("HZ", "6")).endswith("'HZ') - duplicate parameter")


def test_an_alias_is_a_parameter_of_its_own() -> None:
    config = Config()
    config.set([("replica-priority", "1"), ("slave-priority", "2")])
    assert config.integer("replica-priority") == 2
    assert "'slave-priority'" in refusal(config, ("SLAVE-priority", "-1"))


def test_one_bad_value_leaves_all_as_they_were() -> None:
    config = Config()
    before = config.get(["*"])
    refusal(config, ("hz", "20"), ("maxmemory", "1gb"), ("appendonly", "x"))
    assert config.get(["*"]) == before


@pytest.mark.parametrize(
    ("allowed", "local", "ok"),
    [("no", True, False), ("local", True, True), ("local", False, False), ("yes", False, True)],
)
def test_protected_configs_open_by_enable_protected_configs(allowed: str, local: bool, ok: bool) -> None:
    config = Config()
    config.load("enable-protected-configs", [allowed])
    if ok:
        config.set([("dbfilename", "x.rdb")], local=local)
        assert config.text("dbfilename") == "x.rdb"
    else:
        assert refusal(config, ("dbfilename", "x.rdb"), local=local).endswith("can't set protected config")


def test_a_hook_sees_the_new_values_once() -> None:
    config = Config()
    seen: list[tuple[int, int]] = []

    def hook() -> None:
        seen.append((config.integer("maxclients"), config.integer("timeout")))

    config.on_change(["maxclients", "timeout"], hook)
    config.set([("maxclients", "5"), ("timeout", "7"), ("hz", "11")])
    config.set([("maxclients", "5")])
    assert seen == [(5, 7)]


def test_a_refusing_hook_rolls_everything_back_and_runs_again() -> None:
    config = Config()
    applied: list[int] = []

    def apply_timeout() -> None:
        applied.append(config.integer("timeout"))

    def refuse_port() -> str | None:
        return "Unable to listen on this port. Check server logs." if config.integer("port") == 1 else None

    config.on_change(["timeout"], apply_timeout)
    config.on_change(["port"], refuse_port)
    text = refusal(config, ("timeout", "9"), ("port", "1"), ("hz", "99"))
    assert text.endswith("'port') - Unable to listen on this port. Check server logs.")
    assert applied == [9, 0]
    assert (config.integer("timeout"), config.integer("port"), config.integer("hz")) == (0, 6379, 10)


@pytest.mark.parametrize(
    ("value", "count"),
    [("1", 1), ("1k", 1000), ("1KB", 1024), ("1m", 10**6), ("1mb", 1 << 20), ("2g", 2 * 10**9), ("1Gb", 1 << 30)],
)  # fmt: skip
def test_memory_units(value: str, count: int) -> None:
    config = Config()
    config.set([("maxmemory", value)])
    assert config.integer("maxmemory") == count
    assert config.get(["maxmemory"]) == {"maxmemory": str(count)}


def test_output_limits_keep_the_classes_that_are_not_named() -> None:
    config = Config()
    config.set([("client-output-buffer-limit", "replica 1kb 2 3")])
    assert config.get(["client-output-buffer-limit"]) == {
        "client-output-buffer-limit": "normal 0 0 0 slave 1024 2 3 pubsub 33554432 8388608 60"
    }
    assert config.output_limits()[1].hard_bytes == 1024


def test_new_key_events_stay_in_force_though_they_are_not_shown() -> None:
    config = Config()
    config.set([("notify-keyspace-events", "KAn")])
    assert config.get(["notify-keyspace-events"]) == {"notify-keyspace-events": "AK"}
    assert "n" in config.text("notify-keyspace-events")


def test_get_takes_several_patterns_and_exact_names_as_written() -> None:
    config = Config()
    found = config.get(["*-PRIORITY", "slave-priority", "CLUSTER-Enabled", "nonsense", "\\*"])
    assert found == {"replica-priority": "100", "slave-priority": "100", "CLUSTER-Enabled": "no"}


def test_hidden_directives_answer_to_their_name_only() -> None:
    config = Config()
    assert "cluster-ping-interval" not in config.get(["*"])
    assert "availability-zone" not in config.get(["avail*"])
    assert config.get(["cluster-ping-interval", "availability-zone"]) == {
        "cluster-ping-interval": "0",
        "availability-zone": "",
    }


def test_passwords_are_marked_sensitive() -> None:
    config = Config()
    assert [d.name for d in DIRECTIVES if config.is_sensitive(d.name.upper())] == [
        "requirepass",
        "masterauth",
        "masteruser",
    ]


def test_names_are_unique_and_every_default_is_a_value_of_its_kind() -> None:
    names = [name for d in DIRECTIVES for name in (d.name, d.alias, d.valkey) if name is not None]
    assert len(names) == len(set(names)) == len(BY_NAME)
    for directive in DIRECTIVES:
        shown = directive.kind.show(directive.default)
        if directive.name == "replicaof":
            continue
        args = shown.split() if directive.kind.many else [shown]
        assert directive.kind.parse(args or [""], directive.default) == directive.default, directive.name
