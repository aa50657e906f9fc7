"""Brings RDB files into a running cluster or node, and looks afterwards whether all is there.

Nothing is begun before the files and the target have been looked at. Keys are made with RESTORE, one by one, so each is
there as a whole or not at all; what was brought before an interruption stays.
"""

import time
from collections.abc import Iterable, Sequence
from contextlib import closing
from typing import Final

from attrs import define, field

from gossamer.cluster.slots import SLOTS, key_slot
from gossamer.cluster.text import bytes_of
from gossamer.deploy.backup.check import Piece, read
from gossamer.deploy.backup.entry import Entry
from gossamer.deploy.backup.manifest import Ranges
from gossamer.deploy.backup.progress import Progress
from gossamer.deploy.backup.sender import Present, Sender
from gossamer.deploy.backup.target import Place, Target, demand_database, target_at
from gossamer.deploy.cluster.survey import Access
from gossamer.deploy.signals import Interrupted, Signals
from gossamer.deploy.table import console, new_table
from gossamer.deploy.user_error import UserError
from gossamer.node.persist.codes import RdbError
from gossamer.node.persist.events import Aux, Event, Function, Key, SlotImportMark
from gossamer.node.persist.load import IMPORT, read_import
from gossamer.node.persist.reader import RdbReader

ALL: Final = -1
"""Keys of all databases."""
LOOKS: Final = 5
BETWEEN_S: Final = 0.2


@define
class Order:
    """What is wanted: where to, what becomes of keys that are there, and the one database that is taken, or ``ALL``."""

    place: str
    access: Access
    present: Present
    db: int = ALL


@define
class Brought:
    """What has come of it. ``expired``: keys whose time is over; ``foreign``: keys of slots that their file is not for;
    ``functions``: source texts, and why they were left out."""

    sender: Sender
    expired: int = 0
    foreign: int = 0
    functions: dict[bytes, None] = field(factory=dict)
    without_functions: str = ""


def prepare(order: Order, pieces: Sequence[Piece]) -> Target:
    """The target, which can take the data. UserError."""
    target = target_at(order.place, order.access)
    dbs = sorted({db for piece in pieces for db, keys in piece.keys.items() if keys and order.db in (ALL, db)})
    if target.clustered and order.db == ALL and dbs not in ([], [0]):
        names = ", ".join(map(str, dbs))
        raise UserError(
            f"there are keys in databases {names}, and a cluster has none but 0: gossamer import --db N takes one"
        )
    if not target.clustered:
        demand_database(target, max(dbs, default=0))
    found = sum(target.counts().values())
    if found and order.present is Present.REFUSE:
        raise UserError(
            f"{order.place} has {found:,} keys already: --merge lets them be and adds what is missing (also what an "
            f"interrupted run has left to do), --replace overwrites those that are in both"
        )
    return target


def bring(order: Order, pieces: Sequence[Piece], progress: Progress, signals: Signals) -> int:
    """The exit code: 0 if all is there. UserError, Interrupted."""
    started = time.monotonic()
    with closing(prepare(order, pieces)) as target:
        brought = Brought(Sender(target, signals))
        try:
            send_all(order, pieces, brought, progress, signals)
        except Interrupted:
            progress.say(f"interrupted after {brought.sender.restored:,} keys: --merge does the rest")
            raise
        except UserError as problem:
            done = f"{brought.sender.restored:,} keys were restored; once that is mended, --merge does the rest"
            raise UserError(f"{problem}; {done}") from None
        counts = look_again(brought, signals)
    report(order, brought, counts, time.monotonic() - started)
    return 0 if is_all_there(order, brought, counts) else 1


def send_all(order: Order, pieces: Sequence[Piece], brought: Brought, progress: Progress, signals: Signals) -> None:
    sender = brought.sender
    progress.begin("restoring", sum(piece.size for piece in pieces))
    for piece in pieces:
        reader, taker = RdbReader(), Taker(order, piece.slots, brought)
        try:
            for data in read(piece.path, progress, "restoring", signals):
                for event in reader.feed(data):
                    taker.take(event)
                if reader.done:
                    break
            for event in reader.finish():
                taker.take(event)
        except RdbError as error:
            raise UserError(f"{piece.path} cannot be read: {error}") from None
    sender.finish()
    if brought.functions:
        replace = order.present is Present.REPLACE
        brought.without_functions = sender.load_functions(list(brought.functions), replace)
    progress.end("restoring")


