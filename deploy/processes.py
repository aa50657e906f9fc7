"""Nodes as child processes, forked from a parent that has imported everything a node needs.

Forking saves each node the start of an interpreter and all imports. A node gets a session of its own, so that Ctrl-C at
the terminal reaches only the parent, which then ends the nodes; and it keeps running when the parent leaves.
"""

import os
import signal
import sys
import time
import traceback
from collections.abc import Callable, Sequence
from typing import IO, Final

from gossamer.deploy.folder import Home, sign
from gossamer.deploy.user_error import UserError

POLL_S: Final = 0.01
STOP_S: Final = 10.0
"""How long a node may take to end after SIGTERM, before it is killed."""

SPOKEN_FOR: Final = ("NOTIFY_SOCKET", "UPSTART_JOB")
"""Whoever supervises this program waits for a word of the program, not for one of each node."""

Main = Callable[[], int]
"""What runs in the child; returns the exit code."""


class Child:
    """A forked node. ``ended`` is None while it runs, else how it ended."""

    def __init__(self, port: int, pid: int, home: Home) -> None:
        self.port = port
        self.pid = pid
        self.home = home
        self.ended: str | None = None
        self.reason = ""
        """Why it did not become a node, in its own words."""

    def check(self) -> bool:
        """Whether it still runs; collects it if not, so that it does not stay as a zombie."""
        if self.ended is None:
            pid, status = os.waitpid(self.pid, os.WNOHANG)
            if pid:
                self.ended = how_it_ended(os.waitstatus_to_exitcode(status))
        return self.ended is None

    def demand_alive(self) -> None:
        if not self.check():
            words = self.reason or self.home.last_words()
            raise UserError(f"node {self.port} {self.ended}{': ' if words else ''}{words} (log: {self.home.log})")

    def signal(self, number: int) -> None:
        if self.check():
            os.kill(self.pid, number)


def how_it_ended(exit_code: int) -> str:
    if exit_code >= 0:
        return "ended" if exit_code == 0 else f"ended with status {exit_code}"
    return f"ended by {signal.Signals(-exit_code).name}"


def fork_node(port: int, home: Home, main: Main) -> Child:
    """Start a node in the working directory ``home``, its output in ``home.log``."""
    lock = home.lock()
    log = home.log.open("ab", buffering=0)
    sys.stdout.flush()
    sys.stderr.flush()
    pid = os.fork()
    if pid == 0:
        _be_node(home, lock, log, main)
    lock.close()
    log.close()
    return Child(port, pid, home)


def _be_node(home: Home, lock: IO[str], log: IO[bytes], main: Main) -> None:
    """The rest of the child's life; never returns into the parent's code."""
    code = 1
    try:
        os.setsid()
        for number in (signal.SIGINT, signal.SIGTERM, signal.SIGCHLD):
            signal.signal(number, signal.SIG_DFL)
        signal.signal(signal.SIGHUP, signal.SIG_IGN)
        signal.set_wakeup_fd(-1)
        for name in SPOKEN_FOR:
            os.environ.pop(name, None)
        with open(os.devnull, "rb") as nothing:
            os.dup2(nothing.fileno(), 0)
        os.dup2(log.fileno(), 1)
        os.dup2(log.fileno(), 2)
        sign(lock)
        os.chdir(home.path)
        code = main()
    except SystemExit as error:
        code = error.code if isinstance(error.code, int) else 1
        if isinstance(error.code, str):
            print(error.code, file=sys.stderr)
    except BaseException:
        traceback.print_exc()
    finally:
        sys.stdout.flush()
        sys.stderr.flush()
        os._exit(code)


def stop(children: Sequence[Child], hurried: Callable[[], bool] = lambda: False) -> None:
    """End all: SIGTERM, and SIGKILL for those that take longer than ``STOP_S`` or when ``hurried`` says so."""
    for child in children:
        child.signal(signal.SIGTERM)
    deadline = time.monotonic() + STOP_S
    while running := [child for child in children if child.check()]:
        if time.monotonic() > deadline or hurried():
            for child in running:
                child.signal(signal.SIGKILL)
                os.waitpid(child.pid, 0)
                child.ended = how_it_ended(-signal.SIGKILL)
            return
        time.sleep(POLL_S)
