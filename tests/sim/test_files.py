"""The simulated disk leaves after a loss of power what a real one may, and nothing else."""

from random import Random

import pytest

from tests.sim.files import EIO, Died, Files


def disk(seed: int = 0) -> Files:
    return Files(Random(seed))


def written(files: Files, path: str, data: bytes, durable: bool) -> None:
    inode = files.open(path)
    files.write(inode, data, path)
    if durable:
        files.fsync(inode, path)
        files.fsync_folder(path)


def test_what_is_durable_is_there_and_the_rest_is_torn_anywhere() -> None:
    found = set()
    for seed in range(200):
        files = disk(seed)
        written(files, "a", b"01234", durable=True)
        written(files, "a", b"56789", durable=False)
        files.lose_power()
        found.add(files.content("a"))
    assert found == {b"0123456789"[:size] for size in range(5, 11)}


def test_names_are_undone_in_the_reverse_order_until_the_folder_is_durable() -> None:
    found = set()
    for seed in range(100):
        files = disk(seed)
        written(files, "old", b"old", durable=True)
        written(files, "new", b"new", durable=True)
        files.rename("new", "old")
        written(files, "later", b"", durable=False)
        assert files.all() == {"old": b"new", "later": b""}
        files.lose_power()
        found.add((*sorted(files.all()), files.all()["old"]))
    assert found == {("new", "old", b"old"), ("old", b"new"), ("later", "old", b"new")}


def test_an_fsync_of_the_file_alone_does_not_keep_its_name() -> None:
    lost = 0
    for seed in range(20):
        files = disk(seed)
        files.fsync(files.open("a"), "a")
        files.lose_power()
        lost += files.content("a") is None
    assert 0 < lost < 20


def test_a_step_fails_or_is_the_last() -> None:
    files = disk()
    files.failing = {"fsync": (EIO, 1.0)}
    inode = files.open("a")
    with pytest.raises(OSError, match="Input/output error"):
        files.fsync(inode, "a")
    files.failing = {}
    files.dies_in = 1
    files.write(inode, b"x", "a")
    with pytest.raises(Died):
        files.write(inode, b"y" * 100, "a")
    assert (files.content("a") or b"").startswith(b"x"), "a write may be torn, whoever dies"


def test_a_kernel_that_forgets_keeps_nothing_behind_a_failed_fsync() -> None:
    files = disk()
    files.forgets = True
    written(files, "a", b"1", durable=True)
    written(files, "a", b"2", durable=False)
    files.failing = {"fsync": (EIO, 1.0)}
    inode = files.open("a")
    with pytest.raises(OSError, match="Input/output error"):
        files.fsync(inode, "a")
    files.failing = {}
    written(files, "a", b"3", durable=True)
    assert files.content("a") == b"123"
    files.lose_power()
    assert files.content("a") == b"1"
