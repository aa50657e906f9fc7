"""What is in an RDB, counted as it is read."""

import time
from collections.abc import Iterable

from gossamer.cluster.text import printable, text_of
from gossamer.node.persist.events import Aux, End, Event, Function, Header, Key


class Keys:
    """Of one database: all, those that end one day, those that have ended."""

    def __init__(self) -> None:
        self.all = self.volatile = self.expired = 0

    def __str__(self) -> str:
        return f"{self.all:,} keys, {self.volatile:,} expire, {self.expired:,} have expired"


class Contents:
    """``take`` events, then ask for ``lines``."""

    def __init__(self) -> None:
        self.header: Header | None = None
        self.aux: list[Aux] = []
        self.databases: dict[int, Keys] = {}
        self.functions = 0
        self.end: End | None = None
        self._now_ms = time.time() * 1000

    def take(self, events: Iterable[Event]) -> None:
        for event in events:
            if isinstance(event, Key):
                self._take_key(event)
            elif isinstance(event, Header):
                self.header = event
            elif isinstance(event, Aux):
                self.aux.append(event)
            elif isinstance(event, Function):
                self.functions += 1
            elif isinstance(event, End):
                self.end = event

    def _take_key(self, event: Key) -> None:
        keys = self.databases.setdefault(event.db, Keys())
        keys.all += 1
        keys.volatile += event.end >= 0
        keys.expired += 0 <= event.end < self._now_ms

    def lines(self) -> list[str]:
        """For people: one fact a line."""
        if self.header is None:
            return []
        out = [f"RDB version {self.header.version} of {'Valkey' if self.header.valkey else 'Redis'}"]
        out += [f"{printable(text_of(aux.name))} = {printable(text_of(aux.value))}" for aux in self.aux]
        out += [f"database {db}: {keys}" for db, keys in sorted(self.databases.items())]
        if self.functions:
            out.append(f"libraries of functions: {self.functions}")
        if self.end is not None:
            out.append("the checksum is right" if self.end.checked else "it was written without a checksum")
        return out
