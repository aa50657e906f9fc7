"""Files at rest, sealed, on real disks: nothing of the data can be read there, and whatever is changed is found."""

import os
import secrets
import shutil
import struct
from pathlib import Path

import pytest

from gossamer.node.io.keys import Keys, read_key
from gossamer.node.persist.sealed.form import CHUNK_HEAD_SIZE, GROWING, RUN_SIZE, SALT_SIZE, is_sealed
from gossamer.node.persist.sealed.sealer import Sealer
from tests.integration.clusters import OK, demand, wait_until
from tests.integration.every_type import FAR_MS, fields_that_end, fill, put
from tests.integration.nodes import READY, Node, Nodes
from tests.integration.test_aof_file import APPENDS, DEBUG, files_of, folder_of, lose_nothing, manifest_of, rewrite
from tests.integration.test_full_disk import fill as fill_disk
from tests.integration.test_full_disk import small_disk

WORD = "topsecret"
ALWAYS = (*APPENDS, "--appendfsync", "always")
"""Each request that was answered is in the file, as a chunk."""
KEY, OLD_KEY = "encrypt-at-rest-key-file", "encrypt-at-rest-old-key-file"
INCR = "appendonly.aof.1.incr.aof"


def new_key(node: Node, name: str = "the.key", text: bool = False) -> Path:
    path = node.home / name
    path.write_bytes(secrets.token_hex(32).encode() + b"\n" if text else secrets.token_bytes(32))
    path.chmod(0o600)
    return path


def sealed(nodes: Nodes, *options: str, name: str = KEY) -> Node:
    node = nodes.make(*options)
    node.options += [f"--{name}", str(new_key(node))]
    return node


def set_options(node: Node, **options: Path | None) -> None:
    """``key`` and ``old``: what these directives say from the next start on; None: nothing."""
    for word, name in (("key", KEY), ("old", OLD_KEY)):
        if f"--{name}" in node.options:
            at = node.options.index(f"--{name}")
            del node.options[at : at + 2]
        path = options.get(word)
        if path is not None:
            node.options += [f"--{name}", str(path)]


def data_files(node: Node) -> list[Path]:
    found = [path for path in folder_of(node).glob("*") if path.suffix not in (".manifest", ".lock")]
    return found + [path for path in (node.home / "dump.rdb",) if path.exists()]


def words_of_every_type() -> list[list[str]]:
    return [
        ["SET", f"{WORD}:string", f"{WORD} text"],
        ["RPUSH", "list", f"{WORD} element", *(f"{WORD}:{n}" for n in range(300))],
        ["SADD", "set", f"{WORD} member", *(f"{WORD}:{n}" for n in range(300))],
        ["ZADD", "zset", "1.5", f"{WORD} scored"],
        ["HSET", f"{WORD}:hash", f"{WORD} field", f"{WORD} value"],
        ["XADD", "stream", "1-1", f"{WORD} field", f"{WORD} value"],
        ["XGROUP", "CREATE", "stream", f"{WORD} group", "0"],
        ["SET", "compressed", f"{WORD} " * 100],
        ["HSET", "fields", f"{WORD} ends", f"{WORD} value"],
        ["HPEXPIREAT", "fields", f"{FAR_MS}", "FIELDS", "1", f"{WORD} ends"],
    ]


def fails_to_start(node: Node) -> str:
    """Its log; it ends with status 1, and has changed none of its files."""
    before = {path: path.read_bytes() for path in data_files(node)}
    node.launch()
    assert node.wait_end() == 1
    assert READY not in node.log()
    assert "Traceback" not in node.log()
    assert {path: path.read_bytes() for path in data_files(node)} == before
    return node.log()


def chunks_of(data: bytes) -> list[tuple[int, int]]:
    """Begin and end of each chunk of the first run."""
    at = RUN_SIZE
    found: list[tuple[int, int]] = []
    while at < len(data) and data[at : at + 1] in b"CL":
        (length,) = struct.unpack_from(">I", data, at + 9)
        found.append((at, at + CHUNK_HEAD_SIZE + length + 16))
        at = found[-1][1]
    return found


# --- what is on the disk


@pytest.mark.parametrize("preamble", ["yes", "no"])
def test_no_file_shows_a_value(nodes: Nodes, preamble: str) -> None:
    node = sealed(nodes, *ALWAYS, "--aof-use-rdb-preamble", preamble)
    node.start()
    put(node, iter(words_of_every_type()))
    rewrite(node)
    put(node, iter(words_of_every_type()[:1]))
    demand(node, "SAVE")
    demand(node, "SET", "later", f"{WORD} later")
    before = node.ask("DEBUG", "DIGEST")
    node.kill()
    files = data_files(node)
    assert {path.suffix for path in files} == {".rdb", ".aof"}
    for path in node.home.rglob("*"):
        if path.is_file():
            assert WORD.encode() not in path.read_bytes(), path
    assert all(is_sealed(path.read_bytes()) for path in files)
    node.start()
    assert node.ask("DEBUG", "DIGEST") == before
    assert node.ask("GET", "later").text == f"{WORD} later".encode()


