"""Backups for tests, made of recorded RDB files."""

import hashlib
from pathlib import Path

from gossamer.deploy.backup.folder import Folder
from gossamer.deploy.backup.manifest import Manifest, Origin, Shard
from tests.unit.node.persist.recorded import VECTORS

RDB = VECTORS / "rdb" / "redis-7.0.15"
HALVES = (((0, 8191),), ((8192, 16383),))


def make(path: Path, *names: str) -> Manifest:
    """A backup in ``path`` of one or two shards, each with the data of a file."""
    shards = []
    with Folder(path) as folder:
        for number, (name, slots) in enumerate(zip(names, HALVES, strict=False), 1):
            data = (RDB / f"{name}.rdb").read_bytes()
            file = f"shard-{number}.rdb"
            folder.partial(file).write_bytes(data)
            origin = Origin(f"127.0.0.1:{number}", "redis 7.0.15", str(number) * 40, "", number)
            digest = hashlib.sha256(data).hexdigest()
            shards.append(
                Shard(file, len(data), digest, slots, {0: 5}, 1, 0, "Redis 10", "a" * 40, 1 << 40, origin),
            )
        manifest = Manifest("Gossamer", "2026-01-01T00:00:00Z", "2026-01-01T00:00:01Z", True, "", tuple(shards))
        folder.commit(manifest)
    return manifest
