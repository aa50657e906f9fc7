"""A hash as commands: HSET with a step's fields and values, then HPEXPIREAT for those that expire."""

from gossamer.node.resp.requests import encoded
from gossamer.node.types.hashes.hash import Hash
from gossamer.node.types.kind import DONE, Value


def words(key: bytes, value: Value, expire: int, at: int) -> tuple[bytes, int]:
    assert isinstance(value, Hash)
    texts, at = value.pairs(at)
    out = [encoded([b"HSET", key, *texts])]
    if value.expires:
        for end, fields in by_end(value, texts).items():
            out.append(encoded([b"HPEXPIREAT", key, b"%d" % end, b"FIELDS", b"%d" % len(fields), *fields]))
    if at == DONE and expire >= 0:
        out.append(encoded([b"PEXPIREAT", key, b"%d" % expire]))
    return b"".join(out), at


def by_end(value: Hash, texts: list[bytes]) -> dict[int, list[bytes]]:
    """The fields among ``texts``, fields and values in turn, that expire: by when they do."""
    found: dict[int, list[bytes]] = {}
    for field in texts[::2]:
        end = value.end(field)
        if end >= 0:
            found.setdefault(end, []).append(field)
    return found
