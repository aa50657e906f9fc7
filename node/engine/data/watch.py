"""WATCH: who wants to know that a key was changed, and what counts as a change (multi.c of Redis 7.0).

A key whose time was over when the watch began does not exist for the client, so its deletion is no change; neither is
a flush or a swap that leaves the key as absent as it was. A key whose time runs out *during* the watch is a change,
whether or not anybody has deleted it yet: EXEC asks ``broken`` with the present time.
"""

from gossamer.node.engine.data.contents import Contents
from gossamer.node.store.table import Table


class Watcher:
    """Somebody who wants to know that a key was changed: a client's WATCH. ``broken`` is set by the first change."""

    def __init__(self) -> None:
        self.broken: bool = False
        self.watches: list[Watch] = []


class Watched(Contents):
    """Contents whose keys can be watched. Watchers stay with the number of the database, whatever is swapped."""

    def __init__(self, shift: int) -> None:
        super().__init__(shift)
        self.watchers: dict[bytes, list[Watch]] = {}

    def touch(self, key: bytes) -> None:
        """``key`` has been changed, or deleted."""
        watches = self.watchers.get(key)
        if watches is not None:
            touched(watches, self.get_raw(key) is not None)

    def touch_all(self) -> None:
        """All keys are about to be deleted."""
        for key, watches in self.watchers.items():
            if self.get_raw(key) is not None:
                touched(watches, False)

    def touch_part(self, part: Table, exists: bool) -> None:
        """The keys of ``part`` have left, or come all at once: then they exist."""
        for key, watches in self.watchers.items():
            if part.get(key) is not None:
                touched(watches, exists)

    def touch_swapped(self, comes: Contents, now: int) -> None:
        """The keys are about to be exchanged for those of ``comes``."""
        for key, watches in self.watchers.items():
            exists = self.get_raw(key) is not None
            will_exist = comes.get_raw(key) is not None
            if exists or will_exist:
                swapped(watches, exists, will_exist, will_exist and comes.is_expired(key, now))


class Watch:
    """One key that a ``watcher`` watches."""

    def __init__(self, watcher: Watcher, db: Watched, key: bytes, expired: bool) -> None:
        self.watcher: Watcher = watcher
        self.db: Watched = db
        self.key: bytes = key
        self.expired: bool = expired
        """The key had expired already when the watch began, and it has not been deleted since."""


def watch(watcher: Watcher, db: Watched, key: bytes, now: int) -> None:
    """``watcher`` hears of changes of ``key`` from now on; watching a key twice is watching it once."""
    others = db.watchers.setdefault(key, [])
    for other in others:
        if other.watcher is watcher:
            return
    entry = Watch(watcher, db, key, db.is_expired(key, now))
    others.append(entry)
    watcher.watches.append(entry)


def unwatch(watcher: Watcher) -> None:
    for entry in watcher.watches:
        watchers = entry.db.watchers
        left = [other for other in watchers.get(entry.key, []) if other is not entry]
        if left:
            watchers[entry.key] = left
        else:
            watchers.pop(entry.key, None)
    watcher.watches = []


def broken(watcher: Watcher, now: int) -> bool:
    """Has a watched key changed, or has its time run out unseen?"""
    return watcher.broken or any(not entry.expired and entry.db.is_expired(entry.key, now) for entry in watcher.watches)


def touched(watches: list[Watch], exists: bool) -> None:
    """A watched key has been changed, or deleted: then it does not exist any more."""
    for entry in watches:
        if entry.expired and not exists:
            entry.expired = False
        else:
            entry.watcher.broken = True


def swapped(watches: list[Watch], exists: bool, will_exist: bool, will_be_expired: bool) -> None:
    """Another database's key, or none, is about to stand in place of a watched one."""
    for entry in watches:
        if entry.expired:
            if not will_exist:
                entry.expired = False
            elif not will_be_expired:
                entry.watcher.broken = True
        elif not exists and will_be_expired:
            entry.expired = True
        else:
            entry.watcher.broken = True
