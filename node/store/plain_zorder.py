"""Steps through the buckets of a sorted set, in Python: what ``zorder.h`` does in C, and what both promise.

``lows`` has the first score of each bucket, ``own`` whether it may be changed. No bucket is empty. What is more than
one step is not done, and nothing has changed then.
"""

from array import array

from gossamer.node.store.plain_bucket import Bucket
from gossamer.node.store.plain_search import count_less, count_up_to

NOT_IN_ONE_STEP = -1
STAYS = -2


def order_index(buckets: list[Bucket], own: list[bool], lows: "array[float]", score: float, member: bytes) -> int:
    """The last bucket that begins with ``score`` and ``member`` or less; the first one if none does."""
    high = count_up_to(lows, score)
    if high == 0:
        return 0
    if lows[high - 1] != score:
        return high - 1
    low = count_less(lows, score)
    while low < high:
        middle = (low + high) >> 1
        if buckets[middle].first <= member:
            low = middle + 1
        else:
            high = middle
    return max(low - 1, 0)


def order_add(
    buckets: list[Bucket], own: list[bool], lows: "array[float]", score: float, member: bytes, most: int
) -> int:
    """Put ``member``, which is not there, into its bucket, whose number is returned.

    ``NOT_IN_ONE_STEP`` if there is none, or if it has ``most`` members or may not be changed.
    """
    index = order_index(buckets, own, lows, score, member)
    if not buckets or not own[index] or len(buckets[index]) >= most:
        return NOT_IN_ONE_STEP
    if buckets[index].add(score, member) == 0:
        lows[index] = score
    return index


def order_leave(
    buckets: list[Bucket], own: list[bool], lows: "array[float]", score: float, member: bytes, new: float, few: int
) -> int:
    """``member``, which is there with ``score``, gets a ``new`` one in its bucket: ``STAYS``; or it leaves the bucket,
    whose number is returned. KeyError if it is not there.

    ``NOT_IN_ONE_STEP`` if the bucket has no more than ``few`` members, or one, or may not be changed.
    """
    index = order_index(buckets, own, lows, score, member)
    if not buckets or not own[index] or len(buckets[index]) <= max(few, 1):
        return NOT_IN_ONE_STEP
    if buckets[index].move(score, member, new):
        return STAYS
    lows[index] = buckets[index].low
    return index


def order_pop(
    buckets: list[Bucket], own: list[bool], lows: "array[float]", highest: bool, few: int
) -> tuple[bytes, float] | None:
    """Take away the first member, or the last one if it is the ``highest`` that is wanted, with its score.

    None if that is more than one step: no bucket, or one with no more than ``few`` members, or one, or it is shared.
    """
    index = len(buckets) - 1 if highest else 0
    if not buckets or not own[index] or len(buckets[index]) <= max(few, 1):
        return None
    popped = buckets[index].pop(len(buckets[index]) - 1 if highest else 0)
    lows[index] = buckets[index].low
    return popped