def test_an_rdb_file_comes_back_too(nodes: Nodes) -> None:
    node = sealed(nodes, *DEBUG)
    node.start()
    put(node, fill())
    put(node, fields_that_end())
    assert node.ask("BGSAVE").text == b"Background saving started"
    wait_until(lambda: (node.home / "dump.rdb").exists(), "it is saved")
    before = node.ask("DEBUG", "DIGEST")
    node.kill()
    node.start()
    assert node.ask("DEBUG", "DIGEST") == before


def test_the_sizes_that_info_tells_are_those_of_the_files(nodes: Nodes) -> None:
    node = sealed(nodes, *ALWAYS)
    node.start()

    def sizes() -> tuple[int, int]:
        lines = node.ask("INFO", "persistence").text.decode().splitlines()
        told = dict(line.split(":", 1) for line in lines if ":" in line)
        return int(told["aof_base_size"]), int(told["aof_current_size"])

    for turn in range(2):
        put(node, fill(f":{turn}"))
        rewrite(node)
        put(node, fill(f":{turn}:later"))
        for _ in range(2):
            (base,) = folder_of(node).glob("*.base.rdb")
            assert sizes() == (base.stat().st_size, sum(path.stat().st_size for path in data_files(node)))
            node.kill()
            node.start()


# --- a node that is killed


def test_with_always_nothing_that_was_answered_is_lost(nodes: Nodes) -> None:
    node = sealed(nodes, *ALWAYS)
    node.start()
    lose_nothing(node, [False, True, False, True])


@pytest.mark.parametrize("may_cut", ["yes", "no"])
def test_a_torn_end_is_cut_back_or_refused_as_in_a_plain_file(nodes: Nodes, may_cut: str) -> None:
    node = sealed(nodes, *ALWAYS, "--aof-load-truncated", may_cut)
    node.start()
    for number in range(5):
        demand(node, "SET", f"k{number}", "v")
    node.kill()
    path = folder_of(node) / INCR
    data = path.read_bytes()
    (*_, (start, _)) = chunks_of(data)
    for cut in (start + 40, start + CHUNK_HEAD_SIZE - 1, start + 1, start, 50, 0):
        path.write_bytes(data[:cut])
        whole = start if cut >= start else 0
        if may_cut == "no" and cut not in (start, 0):
            assert f"{INCR}: byte {whole}: Unexpected end of file" in fails_to_start(node)
            continue
        node.start()
        assert path.stat().st_size == whole
        assert node.ask("DBSIZE").content == (4 if whole else 0)
        node.kill()
    if may_cut == "no":
        return
    for number in range(3):  # and it goes on, in runs of their own
        node.start()
        demand(node, "SET", f"again{number}", "v")
        node.kill()
    node.start()
    assert node.ask("DBSIZE").content == 3


def test_a_cut_within_a_chunk_is_made_too(nodes: Nodes) -> None:
    """A batch that is larger than a chunk was torn: its first commands are whole, and stay."""
    node = sealed(nodes, *ALWAYS)
    node.start()
    demand(node, "SET", "k", "v")
    node.kill()
    path = folder_of(node) / INCR
    before = path.read_bytes()
    key = read_key(node.options[-1])
    run = Sealer(key, os.urandom(SALT_SIZE), GROWING, len(before), before[-16:])
    set_l, torn = b"*3\r\n$3\r\nSET\r\n$1\r\nl\r\n$1\r\nw\r\n", b"*3\r\n$3\r\nSET\r\n$1\r\nm\r\n$900\r\nx"
    path.write_bytes(before + run.seal(set_l + torn) + run.seal(b"x" * 100))
    for _ in range(2):
        node.start()
        assert node.ask("DBSIZE").content == 2
        assert node.ask("GET", "l").text == b"w"
        demand(node, "SET", "n", "u")
        assert node.ask("DEL", "n").content == 1
        node.kill()
    assert manifest_of(node).count(" type i\n") == 2


