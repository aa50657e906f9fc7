"""redis.conf and the command line, read as redis-server reads them; errors name file, line and reason."""

from pathlib import Path

import pytest

from gossamer.node.config import Config, ConfigError, Options, load_all, load_text, read_options


def no_files(path: str) -> list[tuple[str, str]]:
    raise FileNotFoundError(2, "No such file or directory", path)


def load(text: str) -> Config:
    config = Config()
    load_text(config, text, "redis.conf", no_files)
    return config


def from_command_line(*argv: str, file: str = "", stdin: str = "") -> Config:
    config = Config()
    load_all(config, read_options(argv), lambda path: [(path, file)], stdin)
    return config


def test_comments_case_quotes_and_repeats() -> None:
    config = load(
        "# port 1\n\n  PORT 7000  \r\nport 7001\n"
        "requirepass \"a b\\x01\\n\\\"c\"\nlogfile 'it\\'s'\nbind 127.0.0.1 -::1\n"
    )
    assert config.integer("port") == 7001
    assert config.text("requirepass") == 'a b\x01\n"c'
    assert config.text("logfile") == "it's"
    assert config.words("bind") == ("127.0.0.1", "-::1")


def test_bytes_that_are_no_utf8_survive() -> None:
    config = load('requirepass "\\xff\\x00"')
    assert config.text("requirepass").encode("utf-8", "surrogateescape") == b"\xff\x00"
    again = load(config.rewrite(None))
    assert again.text("requirepass") == config.text("requirepass")


def test_aliases_set_their_directive() -> None:
    config = load("slave-priority 7\nhash-max-ziplist-entries 5\nlua-time-limit 1\nslaveof 10.0.0.1 6379")
    assert config.integer("replica-priority") == 7
    assert config.integer("hash-max-listpack-entries") == 5
    assert config.integer("busy-reply-threshold") == 1
    assert config.primary() == ("10.0.0.1", 6379)


@pytest.mark.parametrize(
    ("text", "shown"),
    [
        ("", "3600 1 300 100 60 10000"),
        ("save 60 1", "60 1"),
        ("save 60 1\nsave 30 2", "60 1 30 2"),
        ('save "60 1 30 2"', "60 1 30 2"),
        ('save ""', ""),
        ('save 60 1\nsave ""\nsave 5 6', "5 6"),
        ("save", ""),
    ],
)
def test_the_first_save_line_replaces_the_defaults_and_later_ones_add(text: str, shown: str) -> None:
    assert load(text).get(["save"]) == {"save": shown}


def test_lines_that_are_no_settings_are_kept_for_others() -> None:
    config = load(
        'rename-command KEYS ""\nuser default on nopass ~* &* +@all\nrename-command GET g\nlua-replicate-commands yes'
    )
    assert [line.words[1:] for line in config.lines("rename-command")] == [("KEYS", ""), ("GET", "g")]
    assert config.lines("user")[0].number == 2


def test_directives_without_effect_are_listed_once_in_order() -> None:
    config = load("port 1\nio-threads 2\nslave-lazy-flush yes\nIO-threads 3\nhz 5")
    assert config.ineffective_set() == ["io-threads", "replica-lazy-flush"]


def test_a_directive_without_effect_is_news_once_whenever_it_is_set() -> None:
    config = load("io-threads 2\nhz 5")
    assert config.ineffective_untold() == ["io-threads"]
    config.set([("LAZYFREE-lazy-user-del", "yes"), ("slave-lazy-flush", "yes"), ("timeout", "3")])
    assert config.ineffective_untold() == ["lazyfree-lazy-user-del", "replica-lazy-flush"]
    config.set([("lazyfree-lazy-user-del", "no")])
    assert config.ineffective_untold() == []


@pytest.mark.parametrize(
    "line",
    ["shutdown-timeout 3", "shutdown-on-sigterm nosave", "shutdown-on-sigint now", "tls-cluster no", "tls-port 0"],
)
def test_what_works_or_asks_for_nothing_is_not_said_to_be_without_effect(line: str) -> None:
    assert load(line).ineffective_set() == []


@pytest.mark.parametrize(
    ("text", "number", "reason"),
    [
        ("# hi\n\n  PORT abc", 3, "argument couldn't be parsed into an integer"),
        ("port 70000", 1, "argument must be between 0 and 65535 inclusive"),
        ("port 1 2", 1, "wrong number of arguments"),
        ("port", 1, "wrong number of arguments"),
        ("appendonly perhaps", 1, "argument must be 'yes' or 'no'"),
        ("foo bar", 1, "Bad directive or wrong number of arguments"),
        ("include", 1, "Bad directive or wrong number of arguments"),
        ("user", 1, "Bad directive or wrong number of arguments"),
        ("rename-command a", 1, "Bad directive or wrong number of arguments"),
        ('save "1 2', 1, "Unbalanced quotes in configuration line"),
        ("save 1", 1, "Invalid save parameters"),
        ("replicaof a", 1, "wrong number of arguments"),
        ("sentinel monitor a", 1, "sentinel directive while not in sentinel mode"),
        ("mod.key", 1, "Module config specified without value"),
        ("unixsocketperm 9", 1, "argument couldn't be parsed as an octal number"),
        ("unixsocketperm 1000", 1, "argument must be between 0 and 777 inclusive"),
    ],
)
def test_an_error_names_file_line_and_reason(text: str, number: int, reason: str) -> None:
    with pytest.raises(ConfigError) as caught:
        load(text)
    line = text.split("\n")[number - 1].strip()
    assert str(caught.value) == (
        "\n*** FATAL CONFIG FILE ERROR (Redis 7.2.4) ***\n"
        f"Reading the configuration file, at line {number} of redis.conf\n>>> '{line}'\n{reason}\n"
    )
    assert caught.value.brief == f"redis.conf:{number}: '{line}': {reason}"


