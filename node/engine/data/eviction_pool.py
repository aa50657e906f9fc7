"""The keys that shall be evicted next, of all that samples have shown so far (evictionPoolPopulate of Redis 7.2)."""

from typing import Final

SIZE: Final = 16


class Candidate:
    """A key that was there when it was sampled. The higher ``idleness``, the sooner it goes."""

    def __init__(self, db: int, key: bytes, idleness: int) -> None:
        self.db: int = db
        self.key: bytes = key
        self.idleness: int = idleness


class EvictionPool:
    """At most ``SIZE`` of them, those with the least idleness first."""

    def __init__(self) -> None:
        self.candidates: list[Candidate] = []

    def offer(self, db: int, key: bytes, idleness: int) -> None:
        """Take the key in if there is room, or if it is idler than one that is here."""
        candidates = self.candidates
        place = 0
        for candidate in candidates:
            if candidate.idleness >= idleness:
                break
            place += 1
        if len(candidates) < SIZE:
            candidates.insert(place, Candidate(db, key, idleness))
        elif place > 0:
            candidates.insert(place, Candidate(db, key, idleness))
            del candidates[0]

    def take(self) -> Candidate | None:
        """The idlest, which is here no longer; None if there is none."""
        return self.candidates.pop() if self.candidates else None

    def clear(self) -> None:
        """Another policy has another measure."""
        self.candidates = []
