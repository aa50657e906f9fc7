"""Some members of a sorted set and their scores, in Python: what ``zbucket.h`` does in C, and what both promise.

The scores ascend, members of the same score ascend by their bytes, and no member is there twice. A place is a number of
members that stand before. What fails has changed nothing.
"""

from array import array
from bisect import bisect_left, bisect_right


class Bucket:
    def __init__(self, scores: list[float] | None = None, members: list[bytes] | None = None) -> None:
        """``scores[i]`` belongs to ``members[i]``; they are in order. Without them nothing is there."""
        self._scores = array("d", scores or ())
        self._members = list(members or ())
        if len(self._scores) != len(self._members):
            raise TypeError("a score for each member")

    def __len__(self) -> int:
        return len(self._members)

    @property
    def first(self) -> bytes:
        """The first member. IndexError if there is none."""
        return self._members[0]

    @property
    def low(self) -> float:
        """The score of the first member. IndexError if there is none."""
        return self._scores[0]

    # --- one member

    def find(self, score: float, member: bytes) -> int:
        """How many are less than ``score`` with ``member``, which may be there or not."""
        place = bisect_left(self._scores, score)
        if place == len(self._scores) or self._scores[place] != score:
            return place
        return bisect_left(self._members, member, place, bisect_right(self._scores, score, place))

    def below(self, score: float, inclusive: bool) -> int:
        """How many have a score less than ``score``, or equal to it if ``inclusive``."""
        return bisect_right(self._scores, score) if inclusive else bisect_left(self._scores, score)

    def add(self, score: float, member: bytes) -> int:
        """Put ``member``, which is not there, at its place, which is returned."""
        place = self.find(score, member)
        self._scores.insert(place, score)
        self._members.insert(place, member)
        return place

    def remove(self, score: float, member: bytes) -> None:
        """Take ``member`` away; KeyError if it is not there with ``score``."""
        place = self._find_present(score, member)
        del self._scores[place]
        del self._members[place]

    def move(self, score: float, member: bytes, new: float) -> bool:
        """Give ``member`` its ``new`` score where it stands, between two others: True; else take it away: False.

        KeyError if it is not there with ``score``.
        """
        place = self._find_present(score, member)
        scores = self._scores
        if 0 < place < len(scores) - 1 and scores[place - 1] < new < scores[place + 1]:
            scores[place] = new
            return True
        del scores[place]
        del self._members[place]
        return False

    def pop(self, place: int) -> tuple[bytes, float]:
        """Take the member at ``place`` away, which is returned with its score. IndexError if there is none."""
        self._check(place, len(self) - 1)
        return self._members.pop(place), self._scores.pop(place)

    # --- many members; a ``stop`` may be behind the last one

    def members(self, start: int, stop: int) -> list[bytes]:
        self._check(start, len(self))
        return self._members[start:stop]

    def scores(self, start: int, stop: int) -> list[float]:
        self._check(start, len(self))
        return self._scores[start:stop].tolist()

    def cut(self, start: int, stop: int) -> list[bytes]:
        """Take members away; who they were."""
        gone = self.members(start, stop)
        del self._scores[start:stop]
        del self._members[start:stop]
        return gone

    def split(self, place: int) -> "Bucket":
        """Take what stands from ``place`` on into a bucket of its own."""
        self._check(place, len(self))
        other = Bucket(self._scores[place:].tolist(), self._members[place:])
        del self._scores[place:]
        del self._members[place:]
        return other

    def join(self, other: "Bucket") -> None:
        """What ``other`` has follows on what is here."""
        self._scores += other._scores
        self._members += other._members

    def copy(self) -> "Bucket":
        return Bucket(self._scores.tolist(), self._members)

    def _find_present(self, score: float, member: bytes) -> int:
        place = self.find(score, member)
        if place == len(self) or self._scores[place] != score or self._members[place] != member:
            raise KeyError("the member is not there with that score")
        return place

    def _check(self, place: int, most: int) -> None:
        if not 0 <= place <= most:
            raise IndexError("no place in the bucket")