def test_include_reads_in_place_relative_to_dir_and_errors_name_the_included_file() -> None:
    asked = []

    def read(path: str) -> list[tuple[str, str]]:
        asked.append(path)
        return (
            [("one.conf", "port 1\nhz 20"), ("two.conf", "timeout 3")] if path.endswith("*.conf") else [(path, "foo")]
        )

    config = Config()
    load_text(config, "hz 10\ndir /srv\ninclude *.conf\nport 2", "redis.conf", read)
    assert asked == ["/srv/*.conf"]
    assert [config.integer(name) for name in ("hz", "port", "timeout")] == [20, 2, 3]
    with pytest.raises(ConfigError, match=r"at line 1 of /etc/x\.conf\n>>> 'foo'\nBad directive"):
        load_text(config, "include /etc/x.conf", "redis.conf", read)


def test_a_missing_file_is_one_clear_line() -> None:
    with pytest.raises(ConfigError) as caught:
        load_all(Config(), Options("/nope.conf", False, ""), no_files)
    assert caught.value.brief == "Fatal error, can't open config file '/nope.conf': No such file or directory"


def test_a_missing_include_names_its_line() -> None:
    with pytest.raises(ConfigError) as caught:
        load_text(Config(), "port 1\ninclude /nope.conf", "redis.conf", no_files)
    assert caught.value.brief.startswith("redis.conf:2: 'include /nope.conf': Fatal error, can't open config file")


def test_where_a_setting_was_made_last_is_known() -> None:
    config = Config()
    load_text(config, "dir /a\nslave-priority 3\nDIR /b", "redis.conf", no_files)
    places = [config.line_of(name) for name in ("dir", "replica-priority", "logfile")]
    assert [place and place.number for place in places] == [3, 2, None]


def test_a_file_that_includes_itself_is_refused() -> None:
    with pytest.raises(ConfigError, match="Too many nested includes"):
        load_text(Config(), "include me", "me", lambda path: [(path, "include me")])


def test_a_cluster_node_may_not_be_told_whom_to_follow() -> None:
    with pytest.raises(ConfigError, match="replicaof directive not allowed in cluster mode"):
        from_command_line("--cluster-enabled", "yes", "--replicaof", "a", "1")


@pytest.mark.parametrize(
    ("argv", "file", "stdin", "text"),
    [
        ([], None, False, ""),
        (["a.conf"], "a.conf", False, ""),
        (["-"], None, True, ""),
        (["a.conf", "-"], "a.conf", True, ""),
        (["--port", "1"], None, False, 'port "1" '),
        (["a.conf", "--port", "1", "--save", "3600", "1"], "a.conf", False, 'port "1" \nsave "3600" "1" '),
        (["--port 1", "--hz", "2"], None, False, 'port 1 \nhz "2" '),
        (["--save", "--hz", "2"], None, False, 'save ""\nhz "2" '),
        (["--save"], None, False, 'save ""'),
        (["--save", ""], None, False, 'save "" '),
        (["--requirepass", "--x", "--hz", "2"], None, False, 'requirepass "--x" \nhz "2" '),
        (["--hz", "7", "-"], None, True, 'hz "7" '),
        (["--hz", "7", "-", "--port", "1"], None, False, 'hz "7" "-" \nport "1" '),
    ],
)
def test_the_command_line_is_split_as_by_redis_7(argv: list[str], file: str | None, stdin: bool, text: str) -> None:
    assert read_options(argv) == Options(file, stdin, text)


def test_options_win_over_stdin_and_stdin_over_the_file() -> None:
    config = from_command_line(
        "a.conf", "--PORT", "3", "--save", "9", "9", "-", file="port 1\nhz 11\ntimeout 1", stdin="port 2\nhz 12"
    )
    assert [config.integer(name) for name in ("port", "hz", "timeout")] == [3, 12, 1]
    assert config.get(["save"]) == {"save": "9 9"}


def test_debians_sample_file_is_taken_whole() -> None:
    sample = Path("/etc/redis/redis.conf")
    try:
        text = sample.read_text()
    except OSError:
        pytest.skip("no readable /etc/redis/redis.conf: apt-get install redis-server")
    config = load(text)
    assert config.words("bind") == ("127.0.0.1", "-::1")
    assert "lazyfree-lazy-user-del" in config.ineffective_set()
