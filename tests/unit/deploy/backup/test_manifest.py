"""The manifest comes back as it was written, and nothing else is taken for one."""

import json
from pathlib import Path

import pytest

from gossamer.deploy.backup.manifest import ManifestError, checksum, parse, write
from tests.unit.deploy.backup.made import make


def test_what_was_written_is_read(tmp_path: Path) -> None:
    manifest = make(tmp_path / "b", "strings", "sets")
    assert parse((tmp_path / "b" / "manifest.json").read_text()) == manifest
    assert parse(write(manifest)) == manifest


def test_any_byte_that_changes_is_noticed(tmp_path: Path) -> None:
    make(tmp_path / "b", "strings")
    text = (tmp_path / "b" / "manifest.json").read_bytes()
    meant = json.loads(text)
    for at in range(len(text)):
        other = text[:at] + bytes([text[at] ^ 1]) + text[at + 1 :]
        try:
            parse(other)
        except ManifestError:
            continue
        assert json.loads(other) == meant, f"byte {at}: the text changed without its meaning"


@pytest.mark.parametrize(
    ("change", "told"),
    [
        ({"format": "something"}, "something else"),
        ({"version": 2}, "its version is 2"),
        ({"shards": None}, '"shards" is missing'),
        ({"shards": [1]}, '"node" is missing'),
        ({"program": 1}, '"program" is missing'),
        ({"cluster": 1}, '"cluster" is missing'),
    ],
)
def test_what_is_sealed_but_wrong_is_refused(tmp_path: Path, change: dict[str, object], told: str) -> None:
    make(tmp_path / "b", "strings")
    meant = json.loads((tmp_path / "b" / "manifest.json").read_text()) | change
    del meant["checksum"]
    with pytest.raises(ManifestError, match=told):
        parse(json.dumps(meant | {"checksum": checksum(meant)}))


@pytest.mark.parametrize(
    ("change", "told"),
    [
        ({"file": "../shard-1.rdb"}, "no name of a file"),
        ({"sha256": "x"}, "no SHA-256"),
        ({"slots": [[1, 99999]]}, "no range of slots"),
        ({"slots": [[2, 1]]}, "no range of slots"),
        ({"keys": {"0": "many"}}, "no numbers"),
        ({"bytes": None}, '"bytes" is missing'),
    ],
)
def test_a_shard_that_is_wrong_is_refused(tmp_path: Path, change: dict[str, object], told: str) -> None:
    make(tmp_path / "b", "strings")
    meant = json.loads((tmp_path / "b" / "manifest.json").read_text())
    del meant["checksum"]
    meant["shards"][0] |= change
    with pytest.raises(ManifestError, match=told):
        parse(json.dumps(meant | {"checksum": checksum(meant)}))


@pytest.mark.parametrize("text", ["", "{", "[]", "7", "null", '{"format": "x"}', "\x00", "[" * 100_000])
def test_other_texts_are_no_manifests(text: str) -> None:
    with pytest.raises(ManifestError):
        parse(text)
