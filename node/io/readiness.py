"""How a ``Poller`` tells what is ready. Most that is has only input, and is told in the cheapest way."""

from typing import Final, TypeAlias

READ: Final = 1
WRITE: Final = 4
"""EPOLLIN and EPOLLOUT; errors and hang-ups set other bits and are found by reading."""

Ready: TypeAlias = tuple[list[int], list[tuple[int, int]]]
"""Descriptors that are readable and nothing else, and ``(fd, events)`` of others."""


def sort_out(events: list[tuple[int, int]]) -> Ready:
    readable = [fd for fd, bits in events if bits == READ]
    if len(readable) == len(events):
        return readable, []
    return readable, [event for event in events if event[1] != READ]
