"""The RDB file that a node begins with."""

import time

from gossamer.node.io.clients import Clients
from gossamer.node.io.collector import at_rest
from gossamer.node.io.data_file import DataFile
from gossamer.node.io.feed import feed_all
from gossamer.node.io.keys import Keys
from gossamer.node.io.log import Log
from gossamer.node.io.unsealed import tell_unsealed
from gossamer.node.persist.sealed.form import SealError
from gossamer.node.saving.loading import LoadError
from gossamer.node.saving.rdb_load import RdbLoad


async def load_rdb(clients: Clients, log: Log, keys: Keys) -> None:
    """Load ``dbfilename`` if it is there. LoadError if it cannot be read, or not to its end: it stays as it is."""
    machine = clients.machine
    saves = machine.saves
    path = machine.server.config.text("dbfilename")
    began = time.perf_counter()
    try:
        with DataFile(path, keys) as file:
            clients.begin()
            load = RdbLoad(machine.server, machine.replication, path, file.size)
            clients.finish()
            saves.loading = load
            with at_rest():
                await feed_all(file, load, clients, log)
            tell_unsealed(path, file, keys, "SAVE", log)
            clients.begin()
            load.finish(saves)
            clients.finish()
    except FileNotFoundError:
        return
    except SealError as error:
        raise LoadError(f"{path}: {error}") from None
    except OSError as error:
        raise LoadError(f"{path}: {error.strerror}") from None
    log.write("notice", f"Done loading RDB, keys loaded: {saves.loaded_keys}, keys expired: {saves.loaded_expired}.")
    log.write("notice", f"DB loaded from disk: {time.perf_counter() - began:.3f} seconds")
