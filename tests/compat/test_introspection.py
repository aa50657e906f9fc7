"""COMMAND and its subcommands answer as redis-server does, in both protocols, for every command that we have.

The texts that are our own (summaries, complexities, remarks on key specs and on history) are blanked, and sets compared
in any order; the kinds, the nesting, the fields and their order are the server's.
"""

from typing import Literal

import pytest

import gossamer.node.commands
from gossamer.node.commands.introspection import everything
from gossamer.node.engine.table.command import DECLARED, distinct
from tests.compat.pair import Pair, Talk
from tests.compat.replies import Answer, in_any_order
from tests.tidy.reference import REFERENCE
from tests.tidy.test_command_table import DIFFERENT

assert gossamer.node.commands, "importing the package fills the table"

Protocol = Literal[2, 3]
PROTOCOLS: tuple[Protocol, Protocol] = (2, 3)
COMMON = sorted(cmd.name for cmd in everything(DECLARED) if cmd.name in REFERENCE)
OF_INFO = {"acl_categories", "arity", "flags", "key_specs", "tips"}
"""What COMMAND INFO tells; the rest stands in COMMAND DOCS."""
OTHER_INFO = {name for name, field in DIFFERENT if field in OF_INFO}
OTHER_DOCS = {name for name, field in DIFFERENT if field not in OF_INFO}
"""Commands that differ on purpose."""
SUBCOMMANDS = 9
"""Where COMMAND INFO has them: a container of theirs may hold some that we do not have."""


@pytest.fixture(params=PROTOCOLS)
def talk(pair: Pair, request: pytest.FixtureRequest) -> Talk:
    pair.flush()
    return pair.in_protocol(request.param)


def blank(answer: Answer, fields: dict[bytes, int]) -> Answer:
    """``answer`` without its free texts: the value of each field named, or what is that deep in it, becomes empty."""
    if not isinstance(answer.content, tuple):
        return answer
    items = list(answer.items)
    for at, item in enumerate(items):
        named = items[at - 1].content if at else None
        if named in fields and items[at - 1].kind == "bulk" and isinstance(named, bytes):
            items[at] = emptied(item, fields[named])
        else:
            items[at] = blank(item, fields)
    return Answer(answer.kind, tuple(items))


def emptied(answer: Answer, depth: int) -> Answer:
    """A text becomes empty; of history's entries only the second element, the remark."""
    if depth == 0:
        return Answer(answer.kind, b"")
    entries = [Answer(entry.kind, (entry.items[0], emptied(entry.items[1], 0))) for entry in answer.items]
    return Answer(answer.kind, tuple(entries))


def info(answer: Answer) -> Answer:
    """COMMAND INFO of one command without its subcommands and with its key specs' remarks blank."""
    (entry,) = answer.items
    items = list(entry.items)
    items[SUBCOMMANDS] = Answer(items[SUBCOMMANDS].kind, ())
    return blank(Answer("array", tuple(items)), {b"notes": 0})


def docs(answer: Answer) -> Answer:
    """COMMAND DOCS of one command without its subcommands and what 7.2 adds to arguments, remarks blank."""
    name, record = answer.items
    fields = list(record.items)
    if Answer("bulk", b"subcommands") in fields[::2]:
        at = fields[::2].index(Answer("bulk", b"subcommands")) * 2
        fields[at + 1] = Answer(fields[at + 1].kind, ())
    record = blank(Answer(record.kind, tuple(fields)), {b"summary": 0, b"complexity": 0, b"history": 1})
    return Answer(answer.kind, (name, without_display_text(record)))


def without_display_text(answer: Answer) -> Answer:
    if not isinstance(answer.content, tuple):
        return answer
    items = list(map(without_display_text, answer.content))
    if Answer("bulk", b"display_text") in items[::2]:
        at = items[::2].index(Answer("bulk", b"display_text")) * 2
        del items[at : at + 2]
    return Answer(answer.kind, tuple(items))


@pytest.mark.parametrize("name", sorted(set(COMMON) - OTHER_INFO))
def test_command_info(talk: Talk, name: str) -> None:
    talk.same("COMMAND", "INFO", name, normal=info)


