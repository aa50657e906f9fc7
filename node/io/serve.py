"""One process, one node: from the command line to the last line of the log, and the one nursery that holds everything.

``main`` behaves as redis-server: it stays in the foreground with its own pid, refuses to start with one clear message
and status 1, and ends with status 0 when asked to (SIGTERM, SIGINT, SHUTDOWN). Leaving the nursery means that all has
ended.
"""

import functools
import os
import signal
import sys
import traceback
from collections.abc import Sequence
from random import Random
from typing import Final

import trio

from gossamer.cluster import build
from gossamer.node.config import Config, ConfigError
from gossamer.node.engine.clients.client import NOT_TO_PAUSE
from gossamer.node.engine.server import serve as make_server
from gossamer.node.io import title
from gossamer.node.io.background_work import BackgroundWork
from gossamer.node.io.bus import Bus, now_ms
from gossamer.node.io.clients import Clients
from gossamer.node.io.collector import spare_what_lives_long
from gossamer.node.io.edge import ProcessEdge
from gossamer.node.io.exports import Exports
from gossamer.node.io.huge_pages import HugePages
from gossamer.node.io.keys import Keys
from gossamer.node.io.listen import ListenError
from gossamer.node.io.listeners import Listeners
from gossamer.node.io.load_aof import load_aof
from gossamer.node.io.load_rdb import load_rdb
from gossamer.node.io.log import Log
from gossamer.node.io.lookup import Resolver
from gossamer.node.io.membership import CannotJoin, Membership
from gossamer.node.io.migrate import MigrateConnections
from gossamer.node.io.new_file import remove_orphans, remove_unfinished
from gossamer.node.io.outcome import Outcome
from gossamer.node.io.primary_connector import PrimaryConnector
from gossamer.node.io.reactor import serve_clients
from gossamer.node.io.signals import Signals
from gossamer.node.io.spare_memory import SpareMemory
from gossamer.node.io.startup import Start, configure, enough_files, go_to_background, pid_file, raise_open_files
from gossamer.node.io.supervise import Supervisor, supervise
from gossamer.node.io.thp import Kernel
from gossamer.node.machine import REST_MS, Machine
from gossamer.node.saving.loading import LoadError
from gossamer.node.store.table import seed
from gossamer.node.version import COMPATIBLE, TITLE, VERSION

USAGE: Final = """\
Usage: python -m gossamer.node [/path/to/redis.conf] [options] [-]
       python -m gossamer.node - (read config from stdin)
       python -m gossamer.node -v or --version
       python -m gossamer.node -h or --help

Options are the directives of redis.conf behind two dashes; they override the file. Examples:
       python -m gossamer.node --port 7777
       python -m gossamer.node /etc/redis/6379.conf --loglevel verbose
       echo 'timeout 30' | python -m gossamer.node -
"""


def main(argv: Sequence[str], ready_fd: int | None = None) -> int:
    """Run a node until it is asked to end; the exit status. ``argv`` is what follows the program's name.

    ``ready_fd`` gets a byte, then is closed, when clients are served; or the reason why that cannot be (outcome.py).
    May be called in a forked child, whose parent need not start an interpreter again; not while a trio loop runs.
    """
    if argv and argv[0] in ("-v", "--version"):
        print_out(f"{TITLE}\n")
        return 0
    if argv and argv[0] in ("-h", "--help"):
        print_out(USAGE)
        return 0
    outcome = Outcome(-1 if ready_fd is None else ready_fd)
    try:
        start = configure(argv)
    except ConfigError as error:
        sys.stderr.write(str(error))
        outcome.failed(error.brief, aloud=error.line is not None)
        return 1
    log = Log(start.config.text("logfile"), start.config.text("loglevel"))
    supervisor = supervise(start.config.text("supervised"), log)
    if start.config.flag("daemonize") and not supervisor.active:
        go_to_background()
    seed(os.urandom(16))
    return serve(start, log, supervisor, outcome)


def print_out(text: str) -> None:
    sys.stdout.write(text)
    sys.stdout.flush()


