"""N nodes on this machine: start, form, stop. What ``gossamer up`` and ``down`` do, without what they print."""

import os
import select
import signal
import time
from collections.abc import Callable, Sequence
from contextlib import ExitStack, closing
from functools import partial
from typing import Final

from gossamer.cluster.text import text_of
from gossamer.deploy.blocking_client import Refused
from gossamer.deploy.cluster.survey import Access, reach
from gossamer.deploy.folder import Folder, Record
from gossamer.deploy.form import form, wait_until_ok
from gossamer.deploy.ports import demand_free
from gossamer.deploy.processes import POLL_S, STOP_S, Child, fork_node, stop
from gossamer.deploy.user_error import UserError
from gossamer.node.io.outcome import READY, REASON_BYTES

FORM_S: Final = 60.0
"""How long starting, and then agreeing, may take before it counts as failed."""


class LocalCluster:
    """The nodes of ``folder``; those that were not running are children of this process."""

    def __init__(self, folder: Folder, record: Record) -> None:
        self.folder = folder
        self.record = record
        self.children: list[Child] = []

    def start(self, interrupted: Callable[[], None] = lambda: None) -> None:
        """Bring the cluster to ``cluster_state:ok`` on all nodes and the replicas into sync, or stop what was started
        and raise UserError.

        Nodes that run already are left as they are, and only the missing ones are started. ``interrupted`` is called
        while waiting, and may raise.
        """
        record = self.record
        missing = self.missing()
        if not missing:
            raise UserError(f"the cluster in {self.folder.path} is still running: gossamer down ends it")
        demand_free(record.host, missing)
        self.folder.make(record.ports)
        try:
            self._start_nodes(missing, interrupted)
            self.folder.write(record)  # not before: settings with which no node starts are not worth remembering
            self._agree(interrupted)
            record.formed = True
            self.folder.write(record)
        except BaseException:
            stop(self.children)
            raise

    def missing(self) -> list[int]:
        """Ports of the nodes that do not run."""
        running = self.folder.running(self.record)
        return [port for port in self.record.ports if port not in running]

    def _start_nodes(self, ports: Sequence[int], interrupted: Callable[[], None]) -> None:
        from gossamer.node.io.serve import main  # takes its time to import: only for those who start nodes

        waiting: dict[int, Child] = {}
        for port in ports:
            ready, told = os.pipe()
            home = self.folder.home(port)
            child = fork_node(port, home, partial(main, self._arguments(port), told))
            self.children.append(child)
            os.close(told)
            waiting[ready] = child
        self._wait_until_ready(waiting, interrupted)

    def _wait_until_ready(self, waiting: dict[int, Child], interrupted: Callable[[], None]) -> None:
        """``waiting``: the children by the pipe on which they say that they listen; the end of a child closes it."""
        deadline = time.monotonic() + FORM_S
        while waiting:
            interrupted()
            found, _, _ = select.select(list(waiting), [], [], 0.2)
            for ready in found:
                child = waiting.pop(ready)
                said = os.read(ready, REASON_BYTES)
                os.close(ready)
                if said != READY:
                    child.reason = text_of(said)
                    while child.check() and time.monotonic() < deadline:
                        time.sleep(POLL_S)
                    child.demand_alive()
            if time.monotonic() > deadline:
                raise UserError(f"node {next(iter(waiting.values())).port} does not start within {FORM_S:.0f} s")

    def _agree(self, interrupted: Callable[[], None]) -> None:
        record = self.record

        def alive() -> None:
            interrupted()
            for child in self.children:
                child.demand_alive()

        access = Access(password=password_in(record.options))
        try:
            with ExitStack() as stack:
                contacts = [reach(record.host, port, access)[0] for port in record.ports]
                clients = [stack.enter_context(closing(contact.client)) for contact in contacts]
                if not record.formed:
                    form(contacts, record.primaries, FORM_S, alive)
                names = [f"port {port}" for port in record.ports]
                wait_until_ok(clients, names, len(record.ports) - record.primaries, FORM_S, alive)
        except (OSError, Refused) as error:
            alive()
            raise UserError(f"a node does not answer as it should: {error}") from None

    def _arguments(self, port: int) -> list[str]:
        """What stands behind ``gossamer node``; the options given by the operator come last, so they win."""
        record = self.record
        kept = "yes" if record.persistence else "no"
        out = ["--port", str(port), "--bind", record.host, "--cluster-enabled", "yes", "--dir", "."]
        out += ["--save", "", "--appendonly", kept]
        if record.node_timeout_ms is not None:
            out += ["--cluster-node-timeout", str(record.node_timeout_ms)]
        if password := password_in(record.options):
            out += ["--masterauth", password]  # any node may come to follow another one
        return out + record.options


def password_in(options: Sequence[str]) -> str:
    """The value of ``--requirepass``, if it is among ``options``."""
    words = [word.lower() for word in options]
    at = words.index("--requirepass") if "--requirepass" in words else len(options)
    return options[at + 1] if at + 1 < len(options) else ""


def stop_running(folder: Folder, record: Record) -> int:
    """End the nodes that run in ``folder``, whoever started them; returns how many that were."""
    pids = folder.running(record)
    for pid in pids.values():
        _signal(pid, signal.SIGTERM)
    deadline = time.monotonic() + STOP_S
    while left := folder.running(record):
        if time.monotonic() > deadline:
            for pid in left.values():
                _signal(pid, signal.SIGKILL)
            deadline += STOP_S
        time.sleep(POLL_S)
    return len(pids)


def _signal(pid: int, number: signal.Signals) -> None:
    try:
        os.kill(pid, number)
    except ProcessLookupError:
        pass
    except PermissionError:
        raise UserError(f"process {pid} belongs to somebody else") from None
