"""WATCH: who wants to know that a key was changed, and what counts as a change (multi.c of Redis 7.0).

A key whose time was over when the watch began does not exist for the client, so its deletion is no change; neither is
a flush or a swap that leaves the key as absent as it was. A key whose time runs out *during* the watch is a change,
whether or not anybody has deleted it yet: EXEC asks ``broken`` with the present time.
"""

from gossamer.node.engine.keyspace import Database, Watch, Watcher


def watch(watcher: Watcher, db: Database, key: bytes, now: int) -> None:
    """``watcher`` hears of changes of ``key`` from now on; watching a key twice is watching it once."""
    others = db.watchers.setdefault(key, [])
    for other in others:
        if other.watcher is watcher:
            return
    entry = Watch(watcher, db, key, db.is_over(key, now))
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
    return watcher.broken or any(not entry.over and entry.db.is_over(entry.key, now) for entry in watcher.watches)


def touch(db: Database, key: bytes) -> None:
    """``key`` has been changed or deleted."""
    for entry in db.watchers.get(key, ()):
        if entry.over and db.peek(key) is None:
            entry.over = False
        else:
            entry.watcher.broken = True


def touch_emptied(db: Database) -> None:
    """All keys of ``db`` are about to be dropped."""
    for key, watches in db.watchers.items():
        if db.peek(key) is None:
            continue
        for entry in watches:
            if entry.over:
                entry.over = False
            else:
                entry.watcher.broken = True


def touch_swapped(db: Database, comes: Database, now: int) -> None:
    """The keys of ``db`` are about to be exchanged for those of ``comes``."""
    for key, watches in db.watchers.items():
        exists = db.peek(key) is not None
        will_exist = comes.peek(key) is not None
        if not exists and not will_exist:
            continue
        will_be_over = will_exist and comes.is_over(key, now)
        for entry in watches:
            if entry.over:
                if not will_exist:
                    entry.over = False
                elif not will_be_over:
                    entry.watcher.broken = True
            elif not exists and will_be_over:
                entry.over = True
            else:
                entry.watcher.broken = True