def serve(start: Start, log: Log, supervisor: Supervisor, outcome: Outcome) -> int:
    config = start.config
    try:
        announce(config, log)
        announce_key(start.keys, log)
        title.show(config, start.config_file)
        raise_open_files(config, log)
        log.role = "M"
        signals = Signals(log)
        signals.install()
        return trio.run(Node(start, log, signals, supervisor).run, outcome)
    except (ListenError, CannotJoin, ConfigError) as error:
        log.write("warning", str(error).strip())
        named = isinstance(error, ConfigError) and error.line is not None
        outcome.failed(str(error) if isinstance(error, CannotJoin) else error.brief, aloud=named or bool(log.path))
    except Exception as error:
        for line in traceback.format_exc().splitlines():
            log.write("warning", line)
        outcome.failed(f"{type(error).__name__}: {error}", aloud=bool(log.path))
    return 1


def announce(config: Config, log: Log) -> None:
    """The first lines of the log: who starts, and what of the configuration will do nothing."""
    pid = os.getpid()
    log.write("warning", f"Gossamer is starting: version={VERSION}, compatible with Redis {COMPATIBLE}, PID: {pid}")
    log.write("warning", f"The {build.name()} build of the hot modules runs, on Python {sys.version.split()[0]}")
    log.write("warning", "Configuration loaded")
    harmless = config.ineffective_untold()
    if harmless:
        log.write("warning", f"Taken from the configuration, but without effect here: {', '.join(harmless)}")


def announce_key(keys: Keys, log: Log) -> None:
    """By its name, which says nothing of the key and stands in each file that is sealed with it."""
    if keys.seals is not None:
        log.write("notice", f"RDB and append-only files are sealed with the key named {keys.seals.name.hex()}")


