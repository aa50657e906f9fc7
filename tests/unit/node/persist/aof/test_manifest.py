"""The manifest: what real servers wrote is read and written alike, each step gives the next one, mistakes are named."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from gossamer.node.persist.aof.manifest import (
    AofFile,
    Manifest,
    ManifestError,
    manifest_name,
    parse,
    temporary_name,
)
from tests.unit.node.persist.aof.recorded import Folder, folders

NAME = "appendonly.aof"
LINE = b"file a.1.incr.aof seq 1 type i\n"


# --- text


@pytest.mark.parametrize("folder", folders(), ids=lambda folder: folder.name)
def test_a_manifest_of_a_real_server_is_written_as_it_was_read(folder: Folder) -> None:
    text = folder.manifest.read_bytes()
    assert text == folder.manifest_text
    manifest = parse(text)
    assert manifest.text() == text
    assert all((folder.path / file.name).exists() for file in (*manifest.loaded, *manifest.history))


def test_comments_and_fields_with_unknown_names_mean_nothing() -> None:
    text = b"# made by hand\nFILE a SEQ 7 TYPE incremental colour green\r\n#the end"
    assert parse(text) == Manifest(incrs=(AofFile("a", 7),), incr_seq=7)
    assert parse(b"#" + b"x" * 5000 + b"\n") == Manifest()


@pytest.mark.parametrize(
    ("name", "written"),
    [
        ("with a blank", b'"with a blank"'),
        ('"quoted"', rb'"\"quoted\""'),
        ("it's", b'"it\'s"'),
        ("naïve", rb'"na\xc3\xafve"'),
        ("line\nfeed", rb'"line\nfeed"'),
        ("a,b=c", b"a,b=c"),
    ],
)
def test_a_name_is_quoted_where_redis_needs_it(name: str, written: bytes) -> None:
    manifest = Manifest(incrs=(AofFile(name, 1),), incr_seq=1)
    assert manifest.text() == b"file " + written + b" seq 1 type i\n"
    assert parse(manifest.text()) == manifest


NAMES = st.text(min_size=1, max_size=60).filter(lambda name: not set("/\\\0\ud800") & set(name))
"""Short enough for a line that Redis reads too, though each byte may take four."""
FILES = st.builds(AofFile, NAMES, st.just(1))


@given(FILES, st.lists(FILES, max_size=3), st.lists(FILES, max_size=3))
def test_what_is_written_is_read_as_it_was(base: AofFile, history: list[AofFile], incrs: list[AofFile]) -> None:
    numbered = tuple(AofFile(file.name, seq) for seq, file in enumerate(incrs, 5))
    manifest = Manifest(base, tuple(history), numbered, 1, len(incrs) + 4 if incrs else 0)
    assert parse(manifest.text()) == manifest


@pytest.mark.parametrize(
    ("text", "line", "reason"),
    [
        (b"", 0, "Found an empty AOF manifest"),
        (b"\n", 1, "Invalid AOF manifest file format"),
        (LINE + b"   \n", 2, "Invalid AOF manifest file format"),
        (b"file a seq 1\n", 1, "Invalid AOF manifest file format"),
        (b"file a seq 1 type i more\n", 1, "Invalid AOF manifest file format"),
        (b'file "a seq 1 type i\n', 1, "Invalid AOF manifest file format"),
        (b"file a seq 0 type i\n", 1, "Invalid AOF manifest file format"),
        (b"file a seq one type i\n", 1, "Invalid AOF manifest file format"),
        (b"name a seq 1 type i\n", 1, "Invalid AOF manifest file format"),
        (b"file a seq 1 type i", 1, "The AOF manifest file contains too long line"),
        (b"file " + b"a" * 1024 + b" seq 1 type i\n", 1, "The AOF manifest file contains too long line"),
        (b"file ../a seq 1 type i\n", 1, "File can't be a path, just a filename"),
        (b'file "a\\\\b" seq 1 type i\n', 1, "File can't be a path, just a filename"),
        (b"file a seq 1 type b\n# one is enough\nfile b seq 2 type b\n", 3, "Found duplicate base file information"),
        (LINE + LINE, 2, "Found a non-monotonic sequence number"),
        (b"file a seq 1 type x\n", 1, "Unknown AOF file type"),
    ],
)
def test_a_mistake_is_named_in_redis_words(text: bytes, line: int, reason: str) -> None:
    with pytest.raises(ManifestError, match=reason) as caught:
        parse(text)
    assert (caught.value.reason, caught.value.line) == (reason, line)


def test_the_longest_line_is_read() -> None:
    name = b"a" * (1024 - len(b"file  seq 1 type i\n"))
    assert len(parse(b"file " + name + b" seq 1 type i\n").incrs[0].name) == len(name)


# --- its life


def test_a_start_without_files_makes_a_base_and_an_incr() -> None:
    for rdb, suffix in ((True, b"rdb"), (False, b"aof")):
        manifest = Manifest().started(NAME, rdb)
        assert manifest.text() == (
            b"file appendonly.aof.1.base.%b seq 1 type b\nfile appendonly.aof.1.incr.aof seq 1 type i\n" % suffix
        )


def test_a_start_goes_on_with_the_files_that_are_there() -> None:
    both = Manifest().started(NAME, True)
    assert both.started(NAME, False) == both
    incrs = Manifest().with_incr(NAME)
    assert incrs.started(NAME, True) == incrs


def test_the_single_file_of_old_becomes_the_base() -> None:
    manifest = Manifest().adopting(NAME)
    assert manifest.text() == b"file appendonly.aof seq 1 type b\n"
    assert manifest.started(NAME, True).text() == manifest.text() + b"file appendonly.aof.1.incr.aof seq 1 type i\n"
    assert manifest.rewritten(NAME, True).base == AofFile("appendonly.aof.2.base.rdb", 2)


def test_a_rewrite_makes_history_of_what_it_has_rewritten() -> None:
    """As redis-server 7.0 with aof-disable-auto-gc; the recorded manifest is one of these."""
    manifest = Manifest().started(NAME, False).with_incr(NAME)
    done = manifest.rewritten(NAME, False)
    recorded = next(folder for folder in folders() if folder.name == "redis-7.0.15/plain-base-with-history")
    assert done.text() == recorded.manifest_text
    assert done.loaded == (AofFile("appendonly.aof.2.base.aof", 2), AofFile("appendonly.aof.2.incr.aof", 2))
    assert done.without_history().history == ()
    assert done.without_history().loaded == done.loaded


def test_incrs_of_rewrites_that_failed_stay_in_order_until_one_succeeds() -> None:
    manifest = Manifest().started(NAME, True).with_incr(NAME).with_incr(NAME)
    assert [file.seq for file in manifest.incrs] == [1, 2, 3]
    done = manifest.rewritten(NAME, True)
    assert [file.seq for file in done.incrs] == [3]
    assert [file.name for file in done.history] == [
        "appendonly.aof.1.incr.aof",
        "appendonly.aof.2.incr.aof",
        "appendonly.aof.1.base.rdb",
    ]


def test_a_rewrite_while_nothing_is_appended_leaves_no_incr() -> None:
    done = Manifest().started(NAME, True).rewritten(NAME, True, kept=0)
    assert done.loaded == (AofFile("appendonly.aof.2.base.rdb", 2),)
    assert done.without_history().with_incr(NAME).incrs == (AofFile("appendonly.aof.2.incr.aof", 2),)


def test_a_new_file_never_takes_the_name_of_one_that_is_to_be_deleted() -> None:
    """After a start the numbers are counted from what is listed, and history does not count in Redis."""
    manifest = parse(
        b"file x.2.base.rdb seq 2 type b\nfile x.1.incr.aof seq 1 type h\nfile x.3.base.rdb seq 3 type h\n"
    )
    assert manifest.with_incr("x").incrs == (AofFile("x.2.incr.aof", 2),)
    assert manifest.rewritten("x", True).base == AofFile("x.4.base.rdb", 4)


def test_names_of_the_manifest_itself() -> None:
    assert manifest_name(NAME) == "appendonly.aof.manifest"
    assert temporary_name(manifest_name(NAME)) == "temp-appendonly.aof.manifest"
