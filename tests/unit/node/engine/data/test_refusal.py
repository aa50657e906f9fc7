"""A request for memory that is refused leaves the data as they were, and uncounted: so the node can go on."""

from collections.abc import Callable, Iterator
from importlib import import_module
from types import ModuleType
from typing import Final

import pytest

from gossamer.node.engine.data import changes, database
from gossamer.node.engine.data.changes import DEL, RENAME_FROM, RENAME_TO, SET, Changes, Listener
from gossamer.node.engine.data.database import Database
from gossamer.node.engine.data.part import KEEP, NEVER
from gossamer.node.engine.data.view import View
from gossamer.node.engine.data.watch import Watcher, watch
from gossamer.node.engine.edge import Edge
from gossamer.node.engine.server import Server
from gossamer.node.machine import Machine
from gossamer.node.resp.errors import NO_MEMORY
from tests.unit.node.commands.one import One
from tests.unit.node.engine.data.two_keys import TWO_KEYS, fill_for_two_keys
from tests.unit.node.store.native import NAME, compile_native, is_built, load

HUGE: Final = 1 << 32
"""Bytes of a key that no table takes."""


@pytest.fixture(scope="module")
def compiled(tmp_path_factory: pytest.TempPathFactory) -> ModuleType:
    return import_module(NAME) if is_built() else load(compile_native(tmp_path_factory.mktemp("refusal")))


@pytest.fixture
def native(compiled: ModuleType, monkeypatch: pytest.MonkeyPatch) -> Iterator[ModuleType]:
    """Databases keep their keys in the table in C, which can be told to refuse."""
    if not is_built():
        monkeypatch.setattr(database, "Table", compiled.Table)
    yield compiled
    compiled.fail_after(-1)


@pytest.fixture
def node_table(native: ModuleType, monkeypatch: pytest.MonkeyPatch) -> ModuleType:
    """The clock of a node is that of its tables."""
    if not is_built():
        monkeypatch.setattr(changes, "Clock", native.Clock)
    return native


class Told(Listener):
    """What a listener, and a view beside it, heard, in order, and how many changes were counted by then."""

    def __init__(self, changes: Changes) -> None:
        self.changes = changes
        self.heard: list[tuple[bytes, int]] = []

    def key_changed(self, db: int, key: bytes, event: bytes) -> None:
        self.heard.append((event, self.changes.dirty))


class Warned(View):
    def __init__(self, told: Told) -> None:
        super().__init__()
        self.told = told

    def before_change(self, part: int, key: bytes) -> None:
        self.told.heard.append((b"before " + key, self.told.changes.dirty))


Change = Callable[[Database], object]

CHANGES: Final[list[tuple[str, Change]]] = [
    ("a new key", lambda db: db.store(db.part_of(b"new"), b"new", b"v", SET)),
    ("a new key that expires", lambda db: db.store(db.part_of(b"new"), b"new", b"v", SET, 5)),
    ("a longer string", lambda db: db.store(db.part_of(b"k"), b"k", b"v" * 300, SET)),
    ("one that expires when it did", lambda db: db.store(db.part_of(b"e"), b"e", b"v" * 300, SET, KEEP)),
    ("an expire time", lambda db: db.set_expire(db.part_of(b"k"), b"k", 5)),
    ("no expire time", lambda db: db.clear_expire(db.part_of(b"e"), b"e")),
]


def books(db: Database) -> tuple[object, ...]:
    """What is known of the contents, and the contents."""
    items = sorted(item for part in range(db.part_count) for item in db.items_of(part))
    return (
        items,
        db.size,
        db.volatile,
        sorted(db.expiring_parts()),
        db.share.held,
        db.share.tally.held,
        db.changes.dirty,
    )


def with_one_key(native: ModuleType) -> Database:
    db = Database(0, changes=Changes(native.Clock()))
    db.store(db.part_of(b"k"), b"k", b"v", SET)
    return db


def filled(native: ModuleType) -> Database:
    db = with_one_key(native)
    db.store(db.part_of(b"e"), b"e", b"v", SET, 9)
    return db


@pytest.mark.parametrize("change", [change for _, change in CHANGES], ids=[name for name, _ in CHANGES])
def test_what_is_refused_is_neither_done_nor_counted(native: ModuleType, change: Change) -> None:
    db = filled(native)
    told, watcher = Told(db.changes), Watcher()
    db.changes.listen(told)
    db.views.append(Warned(told))
    for key in (b"k", b"e", b"new"):
        watch(watcher, db, key, 0)
    before = books(db)
    refused = 0
    while True:
        native.fail_after(refused)
        try:
            change(db)
        except MemoryError:
            native.fail_after(-1)
            refused += 1
        else:
            break
        assert books(db) == before
        assert not watcher.broken
        assert [word for word, _ in told.heard] == [told.heard[0][0]] * refused, "warned, but not told of a change"
    native.fail_after(-1)
    assert refused > 0
    assert watcher.broken
    assert db.changes.dirty == 3
    warned, *events = told.heard[refused:]
    assert warned[1] == 2, "warned before it was counted"
    assert events
    assert all(dirty == 3 for _, dirty in events)


