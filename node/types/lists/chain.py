"""A long list: packed runs of items in the middle, and at both ends items one by one, where most changes are.

Runs are never changed, only replaced, so a copy shares them. An end that has grown to twice ``SPARE`` items is packed
in part, one that is empty takes as many from the run beside it: whoever pushes and pops by turns causes neither.
"""

from bisect import bisect_right
from itertools import accumulate
from typing import Final

from gossamer.node.types.lists.items import between, cut, hits, inserted, items_of, replaced, skip

SPARE: Final = 48
"""Items that an end is given, or that are packed, at once."""
LONGEST: Final = 256
"""Items of a run, and ..."""
WIDEST: Final = 8192
"""... bytes, unless it is a single item."""


class Chain:
    """``front``: the first items, backwards. ``counts``: of the items in each of ``runs``. ``back``: the last items."""

    def __init__(self) -> None:
        self.front: list[bytes] = []
        self.runs: list[bytes] = []
        self.counts: list[int] = []
        self.back: list[bytes] = []
        self.ends: list[int] | None = None
        """Up to which index each of ``runs`` goes, counted from the first run on; None until somebody asks."""

    def begin(self, run: bytes, count: int) -> None:
        """All that the chain holds is ``run``, a short list."""
        self._append(run, count)
        if len(run) > WIDEST:
            self._split(0)

    def copy(self) -> "Chain":
        other = Chain()
        other.front = self.front.copy()
        other.runs = self.runs.copy()
        other.counts = self.counts.copy()
        other.back = self.back.copy()
        other.ends = self.ends  # a list that is never changed, only replaced
        return other

    # --- parts: the front, each run, the back

    def parts(self) -> int:
        return len(self.runs) + 2

    def part_length(self, part: int) -> int:
        if part == 0:
            return len(self.front)
        return len(self.back) if part > len(self.runs) else self.counts[part - 1]

    def part(self, part: int) -> bytes:
        """Its items, as a run."""
        if part == 0:
            return b"".join(self.front[::-1])
        return b"".join(self.back) if part > len(self.runs) else self.runs[part - 1]

    def all_runs(self) -> list[bytes]:
        """All items in runs, those at the ends too."""
        front = [run for run, _ in runs_of(self.front[::-1])]
        return front + self.runs + [run for run, _ in runs_of(self.back)]

    def find(self, index: int) -> tuple[int, int]:
        """The part that has the item at ``index``, and its index therein."""
        if index < len(self.front):
            return 0, index
        index -= len(self.front)
        ends = self.ends
        if ends is None:
            ends = self.ends = list(accumulate(self.counts))
        at = bisect_right(ends, index)
        return at + 1, index - ends[at - 1] if at else index

    # --- the ends

    def push_left(self, item: bytes) -> None:
        self.front.append(item)
        if len(self.front) >= 2 * SPARE:
            self._pack_front()

    def push_right(self, item: bytes) -> None:
        self.back.append(item)
        if len(self.back) >= 2 * SPARE:
            self._pack_back()

    def pop_left(self) -> bytes:
        if not self.front:
            self._fill_front()
        return self.front.pop()

    def pop_right(self) -> bytes:
        if not self.back:
            self._fill_back()
        return self.back.pop()

    def _pack_front(self) -> None:
        packed = self.front[SPARE - 1 :: -1]
        del self.front[:SPARE]
        for run, count in reversed(runs_of(packed)):
            if self.runs and fits(run, count, self.runs[0], self.counts[0]):
                self._put(0, run + self.runs[0], count + self.counts[0])
            else:
                self._replace(0, 0, [(run, count)])

    def _pack_back(self) -> None:
        packed = self.back[:SPARE]
        del self.back[:SPARE]
        for run, count in runs_of(packed):
            self._append(run, count)

    def _append(self, run: bytes, count: int) -> None:
        if self.runs and fits(run, count, self.runs[-1], self.counts[-1]):
            self._put(len(self.runs) - 1, self.runs[-1] + run, count + self.counts[-1])
        else:
            end = len(self.runs)
            self._replace(end, end, [(run, count)])

    def _fill_front(self) -> None:
        """From the run beside it, or else from the other end."""
        if not self.runs:
            self.front, self.back = self.back[::-1], []
            return
        run, count = self.runs[0], self.counts[0]
        at = skip(run, 0, SPARE) if count > SPARE else len(run)
        self.front = items_of(run[:at])[::-1]
        self._replace(0, 1, [(run[at:], count - len(self.front))])

    def _fill_back(self) -> None:
        if not self.runs:
            self.front, self.back = [], self.front[::-1]
            return
        run, count = self.runs[-1], self.counts[-1]
        at = skip(run, 0, count - SPARE) if count > SPARE else 0
        self.back = items_of(run[at:])
        end = len(self.runs)
        self._replace(end - 1, end, [(run[:at], count - len(self.back))])

    # --- runs

    def _replace(self, start: int, stop: int, made: list[tuple[bytes, int]]) -> None:
        """Those of ``made`` that hold something take the place of the runs from ``start`` up to ``stop``."""
        self.runs[start:stop] = [run for run, count in made if count]
        self.counts[start:stop] = [count for _, count in made if count]
        self.ends = None

    def _put(self, at: int, run: bytes, count: int) -> None:
        self.runs[at] = run
        if self.counts[at] != count:
            self.counts[at] = count
            self.ends = None

    def _split(self, at: int) -> None:
        """The run ``at`` has grown too long: two or more take its place."""
        self._replace(at, at + 1, runs_of(items_of(self.runs[at]), LONGEST // 2))

    # --- anywhere

    def item(self, index: int) -> bytes:
        part, inside = self.find(index)
        if part == 0:
            return self.front[-1 - inside]
        if part > len(self.runs):
            return self.back[inside]
        return between(self.runs[part - 1], inside, inside + 1)

    def replace(self, index: int, item: bytes) -> None:
        part, inside = self.find(index)
        if part == 0:
            self.front[-1 - inside] = item
        elif part > len(self.runs):
            self.back[inside] = item
        else:
            self._change(part - 1, replaced(self.runs[part - 1], inside, item), self.counts[part - 1])

    def insert(self, index: int, item: bytes) -> None:
        """``item`` gets ``index``, which is that of another one now."""
        part, inside = self.find(index)
        if part == 0:
            self.front.insert(len(self.front) - inside, item)
            if len(self.front) >= 2 * SPARE:
                self._pack_front()
        elif part > len(self.runs):
            self.back.insert(inside, item)
            if len(self.back) >= 2 * SPARE:
                self._pack_back()
        else:
            self._change(part - 1, inserted(self.runs[part - 1], inside, item), self.counts[part - 1] + 1)

    def _change(self, at: int, run: bytes, count: int) -> None:
        self._put(at, run, count)
        if count > LONGEST or (len(run) > WIDEST and count > 1):
            self._split(at)

    def joined(self, start: int, stop: int) -> bytes:
        """The items from ``start`` up to ``stop`` as one run."""
        part, inside = self.find(start)
        left = stop - start
        pieces: list[bytes] = []
        while left > 0:
            held = self.part_length(part)
            end = min(held, inside + left)
            if 0 < part <= len(self.runs):
                run = self.runs[part - 1]
                pieces.append(run if end - inside == held else between(run, inside, end))
            elif part == 0:
                pieces += self.front[held - end : held - inside][::-1]
            else:
                pieces += self.back[inside:end]
            left -= end - inside
            part += 1
            inside = 0
        return b"".join(pieces)

    def delete(self, start: int, stop: int) -> int:
        """Drop the items from ``start`` up to ``stop``; how many bytes they had."""
        assert start < stop
        first, inside = self.find(start)
        last, end = self.find(stop)
        count = len(self.runs)
        gone = 0
        if first == 0:
            gone += dropped(self.front, 0 if last else len(self.front) - end, len(self.front) - inside)
            first, inside = 1, 0
        if last > count:
            gone += dropped(self.back, inside if first > count else 0, end)
            last, end = count + 1, 0
        if last and (first, inside) < (last, end):
            gone += self._delete_runs(first - 1, inside, last - 1, end)
        return gone

    def _delete_runs(self, first: int, inside: int, last: int, end: int) -> int:
        """From the item ``inside`` run ``first`` up to the item ``end`` of run ``last``."""
        runs, counts = self.runs, self.counts
        kept: list[tuple[bytes, int]] = []
        if first == last:
            kept.append((cut(runs[first], inside, end), counts[first] - (end - inside)))
        else:
            kept.append((between(runs[first], 0, inside), inside))
            if end:
                kept.append((between(runs[last], end, counts[last]), counts[last] - end))
        behind = last + 1 if end else last
        before = sum([len(run) for run in runs[first:behind]])
        self._replace(first, behind, kept)
        return before - sum([len(run) for run, _ in kept])

    # --- by content

    def part_hits(self, part: int, item: bytes) -> list[int]:
        """The indices at which ``item`` stands in a part."""
        if part == 0:
            held = self.front[::-1]
        elif part > len(self.runs):
            held = self.back
        else:
            return hits(self.runs[part - 1], item)
        return [index for index, other in enumerate(held) if other == item] if item in held else []

    def drop(self, part: int, indices: list[int]) -> None:
        """Take the items at ``indices``, in ascending order, out of a part; an empty run stays until ``tidy``."""
        if part == 0:
            held = len(self.front)
            for index in indices:
                del self.front[held - 1 - index]
        elif part > len(self.runs):
            for index in reversed(indices):
                del self.back[index]
        else:
            items = items_of(self.runs[part - 1])
            for index in reversed(indices):
                del items[index]
            self._put(part - 1, b"".join(items), len(items))

    def tidy(self) -> None:
        """Runs without items are gone."""
        self.runs = [run for run in self.runs if run]
        self.counts = [count for count in self.counts if count]
        self.ends = None


def dropped(items: list[bytes], start: int, stop: int) -> int:
    """Drop a part of ``items``; how many bytes they had."""
    gone = sum([len(item) for item in items[start:stop]])
    del items[start:stop]
    return gone


def fits(run: bytes, count: int, other: bytes, other_count: int) -> bool:
    """May two runs become one?"""
    return count + other_count <= LONGEST and len(run) + len(other) <= WIDEST


def runs_of(items: list[bytes], most: int = LONGEST) -> list[tuple[bytes, int]]:
    """``items`` packed into runs of at most ``most``, with their counts."""
    made: list[tuple[bytes, int]] = []
    if 0 < len(items) <= most:
        whole = b"".join(items)
        if len(whole) <= WIDEST or len(items) == 1:
            return [(whole, len(items))]
    at = 0
    while at < len(items):
        end, size = at + 1, len(items[at])
        while end < len(items) and end - at < most and size + len(items[end]) <= WIDEST:
            size += len(items[end])
            end += 1
        made.append((b"".join(items[at:end]), end - at))
        at = end
    return made
