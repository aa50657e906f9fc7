"""WATCH: who wants to know that a key was changed, and what counts as a change (multi.c of Redis 7.0).

A key whose time was over when the watch began does not exist for the client, so its deletion is no change; neither is
a flush or a swap that leaves the key as absent as it was. A key whose time runs out *during* the watch is a change,
whether or not anybody has deleted it yet: EXEC asks ``broken`` with the present time.
"""

from gossamer.node.engine.data.keyspace import Database, Watch, Watcher


def watch(watcher: Watcher, db: Database, key: bytes, now: int) -> None:
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
