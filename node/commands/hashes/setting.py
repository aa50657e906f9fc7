"""HSETEX: fields of a hash are set together with their ends, all of them or none (Valkey 9.1)."""

from gossamer.node.commands.hashes.arguments import fields_at, place_of_fields
from gossamer.node.commands.hashes.ends import TIMES, Option, end_by, read_options
from gossamer.node.commands.hashes.present import drop_if_over, seen_at
from gossamer.node.engine.data.changes import DEL, HEXPIRE, HEXPIRED, HSET
from gossamer.node.engine.serving.call import Call
from gossamer.node.engine.table.command import DENYOOM, FAST, HASH, WRITE, command
from gossamer.node.engine.table.keyspec import INSERT, RW, first
from gossamer.node.resp.errors import SYNTAX, Refusal
from gossamer.node.resp.reply import Reply
from gossamer.node.types.hashes.hash import Hash


@command("HSETEX", arity=-6, flags=WRITE | DENYOOM | FAST, keys=first(RW, INSERT), acl=HASH)
def hsetex(c: Call, argv: list[bytes]) -> Reply:
    key = argv[1]
    place = place_of_fields(argv, 2)
    conditions = Conditions()
    option = read_options(conditions.taken_from(argv[2:place]), (*TIMES, b"KEEPTTL"))
    texts = fields_at(argv, place, width=2)
    value = c.change(key, Hash)
    if not conditions.allow_key(value):
        return 0
    at = end_by(c, option, "hsetex")
    if not conditions.allow_fields(value, texts, seen_at(c)):
        return 0
    if option.time and at <= c.now and c.server.lazy_expire_deletes:
        set_and_expire(c, key, value, texts)
    else:
        set_until(c, key, value if value is not None else Hash(), texts, option, at)
    return 1


class Conditions:
    """NX and XX ask for the key, FNX and FXX for the fields: none or all of them are there."""

    def __init__(self) -> None:
        self.key: bytes = b""
        self.fields: bytes = b""

    def taken_from(self, words: list[bytes]) -> list[bytes]:
        """The other words. Refusal if the conditions among them contradict each other."""
        rest: list[bytes] = []
        for text in words:
            word = text.upper()
            if word in (b"NX", b"XX"):
                self.key = one_of(self.key, word)
            elif word in (b"FNX", b"FXX"):
                self.fields = one_of(self.fields, word)
            else:
                rest.append(text)
        return rest

    def allow_key(self, value: Hash | None) -> bool:
        return not self.key or (value is None) == (self.key == b"NX")

    def allow_fields(self, value: Hash | None, texts: list[bytes], now: int) -> bool:
        if not self.fields:
            return True
        for field in texts[::2]:
            there = value is not None and value.get(field, now) is not None
            if there == (self.fields == b"FNX"):
                return False
        return True


def one_of(before: bytes, word: bytes) -> bytes:
    if before and before != word:
        raise Refusal(SYNTAX)
    return word


def set_until(c: Call, key: bytes, value: Hash, texts: list[bytes], option: Option, at: int) -> None:
    """Fields and values in turn; the fields end ``at``, if ``option`` says that they end."""
    over: list[bytes] = []
    for place in range(0, len(texts), 2):
        field = texts[place]
        if drop_if_over(c, key, value, field):
            over.append(field)
        value.put(field, texts[place + 1], c.server.encodings)
        if option.time:
            value.set_end(field, at)
        elif option.word != b"KEEPTTL":
            value.persist(field)
    words = [b"PXAT", b"%d" % at] if option.time else []
    if option.word == b"KEEPTTL":
        words = [b"KEEPTTL"]
        if over:  # their ends must not be kept
            c.propagate(b"HDEL", key, *over)
    c.propagate(b"HSETEX", key, *words, b"FIELDS", b"%d" % (len(texts) // 2), *texts)
    if option.time:
        c.also(key, HSET)
    c.replace(key, value, HEXPIRE if option.time else HSET, len(texts) // 2)
    if option.time:
        c.expires_within(key, value)


def set_and_expire(c: Call, key: bytes, value: Hash | None, texts: list[bytes]) -> None:
    """The end of the fields is past: they are deleted, and clients are told of each step."""
    c.also(key, HSET)
    c.also(key, HEXPIRE)
    gone = [] if value is None else [field for field in texts[::2] if value.remove(field)]
    c.server.stats.expired_fields += len(texts) // 2
    if value is not None and gone:
        c.propagate(b"HDEL", key, *gone)
        c.changed(key, value, HEXPIRED, len(gone))
        return
    c.also(key, HEXPIRED)
    if value is None:
        c.also(key, DEL)