class Node:
    """What one process holds."""

    def __init__(self, start: Start, log: Log, signals: Signals, supervisor: Supervisor) -> None:
        self.config = config = start.config
        self.log = log
        self.signals = signals
        self.supervisor = supervisor
        self._config_file = start.config_file
        self._keys = start.keys
        self.doors = Listeners(config, log)
        self.membership = Membership(config, log) if config.flag("cluster-enabled") else None
        self._ended = trio.Event()
        self._failure = ""
        """Why the node ends although nobody has asked for it."""
        self.edge = edge = ProcessEdge(log, supervisor, start.config_file, self._ended.set, start.keys)
        self.huge_pages = HugePages(config, log, edge.resident_memory, Kernel())
        self.server = make_server(config, edge)
        self.server.rng = Random()
        self.machine = Machine(self.server, self.membership.gossip if self.membership else None)
        self._hurry = trio.Event()
        self.machine.on_resume = lambda: self._hurry.set()
        self.clients = Clients(self.machine)
        self.transfers = MigrateConnections(self.clients)
        self.server.migrate_transport = self.transfers
        self.doors.let_in(self.clients)
        self.pid_file = pid_file(config, log)
        self._obey(config)

    def _obey(self, config: Config) -> None:
        """Put into force what concerns the process, now and after CONFIG SET."""
        config.obey(("tcp-keepalive",), self._set_keepalive)
        config.obey(("rdb-save-incremental-fsync",), self._set_fsync)
        config.on_change(("loglevel",), self._set_loglevel)
        config.on_change(("maxclients",), functools.partial(enough_files, config))
        config.on_change(("dir",), self._enter_directory)
        config.on_change(("proc-title-template", "port", "bind"), self._set_title)

    def _set_keepalive(self) -> str | None:
        self.clients.keepalive_s = self.config.integer("tcp-keepalive")
        return None

    def _set_fsync(self) -> str | None:
        self.edge.fsync_often = self.config.flag("rdb-save-incremental-fsync")
        return None

    def _set_loglevel(self) -> str | None:
        self.log.set_level(self.config.text("loglevel"))
        return None

    def _set_title(self) -> str | None:
        reason = title.fault(self.config, self._config_file)
        if reason is None:
            title.show(self.config, self._config_file)
        return reason

    def _enter_directory(self) -> str | None:
        try:
            os.chdir(self.config.text("dir"))
        except OSError as error:
            return error.strerror
        self.config.load("dir", [os.getcwd()])
        return None

    # --- life

    async def run(self, outcome: Outcome) -> int:
        """Serve until asked to end."""
        trio.socket.set_custom_hostname_resolver(Resolver())
        try:
            peers = self.membership.listen() if self.membership else []
            self._tell_place()
            self.pid_file.write()
            self.machine.saves.begin_loading()
            async with trio.open_nursery() as nursery:
                if self.membership:
                    bus = self.membership.join(self.machine)
                    self.clients.on_effects = functools.partial(self._keep_promises, self.membership, bus)
                    nursery.start_soon(bus.run, peers)
                    nursery.start_soon(self.membership.writer.settle)
                nursery.start_soon(self.transfers.run)
                nursery.start_soon(Exports(self.clients).run)
                nursery.start_soon(serve_clients, self.clients)
                nursery.start_soon(self._keep_house)
                nursery.start_soon(self.huge_pages.run)
                nursery.start_soon(BackgroundWork(self.clients).run)
                nursery.start_soon(self._obey_signals)
                nursery.start_soon(self._load_and_follow, outcome)
                await self._ended.wait()
                self.supervisor.stopping()
                nursery.cancel_scope.cancel()
            self.clients.flush()
            self.pid_file.remove()
            self.doors.remove_unix_socket()
        finally:
            remove_unfinished()
            self.clients.close()
            self.doors.close()
            if self.membership is not None:
                self.membership.close()
        if self._failure:
            self.log.write("warning", self._failure)  # the last line, where those who look for the reason find it
            return 1
        self.log.write("warning", "Redis is now ready to exit, bye bye...")
        return 0

    async def _load_and_follow(self, outcome: Outcome) -> None:
        """A replica asks its primary for what follows on its data, so it has to have them first."""
        remove_orphans(".", self.log.write)
        try:
            await load_aof(self.clients, self.log, self._keys)
            if not self.config.flag("appendonly"):
                await load_rdb(self.clients, self.log, self._keys)
        except LoadError as error:
            self._failure = f"Fatal error loading the DB, which stays as it is: {error}. Exiting."
            outcome.failed(str(error), aloud=bool(self.log.path))
            self._ended.set()
            return
        self.machine.saves.end_loading()
        self._tell_ready(outcome)
        await PrimaryConnector(self.clients).run()

    async def _obey_signals(self) -> None:
        ending = self.machine.replication.shutdown
        self.signals.ending = lambda: ending.under_way or ending.is_asked
        self.signals.at_once = remove_unfinished
        while True:
            number = await self.signals.wait()
            options = self.config.words("shutdown-on-sigint" if number == signal.SIGINT else "shutdown-on-sigterm")
            self.signals.obeyed = True
            self.clients.begin()
            ending.ask(frozenset(options))
            self.clients.finish()
            self.signals.obeyed = False

    def _keep_promises(self, membership: Membership, bus: Bus) -> None:
        if not membership.save_at_once():
            for client in self.server.clients.to_flush:
                if not client.has_mode(NOT_TO_PAUSE):
                    client.kill()
        bus.poke()

    def _tell_place(self) -> None:
        mode = "cluster" if self.server.clustered else "standalone"
        self.log.write("notice", f"Running mode={mode}, port={self.config.integer('port')}.")
        self.log.write("warning", "Server initialized")

    def _tell_ready(self, outcome: Outcome) -> None:
        spare_what_lives_long()
        if self.doors.has_tcp():
            self.log.write("notice", "Ready to accept connections")
        path = self.config.text("unixsocket")
        if path:
            self.log.write("notice", f"The server is now ready to accept connections at {path}")
        self.supervisor.ready()
        outcome.ready()

    async def _keep_house(self) -> None:
        """Do what is due, and sleep until the next deadline: of somebody who waits, or of the housekeeping."""
        memory = SpareMemory(self.server)
        while True:
            now = now_ms()
            if self.clients.resting or self.machine.deadline(now) <= now:
                self.clients.tick()
                if memory.look():
                    self.huge_pages.look()
            wait_ms = self.machine.deadline(now) - now
            # Not longer than the housekeeping rests at most, for the clock may be set meanwhile.
            with trio.move_on_after(max(0, min(wait_ms, REST_MS)) / 1000):
                await self._hurry.wait()
            self._hurry = trio.Event()
