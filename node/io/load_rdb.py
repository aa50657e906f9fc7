"""The RDB file that a node begins with, read in pieces between the requests of others, who are told LOADING."""

import os
import time
from typing import Final

import trio

from gossamer.node.io.clients import Clients
from gossamer.node.io.collector import at_rest
from gossamer.node.io.log import Log
from gossamer.node.saving.rdb_load import LoadError, RdbLoad

READ_BYTES: Final = 1 << 18
FEED_BYTES: Final = 1 << 13
"""Less than a millisecond's work, whatever the file holds."""
STEP_S: Final = 0.001
"""After so long it is the others' turn."""
REPORT_S: Final = 2.0


async def load_rdb(clients: Clients, log: Log) -> None:
    """Load ``dbfilename`` if it is there. LoadError if it cannot be read, or not to its end: it stays as it is."""
    machine = clients.machine
    path = machine.server.config.text("dbfilename")
    try:
        fd = os.open(path, os.O_RDONLY)
    except FileNotFoundError:
        return
    except OSError as error:
        raise LoadError(f"{path}: {error.strerror}") from None
    began = time.perf_counter()
    try:
        clients.begin()
        load = RdbLoad(machine.server, machine.replication, path, os.fstat(fd).st_size)
        clients.finish()
        machine.saves.loading = load
        with at_rest():
            await read_all(fd, load, clients, log)
        clients.begin()
        load.finish(machine.saves)
        clients.finish()
    except OSError as error:
        raise LoadError(f"{path}: {error.strerror}") from None
    finally:
        os.close(fd)
        machine.saves.loading = None
    saves = machine.saves
    log.write("notice", f"Done loading RDB, keys loaded: {saves.loaded_keys}, keys expired: {saves.loaded_expired}.")
    log.write("notice", f"DB loaded from disk: {time.perf_counter() - began:.3f} seconds")


async def read_all(fd: int, load: RdbLoad, clients: Clients, log: Log) -> None:
    """``key-load-delay`` (µs for each key) makes it slow, for tests."""
    delay_us = max(0, clients.machine.server.config.integer("key-load-delay"))
    report = time.perf_counter() + REPORT_S
    pause = 0.0
    while data := os.read(fd, READ_BYTES):
        for at in range(0, len(data), FEED_BYTES):
            before = load.keys
            load.feed(data[at : at + FEED_BYTES])
            delay_s = delay_us * (load.keys - before) / 1_000_000
            if delay_s or time.perf_counter() >= pause:
                await trio.sleep(delay_s)
                pause = time.perf_counter() + STEP_S
        if time.perf_counter() >= report:
            report += REPORT_S
            log.write("notice", f"Loading RDB: {load.read * 100 // load.size} %, {load.keys} keys")