class Taker:
    """What is done with the events of a file that is for ``slots`` (all, if there are none)."""

    def __init__(self, order: Order, slots: Ranges, brought: Brought) -> None:
        self._order = order
        self._brought = brought
        self._clustered = brought.sender.target.clustered
        self._now_ms = int(time.time() * 1000)
        self._mine = bytearray(SLOTS)
        self._some = bool(slots)
        self._mark(slots or ((0, SLOTS - 1),), True)

    def _mark(self, slots: Iterable[tuple[int, int]], mine: bool) -> None:
        for first, last in slots:
            self._mine[first : last + 1] = bytes([mine]) * (last + 1 - first)

    def take(self, event: Event) -> None:
        if isinstance(event, Key):
            if self._order.db in (ALL, event.db):
                self._take_key(event)
        elif isinstance(event, Function):
            self._brought.functions[event.source] = None
        elif isinstance(event, SlotImportMark):
            self._leave_out(event.ranges)
        elif isinstance(event, Aux) and event.name == bytes_of(IMPORT):
            self._leave_out(read_import(event.value).ranges)

    def _leave_out(self, slots: Iterable[tuple[int, int]]) -> None:
        """The node was only importing these: what it has of them is another node's."""
        self._some = True
        self._mark(slots, False)

    def _take_key(self, event: Key) -> None:
        if self._some and not self._mine[key_slot(event.key)]:
            self._brought.foreign += 1
        elif 0 <= event.end <= self._now_ms:
            self._brought.expired += 1
        else:
            db = 0 if self._clustered else event.db
            self._brought.sender.send(Entry(event, db, self._order.present is Present.REPLACE))


def look_again(brought: Brought, signals: Signals) -> dict[Place, int]:
    """How many keys each primary has; asked more than once if some seem to be missing, for slots may be moving."""
    target = brought.sender.target
    for _ in range(LOOKS):
        target.refresh()
        counts = target.counts()
        if not short_of(brought, counts):
            break
        signals.wait(BETWEEN_S)
    return counts


def is_all_there(order: Order, brought: Brought, counts: dict[Place, int]) -> bool:
    """Whether everything that was brought is there, and nobody else was at work."""
    return not short_of(brought, counts) and not (brought.sender.kept and order.present is Present.REFUSE)


def short_of(brought: Brought, counts: dict[Place, int]) -> list[Place]:
    """Primaries that have less than was brought and does not end by itself. Of slots that are open some keys are on
    another node: then only the sum can be told."""
    wanted = {place: there - volatile for place, (there, volatile) in expected(brought).items()}
    if brought.sender.asked:
        return list(wanted) if sum(counts.values()) < sum(wanted.values()) else []
    return [place for place, least in wanted.items() if counts[place] < least]


def expected(brought: Brought) -> dict[Place, tuple[int, int]]:
    """Of each primary: keys that were seen there, and how many of them end one day."""
    sender = brought.sender
    out: dict[Place, tuple[int, int]] = dict.fromkeys(sender.target.owners, (0, 0))
    for slot, place in enumerate(sender.target.owners):
        there, volatile = out[place]
        out[place] = there + sender.there[slot], volatile + sender.volatile[slot]
    return out


def report(order: Order, brought: Brought, counts: dict[Place, int], took_s: float) -> None:
    """What has come of it, for people."""
    sender, short = brought.sender, short_of(brought, counts)
    table = new_table()
    for name in ("node", "brought", "keys there now"):
        table.add_column(name, justify="left" if name == "node" else "right")
    for (host, port), (there, _) in expected(brought).items():
        found = f"{counts[host, port]:,}"
        table.add_row(f"{host}:{port}", f"{there:,}", f"[red]{found}[/]" if (host, port) in short else found)
    console().print(table)
    print(f"{sender.restored:,} keys were restored into {order.place} in {took_s:.1f} s")
    if brought.expired:
        print(f"{brought.expired:,} keys were left out: their time to live is over")
    if brought.foreign:
        print(f"{brought.foreign:,} keys were left out: their node did not own their slots")
    if sender.kept and order.present is Present.MERGE:
        print(f"{sender.kept:,} keys were there already and have stayed")
    elif sender.kept:
        print(
            f"{sender.kept:,} keys came there meanwhile from somebody else and have stayed: not all is as in the backup"
        )
    if brought.without_functions:
        count = len(brought.functions)
        print(f"{count} libraries of functions were left out: {brought.without_functions}")
    if short:
        print("some keys are gone already: evicted, or deleted by somebody else")