def test_a_key_that_expires_is_deleted_without_memory(native: ModuleType) -> None:
    db = filled(native)
    native.fail_after(0)
    assert db.delete(db.part_of(b"e"), b"e", DEL)
    native.fail_after(-1)
    assert books(db)[:-1] == books(with_one_key(native))[:-1]
    assert db.changes.dirty == 3


def test_a_key_that_no_table_takes_is_not_counted(native: ModuleType) -> None:
    db = filled(native)
    before = books(db)
    huge = bytes(HUGE)  # of zeros that nobody reads: no memory
    with pytest.raises(OverflowError):
        db.store(0, huge, b"v", SET)
    with pytest.raises(OverflowError):
        db.store(0, huge, b"v", SET, 5)
    with pytest.raises(OverflowError):
        db.move(b"k", db, huge, (RENAME_FROM, RENAME_TO))
    assert books(db) == before
    assert db.expire_time(db.part_of(b"k"), b"k") == NEVER


@pytest.mark.parametrize("key", [b"k", b"e"], ids=["lives on", "expires"])
@pytest.mark.parametrize("elsewhere", [False, True], ids=["RENAME", "MOVE"])
def test_half_a_rename_is_none(native: ModuleType, key: bytes, elsewhere: bool) -> None:
    """Where the new name is refused the old one stays; where it is taken, of the old one is told first."""
    db = filled(native)
    there = Database(1, changes=db.changes) if elsewhere else db
    told, watcher = Told(db.changes), Watcher()
    db.changes.listen(told)
    watch(watcher, db, key, 0)
    before = books(db), books(there)
    refused = 0
    while True:
        native.fail_after(refused)
        try:
            db.move(key, there, b"new", (RENAME_FROM, RENAME_TO))
        except MemoryError:
            native.fail_after(-1)
            refused += 1
        else:
            break
        assert (books(db), books(there)) == before
        assert not watcher.broken
        assert told.heard == []
    native.fail_after(-1)
    assert refused > 0
    assert told.heard == [(RENAME_FROM, 3), (RENAME_TO, 3)]
    assert watcher.broken
    assert db.get(db.part_of(key), key) is None
    assert there.get(there.part_of(b"new"), b"new") == b"v"
    assert there.expire_time(there.part_of(b"new"), b"new") == (9 if key == b"e" else NEVER)
    assert db.size + there.size - (0 if elsewhere else db.size) == 2


# --- a whole request


class Lasting(Edge):
    """An unexpected exception does not end the test; one that ends the node is raised."""

    def __init__(self) -> None:
        self.mishaps: list[str] = []

    def unexpected(self, what: str, error: Exception) -> None:
        assert isinstance(error, MemoryError)
        self.mishaps.append(what)


class Node(One):
    def __init__(self) -> None:
        super().__init__()
        self.edge = Lasting()
        self.server = Server(edge=self.edge)
        self.server.access.debug = "yes"
        self.machine = Machine(self.server)
        self.server.begin_batch(1_000_000)
        self.begin()
        fill_for_two_keys(self.say)

    def begin(self) -> None:
        """With another client."""
        self.session = self.machine.accept("127.0.0.1:1", "127.0.0.1:2")

    def digest(self) -> bytes:
        self.begin()
        return self.say("DEBUG", "DIGEST")


@pytest.mark.parametrize("once", [False, True], ids=["and all that follow", "that one alone"])
@pytest.mark.parametrize("request_", TWO_KEYS)
def test_a_request_without_memory_is_an_error_and_nothing_is_half_done(
    node_table: ModuleType, request_: str, once: bool
) -> None:
    fail = node_table.fail_once if once else node_table.fail_after
    whole = Node()
    expected = whole.say(*request_.split())
    assert not expected.startswith(b"-")
    after = whole.digest()
    for granted in range(50):
        node = Node()
        before = node.digest()
        node.begin()
        fail(granted)
        answer = node.say(*request_.split())
        fail(-1)
        if not node.edge.mishaps:
            assert (answer, node.digest()) == (expected, after)
            assert granted or " new" not in request_, "a key more takes memory"
            return
        assert answer == b"-" + NO_MEMORY + b"\r\n"
        assert node.session.closing
        assert node.digest() == before
    raise AssertionError("it wants ever more memory")
