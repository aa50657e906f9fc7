"""What a backup says of itself: ``manifest.json``, text ⇄ values. The format is described in docs/backup.md.

The manifest carries a checksum of its own, so a byte of it that has changed is found like one of the data.
"""

import hashlib
import json
import re
from typing import Final, TypeVar

from attrs import frozen

from gossamer.cluster.slots import SLOTS
from gossamer.cluster.text import bytes_of

NAME: Final = "manifest.json"
FORMAT: Final = "gossamer backup"
VERSION: Final = 1
FILE: Final = re.compile(r"shard-[1-9][0-9]{0,4}\.rdb")
DIGEST: Final = re.compile(r"[0-9a-f]{64}")

T = TypeVar("T")
Ranges = tuple[tuple[int, int], ...]


class ManifestError(Exception):
    """The text is no manifest of a backup, or has changed since; the text says why."""


@frozen
class Origin:
    """The node that a shard was taken from. ``primary``: the id of the one it followed, empty if it was one itself;
    ``id`` is empty and ``epoch`` 0 outside of a cluster. ``server``: name and version of the program."""

    address: str
    server: str
    id: str = ""
    primary: str = ""
    epoch: int = 0


@frozen
class Shard:
    """One file. ``slots``: closed ranges, ascending, none outside of a cluster. ``keys``: how many, by database; of
    all of them ``expire`` end one day. ``replid`` and ``offset``: where in the stream of its primary it stands.
    ``rdb``: the version of the format, ``Redis 10``."""

    file: str
    size: int
    sha256: str
    slots: Ranges
    keys: dict[int, int]
    expire: int
    functions: int
    rdb: str
    replid: str
    offset: int
    origin: Origin


@frozen
class Manifest:
    """``began`` and ``ended``: UTC, ISO 8601. ``identity``: of the cluster, empty if it has none."""

    program: str
    began: str
    ended: str
    clustered: bool
    identity: str
    shards: tuple[Shard, ...]

    @property
    def size(self) -> int:
        return sum(shard.size for shard in self.shards)

    @property
    def keys(self) -> int:
        return sum(sum(shard.keys.values()) for shard in self.shards)


def write(manifest: Manifest) -> str:
    """The text of the file."""
    told: dict[str, object] = {
        "format": FORMAT,
        "version": VERSION,
        "program": manifest.program,
        "began": manifest.began,
        "ended": manifest.ended,
        "cluster": {"identity": manifest.identity or None} if manifest.clustered else None,
        "shards": [_shard(shard) for shard in manifest.shards],
    }
    return json.dumps({**told, "checksum": checksum(told)}, indent=2) + "\n"


def checksum(told: dict[str, object]) -> str:
    """SHA-256 of all but the checksum, in JSON without white space, members by name, ASCII only."""
    return hashlib.sha256(bytes_of(json.dumps(told, sort_keys=True, separators=(",", ":")))).hexdigest()


def _shard(shard: Shard) -> dict[str, object]:
    origin = shard.origin
    return {
        "file": shard.file,
        "bytes": shard.size,
        "sha256": shard.sha256,
        "slots": [list(pair) for pair in shard.slots],
        "keys": {str(db): count for db, count in shard.keys.items()},
        "expire": shard.expire,
        "functions": shard.functions,
        "rdb": shard.rdb,
        "replication": {"id": shard.replid, "offset": shard.offset},
        "node": {
            "address": origin.address,
            "server": origin.server,
            "id": origin.id or None,
            "primary": origin.primary or None,
            "config_epoch": origin.epoch,
        },
    }


def parse(text: str | bytes) -> Manifest:
    """ManifestError if it is none, or not as it was written."""
    try:
        told = json.loads(text)
    except (ValueError, RecursionError) as error:
        raise ManifestError(f"it is not JSON: {error}") from None
    if not isinstance(told, dict) or told.get("format") != FORMAT:
        raise ManifestError(f'it is something else: "format" is not "{FORMAT}"')
    if told.get("version") != VERSION:
        raise ManifestError(f"its version is {told.get('version')!r}; this program reads version {VERSION}")
    if told.pop("checksum", None) != checksum(told):
        raise ManifestError("it has changed since it was written: its checksum is wrong")
    cluster = _optional(told, "cluster", dict)
    shards = tuple(_read_shard(shard) for shard in _get(told, "shards", list))
    if len({shard.file for shard in shards}) != len(shards):
        raise ManifestError("a file occurs twice")
    identity = _optional(cluster, "identity", str) or "" if cluster is not None else ""
    return Manifest(
        _get(told, "program", str),
        _get(told, "began", str),
        _get(told, "ended", str),
        cluster is not None,
        identity,
        shards,
    )


def _read_shard(told: object) -> Shard:
    node, stream = _get(told, "node", dict), _get(told, "replication", dict)
    file, sha256 = _get(told, "file", str), _get(told, "sha256", str)
    if not FILE.fullmatch(file):
        raise ManifestError(f"{file!r} is no name of a file in a backup")
    if not DIGEST.fullmatch(sha256):
        raise ManifestError(f"{sha256!r} is no SHA-256")
    keys = _get(told, "keys", dict)
    if not all(db.isdigit() and isinstance(count, int) for db, count in keys.items()):
        raise ManifestError(f'"keys" of {file} are no numbers')
    return Shard(
        file,
        _get(told, "bytes", int),
        sha256,
        _ranges(_get(told, "slots", list)),
        {int(db): count for db, count in keys.items()},
        _get(told, "expire", int),
        _get(told, "functions", int),
        _get(told, "rdb", str),
        _get(stream, "id", str),
        _get(stream, "offset", int),
        Origin(
            _get(node, "address", str),
            _get(node, "server", str),
            _optional(node, "id", str) or "",
            _optional(node, "primary", str) or "",
            _get(node, "config_epoch", int),
        ),
    )


def _ranges(told: list[object]) -> Ranges:
    out: list[tuple[int, int]] = []
    for pair in told:
        match pair:
            case [int(first), int(last)] if 0 <= first <= last < SLOTS:
                out.append((first, last))
            case _:
                raise ManifestError(f"{pair!r} is no range of slots")
    return tuple(out)


def _get(told: object, name: str, kind: type[T]) -> T:
    value = told.get(name) if isinstance(told, dict) else None
    if not isinstance(value, kind):
        raise ManifestError(f'"{name}" is missing, or is no {kind.__name__}')
    return value


def _optional(told: object, name: str, kind: type[T]) -> T | None:
    """None where that is what is told."""
    return None if isinstance(told, dict) and told.get(name, 0) is None else _get(told, name, kind)
