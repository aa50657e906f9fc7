"""Clients that count up keys for as long as a block lasts, and afterwards say what the cluster has confirmed.

    writer = Shell(node.port, names)
    with writer.at_work():
        writer.wait_more()
        ...something happens to the cluster...
        writer.wait_more()
    writer.verify(owner)

INCR shows what a SET would hide: a write that was lost stays lost, whatever is written afterwards.
"""

import operator
import os
import subprocess
import threading
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from subprocess import PIPE, STDOUT
from typing import Final

from redis.cluster import RedisCluster
from redis.exceptions import RedisError

from tests.integration.clusters import wait_until
from tests.integration.nodes import Node
from tests.integration.test_clients import node_js, node_modules, redis_cli

AGAIN_S: Final = 0.01
"""Between an error and the next write."""

END_S: Final = 30.0
Reply = int | str
"""The new value, or the words of an error."""


class Writer:
    """Writes in rounds, one INCR for each of ``names``, in a thread of its own. What fails is not repeated: the next
    round comes.

    ``acknowledged`` is how often the cluster has confirmed each. ``trouble`` is the first thing that does not happen in
    a cluster that is well: an error that the client gave to its program, or a value that is not the next one.
    """

    def __init__(self, names: Sequence[str]) -> None:
        self.acknowledged = dict.fromkeys(names, 0)
        self.count = 0
        """Of all acknowledged writes."""
        self.trouble = ""
        self._names = names
        self._stop = threading.Event()
        self._task = threading.Thread(target=self._write, daemon=True)

    def round(self) -> Iterator[Reply]:
        """One INCR for each name; a reply for each, in order."""
        raise NotImplementedError

    @contextmanager
    def at_work(self) -> Iterator[None]:
        self._task.start()
        try:
            yield
        finally:
            self._stop.set()
            self._task.join(END_S)
        assert not self._task.is_alive(), f"{self} hangs"

    def _write(self) -> None:
        try:
            while not self._stop.is_set():
                for name, told in zip(self._names, self.round(), strict=True):
                    self._note(name, told)
        except Exception as error:
            self.trouble = repr(error)

    def _note(self, name: str, told: Reply) -> None:
        if isinstance(told, int):
            self.count += 1
            self.acknowledged[name] += 1
        if told != self.acknowledged[name]:
            self.trouble = self.trouble or f"{name} was confirmed {self.acknowledged[name]} times, then came {told!r}"
        if isinstance(told, str):
            self._stop.wait(AGAIN_S)

    def wait_more(self, count: int = 0, within_s: float = END_S) -> None:
        """Until so many further writes are acknowledged, or as many as two rounds have."""
        goal = self.count + (count or 2 * len(self._names))
        wait_until(lambda: self.count >= goal, f"{self} goes on ({self.trouble})", within_s)

    def verify(self, owner: Node) -> None:
        """All went well, and ``owner`` has what was acknowledged and nothing else."""
        assert not self.trouble, f"{self}: {self.trouble}"
        self._compare(owner, operator.ne)

    def verify_nothing_lost(self, owner: Node) -> None:
        """Whatever happened, ``owner`` has all that was acknowledged; what was not may have been done as well."""
        self._compare(owner, operator.lt)

    def _compare(self, owner: Node, is_wrong: Callable[[int, int], bool]) -> None:
        acknowledged = dict(self.acknowledged)  # by now, and writes may go on
        found = {name: int(owner.ask("GET", name).text or 0) for name in acknowledged}
        wrong = {name: (found[name], number) for name, number in acknowledged.items() if is_wrong(found[name], number)}
        assert not wrong, f"{self}: {owner} has, and has acknowledged: {wrong}"

    def __repr__(self) -> str:
        return f"<{type(self).__name__} after {self.count} writes>"


class Python(Writer):
    """redis-py, one write after the other."""

    def __init__(self, port: int, names: Sequence[str], patience_s: float | None = None) -> None:
        super().__init__(names)
        self._client = RedisCluster(host="127.0.0.1", port=port, socket_timeout=patience_s)

    def round(self) -> Iterator[Reply]:
        for name in self._names:
            try:
                yield self._client.incr(name)
            except (RedisError, OSError) as error:
                yield repr(error)

    @contextmanager
    def at_work(self) -> Iterator[None]:
        with self._client, super().at_work():
            yield


class PipeliningPython(Python):
    """redis-py, each round in one pipeline."""

    def round(self) -> Iterator[Reply]:
        pipeline = self._client.pipeline()  # type: ignore[no-untyped-call]
        for name in self._names:
            pipeline.incr(name)
        for told in pipeline.execute(raise_on_error=False):
            yield told if isinstance(told, int) else repr(told)


class Lines(Writer):
    """A program that reads commands and prints replies, line by line. A round is given to it as a whole."""

    def __init__(self, words: Sequence[str], names: Sequence[str], environment: dict[str, str] | None = None) -> None:
        super().__init__(names)
        self._words = words
        self._environment = {**os.environ, **(environment or {})}

    @contextmanager
    def at_work(self) -> Iterator[None]:
        self._process = subprocess.Popen(
            self._words, stdin=PIPE, stdout=PIPE, stderr=STDOUT, text=True, env=self._environment
        )
        try:
            with super().at_work():
                yield
        finally:
            self._process.kill()
            self._process.communicate()

    def round(self) -> Iterator[Reply]:
        assert self._process.stdin is not None
        self._process.stdin.write("".join(f"INCR {name}\n" for name in self._names))
        self._process.stdin.flush()
        for _ in self._names:
            line = self._line()
            yield int(line) if line.isdigit() else line

    def _line(self) -> str:
        assert self._process.stdout is not None
        line = self._process.stdout.readline()
        if not line:
            raise EOFError
        return line.rstrip("\n")


class NodeJs(Lines):
    """ioredis, a round of commands under way together."""

    def __init__(self, ports: Sequence[int], names: Sequence[str]) -> None:
        script = str(Path(__file__).with_name("ioredis-lines.js"))
        super().__init__([node_js(), script, *map(str, ports)], names, {"NODE_PATH": node_modules()})


class Shell(Lines):
    """redis-cli -c, which sends a line when the one before is answered."""

    def __init__(self, port: int, names: Sequence[str]) -> None:
        super().__init__([redis_cli(), "-c", "-p", str(port)], names)

    def _line(self) -> str:
        while (line := super()._line()).startswith("-> Redirected to slot "):
            pass
        return line
