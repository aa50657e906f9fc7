"""What is derived from a declaration: categories, flags, the legacy key range; and how a request finds its command."""

from collections.abc import Iterator

import pytest

from gossamer.node.engine.serving.call import Call
from gossamer.node.engine.table.command import (
    DECLARED,
    FAST,
    FLAG_NAMES,
    MOVABLE_KEYS,
    NO_AUTH,
    PROTECTED,
    READONLY,
    SCRIPTING,
    STALE,
    UNQUEUED,
    WRITE,
    Command,
    command,
    distinct,
    lookup,
)
from gossamer.node.engine.table.keyspec import RO, RW, KeySpec, first
from gossamer.node.resp.reply import Reply
from tests.tidy.reference import REFERENCE, key_specs

FLAGS = {name: flag for flag, name in FLAG_NAMES.items()}
FOLLOWING = {"read", "write", "admin", "pubsub", "fast", "slow", "blocking"}
"""Categories that follow from flags."""


def record(flags: int = 0, keys: tuple[KeySpec, ...] = (), acl: tuple[str, ...] = ()) -> Command:
    return Command("test", print, -1, flags, keys, acl, 0)


@pytest.mark.parametrize("name", sorted(REFERENCE))
def test_what_redis_derives_is_derived(name: str) -> None:
    info = REFERENCE[name]
    flags = sum(FLAGS[flag] for flag in info.get("flags", []) if flag != "movablekeys")
    acl = {category.removeprefix("@") for category in info["acl_categories"]}
    declared = acl - FOLLOWING | ({"admin"} if name in ("lastsave", "role") else set())
    cmd = record(flags, key_specs(info), tuple(declared))
    assert sorted(cmd.flag_names()) == info.get("flags", [])
    assert sorted(cmd.categories()) == sorted(acl)
    assert (cmd.first_key, cmd.last_key, cmd.key_step) == (info["first_key"], info["last_key"], info["step"])


def test_names_stand_in_the_order_of_the_server() -> None:
    cmd = record(FAST | STALE | READONLY | NO_AUTH, acl=("string", "keyspace"))
    assert cmd.flag_names() == ["readonly", "stale", "fast", "no_auth"]
    assert cmd.categories() == ["keyspace", "read", "string", "fast"]


def test_a_script_that_only_reads_is_not_in_the_category_read() -> None:
    assert "read" not in record(READONLY, acl=(SCRIPTING,)).categories()


def test_our_own_flags_are_not_shown() -> None:
    assert record(PROTECTED | UNQUEUED).flag_names() == []


@pytest.mark.parametrize(
    ("keys", "legacy", "movable"),
    [
        ((), (0, 0, 0), False),
        (first(RO), (1, 1, 1), False),
        ((KeySpec((RW,), last=-1, step=2),), (1, -1, 2), False),
        ((KeySpec((RW,)), KeySpec((RO,), index=2)), (1, 2, 1), False),
        ((KeySpec((RW,), index=2), KeySpec((RO,), index=3, last=-1)), (2, -1, 1), False),
        ((KeySpec((RW,), index=1), KeySpec((RO,), index=3)), (1, 1, 1), True),
        ((KeySpec((RO,), index=2, count_at=0),), (0, 0, 0), True),
        ((KeySpec((RW,)), KeySpec((RO,), unknown=True)), (1, 1, 1), True),
    ],
)
def test_key_range(keys: tuple[KeySpec, ...], legacy: tuple[int, int, int], movable: bool) -> None:
    cmd = record(keys=keys)
    assert (cmd.first_key, cmd.last_key, cmd.key_step) == legacy
    assert bool(cmd.flags & MOVABLE_KEYS) == movable
    assert cmd.simple_keys == (len(keys) <= 1 and not movable)


@pytest.fixture
def _declared() -> Iterator[None]:
    @command("TEST", arity=-2)
    def container(c: Call, argv: list[bytes]) -> Reply:
        """A container."""

    @command("TEST|SUB", arity=3, flags=WRITE, keys=(KeySpec((RW,), index=2),))
    def sub(c: Call, _: bytes, key: bytes) -> Reply:
        """A subcommand."""

    yield
    del DECLARED[b"test"], DECLARED[b"TEST"]


@pytest.mark.usefixtures("_declared")
def test_a_request_finds_its_command_in_any_case() -> None:
    for words in ([b"test", b"sub", b"k"], [b"TEST", b"SUB", b"k"], [b"tEsT", b"Sub", b"k"]):
        found = lookup(DECLARED, words)
        assert found is not None
        assert found.name == "test|sub"
        assert found.keys_of(words) == [b"k"]
    assert lookup(DECLARED, [b"TEST", b"nosuch"]) is DECLARED[b"test"]
    assert lookup(DECLARED, [b"TEST"]) is DECLARED[b"test"]
    assert lookup(DECLARED, [b"nosuch"]) is None


@pytest.mark.usefixtures("_declared")
def test_a_declaration_is_stored_once() -> None:
    assert [sub.name for sub in distinct(DECLARED[b"test"].subcommands)] == ["test|sub"]
    assert [cmd.name for cmd in distinct(DECLARED) if cmd.name.startswith("test")] == ["test"]
    with pytest.raises(AssertionError, match="declared twice"):
        command("TEST|SUB", arity=2)(print)
