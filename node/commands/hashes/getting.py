"""HGETEX and HGETDEL: fields of a hash are read, and end or go at once (Valkey 9.1)."""

from typing import Final

from gossamer.node.commands.hashes.arguments import fields_at, place_of_fields
from gossamer.node.commands.hashes.ends import TIMES, Option, end_by, read_options
from gossamer.node.commands.hashes.present import seen_at
from gossamer.node.engine.data.changes import HDEL, HEXPIRE, HEXPIRED, HPERSIST
from gossamer.node.engine.serving.call import Call
from gossamer.node.engine.table.command import FAST, HASH, WRITE, command
from gossamer.node.engine.table.keyspec import ACCESS, DELETE, RW, UPDATE, first
from gossamer.node.resp.reply import Reply
from gossamer.node.types.hashes.hash import Hash

FLAGS: Final = WRITE | FAST


@command("HGETDEL", arity=-5, flags=FLAGS, keys=first(RW, ACCESS, DELETE), acl=HASH)
def hgetdel(c: Call, argv: list[bytes]) -> Reply:
    fields = fields_at(argv, 2)
    c.counting = True
    value = c.change(argv[1], Hash)
    out: list[Reply] = []
    count = 0
    for field in fields:
        text = None if value is None else value.get(field, seen_at(c))
        out.append(text)
        if value is not None and text is not None:
            value.remove(field)
            count += 1
    if value is not None and count:
        c.changed(argv[1], value, HDEL, count)
    return out


@command("HGETEX", arity=-5, flags=FLAGS, keys=first(RW, ACCESS, UPDATE), acl=HASH)
def hgetex(c: Call, argv: list[bytes]) -> Reply:
    place = place_of_fields(argv, 2)
    option = read_options(argv[2:place], (*TIMES, b"PERSIST"))
    fields = fields_at(argv, place)
    c.counting = True
    value = c.change(argv[1], Hash)
    at = end_by(c, option, "hgetex")
    if value is None:
        return [None] * len(fields)
    return Getting(c, argv[1], value, option, at).run(fields)


class Getting:
    """HGETEX on a hash that is there; ``at`` is the new end of the fields, if there is to be one."""

    def __init__(self, c: Call, key: bytes, value: Hash, option: Option, at: int) -> None:
        self.c: Call = c
        self.key: bytes = key
        self.value: Hash = value
        self.persists: bool = option.word == b"PERSIST"
        self.element_expires: bool = bool(option.time)
        self.deletes: bool = self.element_expires and at <= c.now and c.server.lazy_expire_deletes
        self.at: int = at
        self.touched: list[bytes] = []
        """The fields that were changed."""

    def run(self, fields: list[bytes]) -> list[bytes | None]:
        now = seen_at(self.c)
        out: list[bytes | None] = []
        for field in fields:
            text = self.value.get(field, now)
            out.append(text)
            if text is not None and self._change(field):
                self.touched.append(field)
        if self.touched:
            self._tell()
        return out

    def _change(self, field: bytes) -> bool:
        """True if something was changed."""
        if self.deletes:
            self.value.remove(field)
        elif self.element_expires:
            self.value.set_end(field, self.at)
        else:
            return self.persists and self.value.persist(field)
        return True

    def _tell(self) -> None:
        c, key, touched = self.c, self.key, self.touched
        count = b"%d" % len(touched)
        if self.deletes:
            c.server.stats.expired_fields += len(touched)
            c.propagate(b"HDEL", key, *touched)
            c.changed(key, self.value, HEXPIRED, len(touched))
        elif self.element_expires:
            c.propagate(b"HPEXPIREAT", key, b"%d" % self.at, b"FIELDS", count, *touched)
            c.expires_within(key, self.value)
            c.changed(key, self.value, HEXPIRE, len(touched))
        else:
            c.propagate(b"HPERSIST", key, b"FIELDS", count, *touched)
            c.changed(key, self.value, HPERSIST, len(touched))
