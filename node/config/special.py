"""Directives with a syntax of their own: save, bind, client-output-buffer-limit and the like (Redis 7.0 behaviour)."""

import re
from collections.abc import Sequence
from typing import Final

from attrs import frozen

from gossamer.node.config import numbers
from gossamer.node.config.errors import BadValue
from gossamer.node.config.kinds import WRONG_COUNT, Kind, Text, Written, one_of
from gossamer.node.config.words import quote, quote_if_needed

MAX_BIND_ADDRESSES: Final = 16
_EVENT_CLASSES: Final = "g$lshzxetd"
"""The classes that ``A`` stands for, in the order CONFIG GET shows them."""
_DOUBLE: Final = re.compile(r"[+-]?([0-9]+\.?[0-9]*|\.[0-9]+)(e[+-]?[0-9]+)?", re.ASCII | re.IGNORECASE)


@frozen
class SavePoint:
    """Snapshot after ``seconds`` if at least ``changes`` keys changed."""

    seconds: int
    changes: int


@frozen
class BufferLimit:
    """Limits of one client class's output: bytes at once, or bytes for longer than so many seconds; 0 is no limit."""

    hard_bytes: int
    soft_bytes: int
    soft_seconds: int


class Save(Kind[tuple[SavePoint, ...]]):
    many = True
    accumulates = True

    def parse(self, args: Sequence[str], current: tuple[SavePoint, ...]) -> tuple[SavePoint, ...]:
        if list(args) == [""]:
            return ()
        values = [numbers.loose(arg) for arg in args]
        points = []
        for seconds, changes in zip(values[::2], values[1::2], strict=False):
            if seconds is None or changes is None or seconds < 1 or changes < 0:
                raise BadValue("Invalid save parameters")
            points.append(SavePoint(seconds, changes))
        if len(args) % 2:
            raise BadValue("Invalid save parameters")
        return tuple(points)

    def show(self, value: tuple[SavePoint, ...]) -> str:
        return " ".join(f"{point.seconds} {point.changes}" for point in value)

    def write(self, value: tuple[SavePoint, ...], default: tuple[SavePoint, ...]) -> list[Written]:
        return [(f"{point.seconds} {point.changes}", True) for point in value] or [('""', True)]


class BufferLimits(Kind[tuple[BufferLimit, BufferLimit, BufferLimit]]):
    """Limits of normal clients, replicas and subscribers, in this order; classes that are not named keep theirs."""

    many = True
    classes: Final = {"normal": 0, "slave": 1, "replica": 1, "pubsub": 2}

    def parse(
        self, args: Sequence[str], current: tuple[BufferLimit, BufferLimit, BufferLimit]
    ) -> tuple[BufferLimit, BufferLimit, BufferLimit]:
        if len(args) % 4:
            raise BadValue("Wrong number of arguments in buffer limit configuration.")
        limits = list(current)
        for at in range(0, len(args), 4):
            index = self.classes.get(args[at].lower())
            if index is None:
                raise BadValue("Invalid client class specified in buffer limit configuration.")
            hard, soft, seconds = (
                numbers.memory(args[at + 1]),
                numbers.memory(args[at + 2]),
                numbers.loose(args[at + 3]),
            )
            if hard is None or soft is None or seconds is None or seconds < 0:
                raise BadValue("Error in hard, soft or soft_seconds setting in buffer limit configuration.")
            limits[index] = BufferLimit(hard, soft, seconds)
        return limits[0], limits[1], limits[2]

    def show(self, value: tuple[BufferLimit, BufferLimit, BufferLimit]) -> str:
        names = ("normal", "slave", "pubsub")
        return " ".join(
            f"{name} {limit.hard_bytes} {limit.soft_bytes} {limit.soft_seconds}"
            for name, limit in zip(names, value, strict=True)
        )

    def write(
        self,
        value: tuple[BufferLimit, BufferLimit, BufferLimit],
        default: tuple[BufferLimit, BufferLimit, BufferLimit],
    ) -> list[Written]:
        lines = []
        for name, limit, usual in zip(("normal", "replica", "pubsub"), value, default, strict=True):
            sizes = f"{numbers.show_memory(limit.hard_bytes)} {numbers.show_memory(limit.soft_bytes)}"
            lines.append((f"{name} {sizes} {limit.soft_seconds}", limit != usual))
        return lines


