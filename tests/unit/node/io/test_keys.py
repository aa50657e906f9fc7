"""Key files: what gives a key, and what is refused."""

import os
import stat
from pathlib import Path

import pytest

from gossamer.node.config import Config, ConfigError
from gossamer.node.io import keys
from gossamer.node.io.keys import KEY_FILE, OLD_KEY_FILE, KeyFileError, configured_keys, given_keys, read_key

SECRET = bytes(range(100, 132))


def key_file(tmp_path: Path, content: bytes, name: str = "key", mode: int = 0o600) -> str:
    path = tmp_path / name
    path.write_bytes(content)
    path.chmod(mode)
    return str(path)


def test_raw_and_hexadecimal_are_the_same_key(tmp_path: Path) -> None:
    text = SECRET.hex().encode()
    contents = (SECRET, text, text + b"\n", text.upper())
    names = {read_key(key_file(tmp_path, content)).name for content in contents}
    assert len(names) == 1
    assert read_key(key_file(tmp_path, bytes(32))).name not in names


@pytest.mark.parametrize(
    "content", [b"", SECRET[1:], SECRET + b"\n", SECRET.hex().encode() + b"\n\n", b"g" * 64, bytes(5000)]
)
def test_anything_else_is_refused(tmp_path: Path, content: bytes) -> None:
    path = key_file(tmp_path, content)
    with pytest.raises(KeyFileError, match="a key is 32 bytes") as found:
        read_key(path)
    assert str(found.value).startswith(f"{path}: ")


@pytest.mark.parametrize("mode", [0o604, 0o640, 0o620, 0o602, 0o660, 0o777])
def test_a_file_that_others_may_use_is_refused(tmp_path: Path, mode: int) -> None:
    path = key_file(tmp_path, SECRET, mode=mode)
    with pytest.raises(KeyFileError, match=f"mode {mode:04o}"):
        read_key(path)


@pytest.mark.parametrize("mode", [0o600, 0o400, 0o700])
def test_a_file_of_the_owner_alone_is_taken(tmp_path: Path, mode: int) -> None:
    read_key(key_file(tmp_path, SECRET, mode=mode))


def test_root_may_share_with_the_group_of_the_node(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(os, "geteuid", lambda: 1000)
    assert keys._forbidden(0) & 0o440 == 0
    assert keys._forbidden(0) & 0o024
    assert keys._forbidden(1000) & stat.S_IRGRP
    monkeypatch.setattr(os, "geteuid", lambda: 0)
    assert keys._forbidden(0) & stat.S_IRGRP


def test_what_is_no_file_is_refused(tmp_path: Path) -> None:
    for path in (tmp_path, tmp_path / "missing"):
        with pytest.raises(KeyFileError, match=f"{path}: "):
            read_key(str(path))


def test_directives_say_which_key_seals(tmp_path: Path) -> None:
    new, old = key_file(tmp_path, SECRET), key_file(tmp_path, bytes(32), "old")
    config = Config()
    assert configured_keys(config).seals is None
    config.load(KEY_FILE, [new])
    config.load(OLD_KEY_FILE, [old])
    found = configured_keys(config)
    assert found.seals is not None
    assert [key.name for key in found.opens] == [read_key(new).name, read_key(old).name]
    assert found.seals.name == read_key(new).name
    assert given_keys([new, old]).opens[0].name == read_key(new).name
    config.load(OLD_KEY_FILE, [f"{old}.missing"])
    with pytest.raises(ConfigError, match=f"{OLD_KEY_FILE}: {old}.missing: No such file"):
        configured_keys(config)
