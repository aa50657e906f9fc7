"""What a key of any type holds, asked of a node by commands, beside what a real server told of it (``recorded.py``).

The two are equal where the contents are. Order counts in lists, sorted sets and streams alone.
"""

import hashlib
from base64 import b64decode
from collections.abc import Sequence
from typing import Any, Final, TypeAlias

from gossamer.node.engine.table.command import DECLARED
from gossamer.node.persist.form import Elements
from gossamer.node.persist.source import Source
from gossamer.node.persist.values import read_value
from gossamer.node.types.kind import Value
from tests.compat.replies import Answer, read_answer
from tests.unit.node.commands.one import One

Content: TypeAlias = object
Told: TypeAlias = dict[str, Any]

ASKED_BY: Final = {
    "string": "GET",
    "list": "LRANGE",
    "set": "SMEMBERS",
    "hash": "HGETALL",
    "zset": "ZRANGE",
    "stream": "XINFO",
}
TYPES: Final = frozenset(kind for kind, name in ASKED_BY.items() if name.encode() in DECLARED)
"""Types of data that we have."""


# --- what we say


def read_whole(source: Source, code: int) -> Value:
    """The value of type ``code`` in ``source``, with all its elements."""
    value = read_value(source, code)
    if not isinstance(value, Elements):
        return value
    while value.left:
        value.step(source)
    return value.value


def ask(one: One, *words: bytes | str | int) -> Answer:
    return read_answer(one.say(*words))[0]


def held(one: One, key: bytes, told: Told) -> Content:
    """The content of ``key`` on ``one``, as far as ``told`` speaks of it."""
    kind = told["type"]
    assert ask(one, "TYPE", key).text.decode() == kind
    match kind:
        case "string":
            return text_told(told) if same_text(told, ask(one, "GET", key).text) else "another string"
        case "list":
            return [item.text for item in ask(one, "LRANGE", key, 0, -1).items]
        case "set":
            members = sorted(item.text for item in ask(one, "SMEMBERS", key).items)
            return members if "members_b64" in told else len(set(members))
        case "hash":
            return pairs(ask(one, "HGETALL", key)), field_ends(one, key, told)
        case "zset":
            scored = ask(one, "ZRANGE", key, 0, -1, "WITHSCORES").items
            return [(item.text, float(score.text)) for item, score in zip(scored[::2], scored[1::2], strict=True)]
        case "stream":
            return stream_held(ask(one, "XINFO", "STREAM", key, "FULL", "COUNT", 0), told["stream"])
    raise AssertionError(kind)


def pairs(answer: Answer) -> dict[bytes, bytes]:
    texts = [item.text for item in answer.items]
    return dict(zip(texts[::2], texts[1::2], strict=True))


def field_ends(one: One, key: bytes, told: Told) -> dict[bytes, int]:
    """When fields end that do, in unix milliseconds."""
    if "field_pexpireat_ms" not in told:
        return {}
    fields = [b64decode(field) for field in told["fields"]]
    ends = ask(one, "HPEXPIRETIME", key, "FIELDS", len(fields), *fields).items
    return {field: end.number for field, end in zip(fields, ends, strict=True) if end.number != -1}


def stream_held(full: Answer, told: Told) -> Content:
    facts = named(full)
    return (
        *(plain(facts[name.encode()]) for name in STREAM_FACTS),
        [(entry.items[0].text, [word.text for word in entry.items[1].items]) for entry in facts[b"entries"].items],
        [group_held(named(group), said) for group, said in zip(facts[b"groups"].items, told["groups"], strict=True)],
    )


def group_held(facts: dict[bytes, Answer], told: Told) -> Content:
    return (
        *(plain(facts[name]) for name in (b"name", b"last-delivered-id", b"entries-read", b"lag")),
        rows(facts[b"pending"]),
        sorted(
            (
                named(consumer)[b"name"].text,
                named(consumer)[b"seen-time"].number,
                active(plain(named(consumer)[b"active-time"]), said),
                rows(named(consumer)[b"pending"]),
            )
            for consumer, said in zip(facts[b"consumers"].items, told["consumers"], strict=True)
        ),
    )


def named(answer: Answer) -> dict[bytes, Answer]:
    return {name.text: value for name, value in zip(answer.items[::2], answer.items[1::2], strict=True)}


def plain(answer: Answer) -> object:
    return answer.content


def rows(answer: Answer) -> list[tuple[object, ...]]:
    return [tuple(plain(cell) for cell in row.items) for row in answer.items]


# --- what they said

STREAM_FACTS: Final = (
    "length",
    "last-generated-id",
    "max-deleted-entry-id",
    "entries-added",
    "recorded-first-entry-id",
)


def said(told: Told) -> Content:
    """The content that ``told`` speaks of, as ``held`` gives it."""
    match told["type"]:
        case "string":
            return text_told(told)
        case "list":
            return texts(told["items_b64"])
        case "set":
            return sorted(texts(told["members_b64"])) if "members_b64" in told else told["members_b64_count"]
        case "hash":
            fields = {b64decode(field): b64decode(value) for field, value in told["fields"].items()}
            return fields, {b64decode(field): end for field, end in told.get("field_pexpireat_ms", {}).items()}
        case "zset":
            return [(b64decode(member), float(score)) for member, score in told["members"]]
        case "stream":
            return stream_said(told["stream"])
    raise AssertionError(told["type"])


def text_told(told: Told) -> Content:
    """A string, or length and hash of a long one."""
    return b64decode(told["value_b64"]) if "value_b64" in told else (told["value_len"], told["value_sha256"])


def same_text(told: Told, value: bytes) -> bool:
    return text_told(told) in (value, (len(value), hashlib.sha256(value).hexdigest()))


def texts(coded: Sequence[str]) -> list[bytes]:
    return [b64decode(item) for item in coded]


def stream_said(told: Told) -> Content:
    return (
        *(cell(told[name]) for name in STREAM_FACTS),
        [(cell(number), texts(words)) for number, words in told["entries"]],
        [group_said(group) for group in told["groups"]],
    )


def group_said(told: Told) -> Content:
    return (
        b64decode(told["name_b64"]),
        *(cell(told[name]) for name in ("last-delivered-id", "entries-read", "lag")),
        [(cell(number), b64decode(consumer), *rest) for number, consumer, *rest in told["pel"]],
        sorted(
            (
                b64decode(consumer["name_b64"]),
                consumer["seen-time"],
                active(consumer.get("active-time"), consumer),
                [(cell(number), *rest) for number, *rest in consumer["pel"]],
            )
            for consumer in told["consumers"]
        ),
    )


def active(time: object, told: Told) -> object:
    """When a consumer last got something. Servers before Redis 7.2 do not know, so theirs is not compared."""
    return time if told.get("active-time") is not None else None


def cell(value: object) -> object:
    return value.encode() if isinstance(value, str) else value