def test_a_full_disk_stops_writes_until_there_is_room(nodes: Nodes) -> None:
    node = nodes.make(*APPENDS)
    with small_disk(node.home):
        node.options += [f"--{KEY}", str(new_key(node))]
        node.start()
        demand(node, "SET", "k", "kept")
        filler = fill_disk(node.home)
        wait_until(lambda: node.ask("APPEND", "long", os.urandom(4096)).kind == "error", "it refuses writes")
        length = node.ask("STRLEN", "long").content
        filler.unlink()
        wait_until(lambda: node.ask("SET", "k", "again") == OK, "it takes writes again")
        node.kill()
        node.start()
        assert node.ask("STRLEN", "long").content == length
        assert node.ask("GET", "k").text == b"again"
        node.stop()


# --- damage


def damages(data: bytes) -> dict[str, bytes]:
    chunks = chunks_of(data)
    (a, b), (c, d) = chunks[0], chunks[1]
    flipped = bytearray(data)
    flipped[(a + b) // 2] ^= 1
    return {
        "chunk 0 is damaged": bytes(flipped),
        "chunk 1 stands where chunk 0 should": data[:a] + data[c:d] + data[a:b] + data[d:],
        "chunk 2 stands where chunk 1 should": data[:b] + data[d:],
        "chunk 0 stands where chunk 1 should": data[:b] + data[a:b] + data[b:],
    }


def test_a_damaged_append_only_file_ends_the_start(nodes: Nodes) -> None:
    node = sealed(nodes, *ALWAYS)
    node.start()
    for number in range(5):
        demand(node, "SET", f"k{number}", "v")
    node.kill()
    path = folder_of(node) / INCR
    data = path.read_bytes()
    for reason, text in damages(data).items():
        path.write_bytes(text)
        (start, end), *_ = chunks_of(data)
        at = end if reason.endswith("chunk 1 should") else start
        log = fails_to_start(node)
        assert f"stays as it is: appendonlydir/{INCR}: byte {at}: {reason}" in log
    path.write_bytes(data)
    node.start()
    assert node.ask("DBSIZE").content == 5


def test_a_damaged_rdb_file_ends_the_start(nodes: Nodes) -> None:
    node = sealed(nodes, "--rdbcompression", "no")
    node.start()
    for number in range(3):
        demand(node, "SET", f"k{number}", secrets.token_hex(40_000))
    demand(node, "SAVE")
    node.kill()
    path = node.home / "dump.rdb"
    data = path.read_bytes()
    for reason, text in {**damages(data), "it ends too early": data[: chunks_of(data)[0][1]]}.items():
        path.write_bytes(text)
        log = fails_to_start(node)
        assert "stays as it is: dump.rdb: byte " in log
        assert reason in log


# --- keys


def test_a_file_is_read_with_its_key_only(nodes: Nodes) -> None:
    node = sealed(nodes, *ALWAYS)
    node.start()
    demand(node, "SET", "k", "v")
    node.kill()
    right = Path(node.options[-1])
    set_options(node, key=new_key(node, "wrong.key"))
    log = fails_to_start(node)
    assert "appendonly.aof.1.base.rdb: byte 0: it is sealed with another key" in log
    set_options(node)
    assert f"base.rdb: byte 0: it is sealed, but {KEY} is not set" in fails_to_start(node)
    set_options(node, key=right)
    node.start()
    assert node.ask("GET", "k").text == b"v"


def test_a_key_file_that_is_none_ends_the_start(nodes: Nodes) -> None:
    node = sealed(nodes, *ALWAYS)
    path = Path(node.options[-1])
    for content, mode, reason in (
        (b"short", 0o600, "a key is 32 bytes, or 64 hexadecimal digits, but the file holds 5 bytes"),
        (b"", 0o600, "but the file holds 0 bytes"),
        (b"x" * 64, 0o600, "but the file holds 64 bytes"),
        (bytes(32), 0o644, f"others may use it too (mode 0644), and could read the data: chmod 600 {path}"),
        (bytes(32), 0o620, "mode 0620"),
    ):
        path.write_bytes(content)
        path.chmod(mode)
        node.launch()
        assert node.wait_end() == 1
        assert f"{KEY}: {path}: " in node.log()
        assert reason in node.log()
    path.unlink()
    node.launch()
    assert node.wait_end() == 1
    assert f"{KEY}: {path}: No such file or directory" in node.log()
    assert not folder_of(node).exists()


def test_without_the_package_the_start_is_refused(nodes: Nodes) -> None:
    node = sealed(nodes, *ALWAYS)
    blocked = node.home / "blocked"
    blocked.mkdir()
    (blocked / "sitecustomize.py").write_text("import sys\nsys.modules['cryptography'] = None\n")
    node.wrapper = ["env", f"PYTHONPATH={blocked}:{os.environ.get('PYTHONPATH', '')}"]
    node.launch()
    assert node.wait_end() == 1
    assert "pip install 'gossamer[encryption]'" in node.log()
    set_options(node)
    node.start()


def test_plain_files_are_read_and_sealed_by_and_by(nodes: Nodes) -> None:
    node = nodes.make(*ALWAYS)
    node.start()
    demand(node, "SET", "k", f"{WORD} plain")
    demand(node, "SAVE")
    node.kill()
    assert WORD.encode() in (folder_of(node) / INCR).read_bytes()
    set_options(node, key=new_key(node, text=True))
    for turn in range(2):
        node.start()
        assert node.ask("GET", "k").text == f"{WORD} plain".encode()
        assert f"{INCR} is not sealed: the next BGREWRITEAOF seals it" in node.log()
        demand(node, "SET", f"later{turn}", f"{WORD} later")
        node.kill()
    plain = [path.name for path in data_files(node) if WORD.encode() in path.read_bytes()]
    assert sorted(plain) == [INCR, "dump.rdb"]
    assert manifest_of(node).count(" type i\n") == 2
    node.start()
    rewrite(node)
    demand(node, "SAVE")
    wait_until(lambda: not (folder_of(node) / INCR).exists(), "what is not needed is deleted")
    assert all(is_sealed(path.read_bytes()) for path in data_files(node) if path.stat().st_size)
    node.kill()
    node.start()
    assert node.ask("DBSIZE").content == 3
    assert "is not sealed" not in node.log()


def test_keys_are_changed_by_writing_all_anew(nodes: Nodes) -> None:
    node = sealed(nodes, *ALWAYS)
    node.start()
    demand(node, "SET", "k", "v")
    demand(node, "SAVE")
    old, new = Path(node.options[-1]), new_key(node, "new.key")
    node.kill()
    set_options(node, key=new, old=old)
    for number in range(2):
        node.start()
        assert f"is sealed with the key of {OLD_KEY}: the next BGREWRITEAOF seals it anew" in node.log()
        demand(node, "SET", f"between{number}", "v")
        node.kill()
    node.start()
    rewrite(node)
    demand(node, "SAVE")
    demand(node, "SET", "after", "v")
    node.kill()
    old.unlink()
    set_options(node, key=new)
    node.start()
    assert node.ask("DBSIZE").content == 4
    node.kill()
    node.options[node.options.index("--appendonly") + 1] = "no"
    node.start()
    assert node.ask("DBSIZE").content == 3
    assert "is sealed with the key of" not in node.log()


def test_sealing_is_given_up_by_the_old_key_alone(nodes: Nodes) -> None:
    node = sealed(nodes, *ALWAYS)
    node.start()
    demand(node, "SET", "k", "v")
    node.kill()
    set_options(node, old=Path(node.options[-1]))
    node.start()
    assert "is sealed, and encrypt-at-rest-key-file is not set: the next BGREWRITEAOF writes it unsealed" in node.log()
    demand(node, "SET", "l", "w")
    node.kill()
    node.start()
    rewrite(node)
    node.kill()
    set_options(node)
    node.start()
    assert node.ask("MGET", "k", "l").items[1].text == b"w"


# --- others


def test_the_single_file_of_before_redis_7_is_taken_over(nodes: Nodes) -> None:
    node = sealed(nodes, *ALWAYS)
    (node.home / "appendonly.aof").write_bytes(b"*3\r\n$3\r\nSET\r\n$1\r\nk\r\n$1\r\nv\r\n")
    node.start()
    demand(node, "SET", "l", f"{WORD}")
    node.kill()
    assert WORD.encode() not in b"".join(files_of(node).values())
    node.start()
    assert node.ask("DBSIZE").content == 2


def test_the_files_of_one_node_are_read_by_another_with_the_key(nodes: Nodes) -> None:
    one, other = sealed(nodes, *ALWAYS), nodes.make(*ALWAYS)
    one.start()
    put(one, fill())
    before = one.ask("DEBUG", "DIGEST")
    demand(one, "DEBUG", "LOADAOF")
    assert one.ask("DEBUG", "DIGEST") == before
    one.kill()
    shutil.copytree(folder_of(one), folder_of(other))
    set_options(other, key=Path(one.options[-1]))
    other.start()
    assert other.ask("DEBUG", "DIGEST") == before


def test_keys_do_not_show_in_messages(nodes: Nodes) -> None:
    path = new_key(nodes.make())
    key = read_key(str(path))
    shown = repr(Keys(key, (key,)))
    assert path.read_bytes().hex() not in shown
    assert key.name.hex() in shown