class OomScores(Kind[tuple[int, ...]]):
    many = True

    def parse(self, args: Sequence[str], current: tuple[int, ...]) -> tuple[int, ...]:
        if len(args) != 3:
            raise BadValue(WRONG_COUNT)
        scores = []
        for arg in args:
            score = numbers.loose(arg)
            if score is None or not -2000 <= score <= 2000:
                raise BadValue("Invalid oom-score-adj-values, elements must be between -2000 and 2000.")
            scores.append(score)
        return tuple(scores)

    def show(self, value: tuple[int, ...]) -> str:
        return " ".join(map(str, value))


class KeyspaceEvents(Kind[str]):
    """Classes of events in one normal order, ``A`` for all classes but misses and new keys.

    Redis 7.0 does not show ``n`` beside ``A``, though it is in force; the value keeps it, the shown text does not.
    """

    def parse(self, args: Sequence[str], current: str) -> str:
        given = set(args[0])
        if not given <= set(_EVENT_CLASSES + "AKEmn"):
            raise BadValue("Invalid event class character. Use 'Ag$lshzxeKEtmdn'.")
        if "A" in given or given >= set(_EVENT_CLASSES):
            given = given - set(_EVENT_CLASSES) | {"A"}
        return "".join(letter for letter in "A" + _EVENT_CLASSES + "nKEm" if letter in given)

    def show(self, value: str) -> str:
        return value.replace("n", "") if value.startswith("A") else value

    def write(self, value: str, default: str) -> list[Written]:
        return [(quote(self.show(value)), value != default)]


class Bind(Kind[tuple[str, ...]]):
    many = True

    def parse(self, args: Sequence[str], current: tuple[str, ...]) -> tuple[str, ...]:
        if len(args) > MAX_BIND_ADDRESSES:
            raise BadValue("Too many bind addresses specified.")
        return () if list(args) == [""] else tuple(args)

    def show(self, value: tuple[str, ...]) -> str:
        return " ".join(value)

    def write(self, value: tuple[str, ...], default: tuple[str, ...]) -> list[Written]:
        return [] if value == default else [(" ".join(map(quote_if_needed, value)) or '""', True)]


class ReplicaOf(Kind[tuple[str, int] | None]):
    many = True

    def parse(self, args: Sequence[str], current: tuple[str, int] | None) -> tuple[str, int] | None:
        if len(args) != 2:
            raise BadValue(WRONG_COUNT)
        if args[0].lower() == "no" and args[1].lower() == "one":
            return None
        port = numbers.loose(args[1])
        if port is None or not 0 <= port <= 65535:
            raise BadValue("Invalid master port")
        return args[0], port

    def show(self, value: tuple[str, int] | None) -> str:
        return "" if value is None else f"{value[0]} {value[1]}"

    def write(self, value: tuple[str, int] | None, default: tuple[str, int] | None) -> list[Written]:
        return [] if value is None else [(f"{quote_if_needed(value[0])} {value[1]}", True)]


class Percentiles(Kind[tuple[float, ...]]):
    many = True

    def parse(self, args: Sequence[str], current: tuple[float, ...]) -> tuple[float, ...]:
        if list(args) == [""]:
            return ()
        values = []
        for arg in args:
            if not _DOUBLE.fullmatch(arg):
                raise BadValue("Invalid latency-tracking-info-percentiles parameters")
            value = float(arg)
            if not 0.0 <= value <= 100.0:
                raise BadValue("latency-tracking-info-percentiles parameters should sit between [0.0,100.0]")
            values.append(value)
        return tuple(values)

    def show(self, value: tuple[float, ...]) -> str:
        return " ".join(f"{percentile:f}".rstrip("0").rstrip(".") for percentile in value)

    def write(self, value: tuple[float, ...], default: tuple[float, ...]) -> list[Written]:
        return [(self.show(value) or '""', True)]


class SignalOptions(Kind[tuple[str, ...]]):
    """How to shut down on a signal: the words of SHUTDOWN, in one order; none is ``default``."""

    many = True
    words: Final = ("default", "save", "nosave", "now", "force")
    known: Final = (*words, "failover")
    """Also that of Valkey 9.1, which the error text of Redis does not name."""

    def parse(self, args: Sequence[str], current: tuple[str, ...]) -> tuple[str, ...]:
        given = {arg.lower() for arg in args}
        if not given or not given <= set(self.known):
            raise BadValue(one_of(self.words))
        if {"save", "nosave"} <= given:
            raise BadValue("shutdown options SAVE and NOSAVE can't be used simultaneously")
        return tuple(word for word in self.known[1:] if word in given)

    def show(self, value: tuple[str, ...]) -> str:
        return " ".join(value) or "default"


class Directory(Text):
    """A directory; CONFIG REWRITE always pins it, since the file may be read from elsewhere next time."""

    def write(self, value: str, default: str) -> list[Written]:
        return [(quote(value), True)] if value else []
