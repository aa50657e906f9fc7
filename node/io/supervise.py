"""Whoever started this process and waits to hear of it: systemd over its notification socket, or upstart by a stop.

As redis-server 7.0: the same texts, in the same order. Apart from it in three things. STOPPING is said when the end is
certain, not when it is asked for: systemd kills what has said it and stays, and SHUTDOWN ABORT means to stay. A status
that no longer holds is replaced. And the variables are taken out of the environment, so that no child speaks for this
process.
"""

import errno
import os
import signal
import socket
from typing import Final

from gossamer.cluster.text import bytes_of
from gossamer.node.io.log import Log

LOADING: Final = "Gossamer is loading..."
READY: Final = "Ready to accept connections"
SYSTEMD_FOUND: Final = (
    "Supervised by systemd. Please make sure you set appropriate values for TimeoutStartSec and TimeoutStopSec in your "
    "service unit."
)
PATIENCE_S: Final = 5.0
"""How long a word on which the service depends may wait for room in systemd's queue. A status does not wait."""


class Supervisor:
    """``mode`` is what INFO calls process_supervised; ``active``: somebody watches this very process, so it must not go
    to the background."""

    def __init__(self, log: Log, mode: str = "no", address: bytes = b"") -> None:
        self.mode = mode
        self.active = mode != "no"
        self._log = log
        self._address = address
        self._status = READY
        self._is_ready = False

    def status(self, text: str) -> None:
        """What the node does now, to be shown to the operator. Until it is ready it loads, whatever it says."""
        self._status = text
        if self._is_ready:
            self.tell(f"STATUS={text}\n", 0.0)

    def ready(self) -> None:
        self._is_ready = True
        self.tell(f"STATUS={self._status}\n", PATIENCE_S)
        self.tell("READY=1\n", PATIENCE_S)

    def stopping(self) -> None:
        self.tell("STOPPING=1\n", PATIENCE_S)

    def tell(self, message: str, patience_s: float) -> bool:
        """Whether systemd has it. A failure costs a log line, and nothing where nobody listens."""
        if not self._address:
            return False
        try:
            send(self._address, bytes_of(message), patience_s)
        except OSError as error:
            code = error.errno or errno.EINVAL
            self._log.write("warning", f"systemd supervision error: sd_notify: {-code} ({os.strerror(code)})")
            return False
        return True


def send(address: bytes, data: bytes, patience_s: float) -> None:
    """One datagram to a path, or to a name without one if ``address`` begins with ``@``. Raises OSError."""
    if address[:1] not in (b"/", b"@"):
        raise OSError(errno.EAFNOSUPPORT, "neither a path nor a name")
    with socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM) as sock:
        sock.settimeout(patience_s)
        try:
            sock.sendto(data, b"\0" + address[1:] if address.startswith(b"@") else address)
        except TimeoutError:
            raise OSError(errno.EAGAIN, "its queue is full") from None


def supervise(wanted: str, log: Log) -> Supervisor:
    """Whoever ``wanted`` (the directive ``supervised``) means, told that this process loads. Nobody is no reason not to
    start. For upstart the process stops here, until it is told to go on."""
    if wanted == "auto":
        if "UPSTART_JOB" in os.environ:
            log.write("verbose", "Upstart supervision detected.")
            wanted = "upstart"
        elif "NOTIFY_SOCKET" in os.environ:
            log.write("verbose", "Systemd supervision detected.")
            wanted = "systemd"
    if wanted == "upstart":
        return _upstart(log)
    if wanted == "systemd":
        return _systemd(log)
    return Supervisor(log)


def _upstart(log: Log) -> Supervisor:
    if os.environ.pop("UPSTART_JOB", None) is None:
        log.write("warning", "upstart supervision requested, but UPSTART_JOB not found!")
        return Supervisor(log)
    log.write("notice", "supervised by upstart, will stop to signal readiness.")
    signal.raise_signal(signal.SIGSTOP)
    return Supervisor(log, "upstart")


def _systemd(log: Log) -> Supervisor:
    address = os.fsencode(os.environ.pop("NOTIFY_SOCKET", ""))
    if not address:
        log.write("warning", "systemd supervision error: NOTIFY_SOCKET not found!")
        return Supervisor(log)
    supervisor = Supervisor(log, "systemd", address)
    if not supervisor.tell(f"STATUS={LOADING}\n", PATIENCE_S):
        supervisor.active = False
        supervisor.mode = "no"
        return supervisor  # the next word may get through
    log.write("notice", SYSTEMD_FOUND)
    return supervisor
