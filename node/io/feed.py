"""How a node reads the files that it begins with: a little at a time, between the requests of others."""

import time
from typing import Final

import trio

from gossamer.node.io.clients import Clients
from gossamer.node.io.data_file import DataFile
from gossamer.node.io.log import Log
from gossamer.node.saving.loading import Loading

READ_BYTES: Final = 1 << 18
FEED_BYTES: Final = 1 << 14
"""Less than a millisecond's work, whatever the file holds."""
STEP_S: Final = 0.004
"""After so long it is the others' turn. Clients hear nothing but LOADING, so that a turn costs more than it is worth;
Redis gives them one every 2 MB."""
REPORT_S: Final = 2.0


async def feed_all(file: DataFile, load: Loading, clients: Clients, log: Log) -> None:
    """Give ``load`` all of ``file``. ``key-load-delay`` (µs for each key or command) makes it slow, for tests.

    LoadError, SealError, OSError.
    """
    delay_us = max(0, clients.machine.server.config.integer("key-load-delay"))
    report = time.perf_counter() + REPORT_S
    overhead = 0
    while data := file.read(READ_BYTES):
        at = 0
        load.read += file.overhead - overhead
        overhead = file.overhead
        while at < len(data):
            before = load.steps
            clients.begin()
            at = feed_some(load, data, at, 0 if delay_us else STEP_S)
            clients.finish()
            await trio.sleep(delay_us * (load.steps - before) / 1_000_000)
        if time.perf_counter() >= report:
            report += REPORT_S
            log.write("notice", load.progress())


def feed_some(load: Loading, data: bytes, at: int, for_s: float) -> int:
    """About so much time's work, from ``at`` on; where it ends."""
    until = time.perf_counter() + for_s
    while at < len(data):
        load.feed(data[at : at + FEED_BYTES])
        at += FEED_BYTES
        if time.perf_counter() >= until:
            break
    return at
