"""Performs the effects of a Gossip in the order given: what all drivers of it have in common.

Rules kept here:
- While a Save is on its way to the disk, everything behind it waits.
- Of several Saves that wait only the last is written, in the place of the first: it holds all that was in the earlier
  ones, and everything that depended on one of them still stands behind it.
- After a Save that failed nothing is sent until one has succeeded: no promise is made that a crash could break.
"""

from collections import deque
from collections.abc import Callable, Iterable
from typing import Protocol, TypeAlias

from gossamer.gossip.effects import Deliver, Dial, Effect, Hangup, Log, Resolve, Save, Send

Deed: TypeAlias = Callable[[], None]
Step: TypeAlias = Effect | Deed


class Driver(Protocol):
    """The world around a Gossip: its disk, its links, its log."""

    def save(self, save: Save) -> None:
        """Begin to make ``save`` hold, and call ``Pump.saved`` when it does: now, or later and then ``run`` as well."""

    def send(self, send: Send) -> None: ...

    def dial(self, dial: Dial) -> None: ...

    def hang_up(self, link: int) -> None: ...

    def resolve(self, resolve: Resolve) -> None: ...

    def log(self, log: Log) -> None: ...

    def deliver(self, deliver: Deliver) -> None: ...


class Pump:
    """``take`` gives the effects that have come up since it was last called."""

    def __init__(self, driver: Driver, take: Callable[[], list[Effect]]) -> None:
        self._driver = driver
        self._take = take
        self._waiting: deque[Step] = deque()
        self._under_way: Save | None = None
        self._unkept: Save | None = None
        """The newest Save that failed, until one has succeeded."""
        self._running = False

    @property
    def saving(self) -> bool:
        """Is a Save on its way to the disk? The Gossip must not be woken meanwhile."""
        return self._under_way is not None

    @property
    def mute(self) -> bool:
        """Has the last Save failed? ``retry`` may help."""
        return self._unkept is not None

    def run(self) -> None:
        """Perform all that can be performed now. Does nothing when called by what it performs: it is at it already."""
        if self._running:
            return
        self._running = True
        try:
            while not self.saving and self._more():
                self._perform(self._waiting.popleft())
        finally:
            self._running = False

    def after(self, deed: Deed) -> None:
        """Do ``deed`` when all that has been asked for so far is done."""
        self._fetch()
        self._waiting.append(deed)

    # --- what is saved

    def saved(self, kept: bool) -> None:
        """The Save that the driver was given holds, or could not be ``kept``."""
        save, self._under_way = self._under_way, None
        assert save is not None
        self._note(save, kept)

    def save_at_once(self, keep: Callable[[Save], bool]) -> bool:
        """Have ``keep`` make hold what waits to be saved, before anything else is done; False if that fails."""
        self._fetch()
        saves = saves_in(self._waiting)
        if not saves:
            return True
        self._waiting = deque(step for step in self._waiting if not isinstance(step, Save))
        save = self._with_unkept(saves)
        kept = keep(save)
        self._note(save, kept)
        return kept

    def retry(self) -> None:
        """Try again what could not be saved."""
        if self._unkept is not None and not self.saving:
            self._save(self._unkept)

    def _save(self, save: Save) -> None:
        assert not self.saving
        self._under_way = self._with_unkept([save])
        self._driver.save(self._under_way)

    def _with_unkept(self, saves: list[Save]) -> Save:
        """One for all of ``saves``; what an earlier one promised and did not keep is promised still."""
        return one_for_all(([self._unkept] if self._unkept is not None else []) + saves)

    def _note(self, save: Save, kept: bool) -> None:
        self._unkept = None if kept else save

    # --- what is performed

    def _more(self) -> bool:
        if not self._waiting:
            self._fetch()
        return bool(self._waiting)

    def _fetch(self) -> None:
        more = self._take()
        if more:
            self._waiting = deque(merge_saves([*self._waiting, *more]))

    def _perform(self, step: Step) -> None:
        driver = self._driver
        match step:
            case Save():
                self._save(step)
            case Send():
                if not self.mute:
                    driver.send(step)
            case Dial():
                driver.dial(step)
            case Hangup(link):
                driver.hang_up(link)
            case Resolve():
                driver.resolve(step)
            case Log():
                driver.log(step)
            case Deliver():
                driver.deliver(step)
            case _:
                assert callable(step), f"{step} is not for the outside"
                step()


def merge_saves(waiting: list[Step]) -> list[Step]:
    """``waiting`` with at most one Save in it; whatever else stands there keeps its order."""
    saves = saves_in(waiting)
    if len(saves) < 2:
        return waiting
    first = next(at for at, step in enumerate(waiting) if isinstance(step, Save))
    merged: list[Step] = [step for step in waiting if not isinstance(step, Save)]
    merged.insert(first, one_for_all(saves))
    return merged


def saves_in(steps: Iterable[Step]) -> list[Save]:
    return [step for step in steps if isinstance(step, Save)]


def one_for_all(saves: list[Save]) -> Save:
    """What has to be written when all of these wait, in this order. It is synced if one of them is."""
    return Save(saves[-1].topology, any(save.synced for save in saves))
