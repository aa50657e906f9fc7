"""The commands of one server: counted apart, and renamed apart."""

import pytest

from gossamer.node.config import Config, ConfigError, load_text
from gossamer.node.engine.edge import Edge
from gossamer.node.engine.server import serve
from gossamer.node.engine.serving.session import Session
from gossamer.node.machine import Machine


def session(*lines: str) -> Session:
    """A client of a node whose redis.conf has these lines."""
    config = Config()
    load_text(config, "\n".join(lines), "redis.conf", lambda _: [])
    return Machine(serve(config, Edge())).accept("127.0.0.1:1", "127.0.0.1:2")


def say(client: Session, line: str) -> bytes:
    client.feed(line.encode() + b"\r\n")
    return client.take_output()


def test_two_nodes_in_one_process_share_no_counters() -> None:
    one, other = session(), session()
    for _ in range(3):
        say(one, "CONFIG GET port")
        say(one, "GET k")
    say(one, "GET")
    told = say(one, "INFO commandstats")
    assert b"cmdstat_get:calls=3," in told
    assert b"rejected_calls=1," in told
    assert b"cmdstat_config|get:calls=3," in told
    assert b"cmdstat_get" not in say(other, "INFO commandstats")
    assert b"cmdstat_config" not in say(other, "INFO commandstats")
    say(other, "CONFIG RESETSTAT")
    assert b"cmdstat_get:calls=3," in say(one, "INFO commandstats")
    say(one, "CONFIG RESETSTAT")
    assert b"cmdstat_get" not in say(one, "INFO commandstats")


def test_a_renamed_command_is_found_by_its_new_name_alone_and_on_one_node_alone() -> None:
    one, other = session("rename-command SET Put", 'rename-command FLUSHALL ""', "rename-command CONFIG CFG"), session()
    assert say(one, "put k v") == say(one, "PUT k v") == say(one, "pUt k v") == b"+OK\r\n"
    for line in ("SET k v", "set k v", "FLUSHALL", "flushall", "CONFIG GET port"):
        assert say(one, line).startswith(b"-ERR unknown command"), line
    assert say(one, "cfg get port") == b"*2\r\n$4\r\nport\r\n$4\r\n6379\r\n"
    assert say(one, "PUT k") == b"-ERR wrong number of arguments for 'set' command\r\n"
    assert say(one, "cfg nosuch") == b"-ERR unknown subcommand 'nosuch'. Try CFG HELP.\r\n"
    assert b"cmdstat_set:calls=3," in say(one, "INFO commandstats")
    assert say(other, "SET k v") == b"+OK\r\n"
    assert say(other, "PUT k v").startswith(b"-ERR unknown command")
    assert say(other, "FLUSHALL") == b"+OK\r\n"


def test_command_tells_of_renamed_commands_as_redis_does() -> None:
    """By the new name they are found, and told under their own; what is removed is not there."""
    one, other = session("rename-command SET PUT", 'rename-command GET ""'), session()
    assert say(one, "COMMAND INFO put") == say(other, "COMMAND INFO set")
    assert say(one, "COMMAND DOCS put") == say(other, "COMMAND DOCS set")
    for name in ("set", "get"):
        assert say(one, f"COMMAND INFO {name}") == b"*1\r\n$-1\r\n"
        assert say(one, f"COMMAND DOCS {name}") == b"*0\r\n"
        assert say(one, f"COMMAND GETKEYS {name} k v") == b"-ERR Invalid command specified\r\n"
    assert say(one, "COMMAND GETKEYS put k v") == b"*1\r\n$1\r\nk\r\n"
    assert say(one, "COMMAND LIST FILTERBY PATTERN set") == b"*1\r\n$3\r\nset\r\n"
    assert say(one, "COMMAND LIST FILTERBY PATTERN get") == b"*0\r\n"
    assert int(say(one, "COMMAND COUNT")[1:]) == int(say(other, "COMMAND COUNT")[1:]) - 1


@pytest.mark.parametrize(
    ("lines", "number", "reason"),
    [
        (["rename-command NOSUCH x"], 1, "No such command in rename-command"),
        (["port 1", "rename-command GET SET"], 2, "Target command name already exists"),
        (["rename-command GET a", "rename-command GET b"], 2, "No such command in rename-command"),
        (["rename-command GET a", "rename-command SET A"], 2, "Target command name already exists"),
        (["rename-command config|get x"], 1, "No such command in rename-command"),
    ],
)
def test_what_cannot_be_renamed_stops_the_start(lines: list[str], number: int, reason: str) -> None:
    with pytest.raises(ConfigError) as caught:
        session(*lines)
    assert caught.value.brief == f"redis.conf:{number}: '{lines[number - 1]}': {reason}"


def test_names_may_be_exchanged() -> None:
    client = session("rename-command GET other", "rename-command SET get", "rename-command other SET")
    assert say(client, "GET k v") == b"+OK\r\n"
    assert say(client, "SET k") == b"$1\r\nv\r\n"


def test_a_name_that_was_declared_means_that_command_in_the_stream_whatever_clients_call_it() -> None:
    server = session("rename-command SET x", "rename-command DEL SET", "rename-command APPEND add").server
    commands = server.commands
    stream = [[b"SET", b"k", b"v"], [b"del", b"k"], [b"ADD", b"k", b"v"], [b"nosuch"]]
    assert [cmd and cmd.name for cmd in map(commands.in_stream, stream)] == ["set", "del", "append", None]
    assert commands.for_stream(server.table[b"set"], [b"set", b"k"]) == [b"DEL", b"k"]
    assert commands.for_stream(server.table[b"add"], [b"Add", b"k", b"v"]) == [b"Add", b"k", b"v"]
