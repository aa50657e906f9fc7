"""A directive that promises protection is obeyed or refused, by whatever way it comes."""

import pytest

from gossamer.node.config import Config, ConfigError, ConfigSetError, load_text

REFUSED = [
    ("aclfile", "/etc/redis/users.acl"),
    ("tls-port", "6380"),
    ("tls-cluster", "yes"),
    ("tls-replication", "yes"),
    ("socket-mark-id", "7"),
    ("oom-score-adj", "yes"),
    ("oom-score-adj", "relative"),
    ("oom-score-adj", "absolute"),
]
IMMUTABLE = ("aclfile", "socket-mark-id")
TAKEN = """\
aclfile ""
user default on nopass ~* &* +@all
user default on nopass sanitize-payload allkeys allchannels allcommands
tls-port 0
tls-cluster no
tls-replication no
tls-auth-clients no
tls-cert-file /etc/redis.crt
maxmemory-policy noeviction
maxmemory-clients 0
replica-ignore-maxmemory yes
socket-mark-id 0
appendonly yes
save 3600 1
acllog-max-len 3
oom-score-adj no
"""


def load(text: str) -> Config:
    config = Config()
    load_text(config, text, "redis.conf", lambda _: [])
    return config


@pytest.mark.parametrize(("name", "value"), REFUSED)
def test_a_promise_that_cannot_be_kept_stops_the_start_with_file_line_and_directive(name: str, value: str) -> None:
    with pytest.raises(ConfigError) as caught:
        load(f"port 1\n{name.upper()} {value}")
    message = str(caught.value)
    assert "FATAL CONFIG FILE ERROR" in message
    assert f"at line 2 of redis.conf\n>>> '{name.upper()} {value}'\n" in message
    assert "yet" in message.splitlines()[-1]


def test_a_module_stops_the_start_with_file_line_and_directive() -> None:
    """Redis loads it or does not start; here its commands would be missing."""
    with pytest.raises(ConfigError, match=r"at line 2 of redis.conf\n>>> 'LoadModule /m.so x'\nmodules are not"):
        load("port 1\nLoadModule /m.so x")
    with pytest.raises(ConfigSetError, match="Unknown option or number of arguments for CONFIG SET - 'loadmodule'"):
        Config().set([("loadmodule", "/m.so")])


@pytest.mark.parametrize(("name", "value"), [pair for pair in REFUSED if pair[0] not in IMMUTABLE])
def test_config_set_refuses_it_too_and_changes_nothing(name: str, value: str) -> None:
    config = Config()
    before = config.get([name])
    with pytest.raises(ConfigSetError, match=f"possibly related to argument '{name}'.* yet"):
        config.set([("hz", "7"), (name, value)])
    assert config.get([name]) == before
    assert config.integer("hz") == 10


@pytest.mark.parametrize(
    "line",
    [
        "user default on >secret ~* +@all",
        "user default off",
        "user default on nopass ~app:* +@all",
        "user default on nopass ~* -@all",
        "user alice on nopass ~* &* +@all",
        "user alice",
    ],
)
def test_users_are_refused(line: str) -> None:
    with pytest.raises(ConfigError, match="open to everybody"):
        load(line)


def test_what_changes_nothing_is_taken() -> None:
    config = load(TAKEN)
    assert config.flag("appendonly")
    for line in TAKEN.splitlines()[3:12]:
        name, value = line.split()
        if name not in IMMUTABLE:
            config.set([(name, value)])