@pytest.mark.parametrize("name", sorted(set(COMMON) - OTHER_DOCS))
def test_command_docs(talk: Talk, name: str) -> None:
    talk.same("COMMAND", "DOCS", name.upper(), normal=docs)


def test_without_names_every_command_is_told(talk: Talk) -> None:
    names = {cmd.name.encode() for cmd in distinct(DECLARED)}
    for words in (("COMMAND",), ("COMMAND", "INFO")):
        _, ours = talk.both(*words)
        assert {entry.items[0].text for entry in ours.items} == names
    _, ours = talk.both("COMMAND", "DOCS")
    assert {name.text for name in ours.items[::2]} == names
    _, ours = talk.both("COMMAND", "COUNT")
    assert ours.number == len(names)
    _, ours = talk.both("COMMAND", "LIST")
    assert {name.text for name in ours.items} == {cmd.name.encode() for cmd in everything(DECLARED)}


@pytest.mark.parametrize(
    "words",
    [
        "INFO nosuch",
        "INFO get|x",
        "INFO command|nosuch",
        "INFO command|list|x",
        "INFO |",
        "INFO Command|LIST",
        "DOCS nosuch",
        "DOCS get|x",
        "HELP",
        "HELP x",
        "COUNT x",
        "nosuch",
        "LIST FILTERBY ACLCAT nosuch",
        "LIST FILTERBY MODULE nosuch",
        "LIST FILTERBY PATTERN nosuch*",
        "LIST filterby pattern GET",
        "LIST FILTERBY",
        "LIST FILTERBY PATTERN",
        "LIST FILTERBY nosuch x",
        "LIST nosuch",
        "LIST a b c",
        "LIST FILTERBY PATTERN ge? x",
        "LIST FILTERBY PATTERN nosuch FILTERBY PATTERN nosuch",
        "GETKEYS",
        "GETKEYS get k",
        "GETKEYS GET a b",
        "GETKEYS nosuch k",
        "GETKEYS command list",
        "GETKEYS command nosuch",
        "GETKEYS command|list x",
        "GETKEYS set k v get",
        "GETKEYSANDFLAGS get k",
        "GETKEYSANDFLAGS set k v",
        "GETKEYSANDFLAGS set k v get",
        "GETKEYSANDFLAGS set k get ex 10",
        "GETKEYSANDFLAGS set k v ex 10 GeT",
        "GETKEYSANDFLAGS",
    ],
)
def test_command_family(talk: Talk, words: str) -> None:
    talk.same("COMMAND", *words.split())


@pytest.mark.parametrize("category", ["STRING", "transaction", "bitmap"])
def test_lists_of_categories_whose_commands_we_all_have(talk: Talk, category: str) -> None:
    talk.same("COMMAND", "LIST", "FILTERBY", "ACLCAT", category, normal=in_any_order)


@pytest.mark.parametrize("pattern", ["get*", "COMMAND|*", "c?mm[a-b]nd*t*", "expire*"])
def test_lists_by_pattern(talk: Talk, pattern: str) -> None:
    talk.same("COMMAND", "LIST", "FILTERBY", "PATTERN", pattern, normal=in_any_order)


@pytest.mark.parametrize(
    "request_",
    [
        "mget a b",
        "mset a 1 b 2",
        "mset a",
        "mset a 1 b",
        "lcs a b len",
        "bitop and d a b",
        "bitfield a get u8 0",
        "bitfield a set u8 0 1",
        "bitfield a overflow fail incrby u8 0 1",
        "bitfield a overflow set get u8 0",
        "bitfield a get u8 0 nosuch",
        "bitfield a",
        "bitfield_ro a get u8 0",
        "getex a",
        "copy a b",
        "rename a b",
        "del a b a",
        "object encoding a",
        "object nosuch a",
        "memory usage a samples 5",
        "watch a b",
        "exec x",
        "config get a",
        "debug object a",
        "cluster keyslot a",
        "scan 0 x",
    ],
)
def test_keys_of_requests(talk: Talk, request_: str) -> None:
    talk.same("COMMAND", "GETKEYS", *request_.split())
    talk.same("COMMAND", "GETKEYSANDFLAGS", *request_.split())
