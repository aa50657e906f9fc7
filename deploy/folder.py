"""The folder of a local cluster: what it remembers between two starts, and which of its nodes run.

    DIR/cluster.json    ports, address, replicas, node timeout and options of the nodes
    DIR/7000/           the working directory of the node on port 7000
        nodes.conf      its id, its slots and what it knows of the others
        node.log        what it wrote to its standard output
        node.pid        its process id, under a lock that lasts as long as the process

A process id alone can mean another process after a while; whether a node runs is therefore told by the lock on
``node.pid``, which the operating system drops when the node ends, however it ends.
"""

import fcntl
import json
import os
from pathlib import Path
from typing import IO

from attrs import asdict, define, field

from gossamer.deploy.user_error import UserError

VERSION = 1


@define
class Record:
    """What ``cluster.json`` says. ``options`` go to every node as they are."""

    host: str
    ports: list[int]
    node_timeout_ms: int | None = None
    options: list[str] = field(factory=list)
    formed: bool = False
    """The nodes have agreed once; from then on they find each other by their nodes.conf."""
    replicas: int = 0
    """Of each primary, when the cluster is formed; later the nodes know better, for they change roles by themselves."""
    persistence: bool = True
    """The nodes keep their data: an append-only file, on disk at most a second later."""
    version: int = VERSION

    @property
    def primaries(self) -> int:
        return len(self.ports) // (self.replicas + 1)


class Home:
    """The folder of one node."""

    def __init__(self, path: Path) -> None:
        self.path = path
        self.log = path / "node.log"
        self._pid_file = path / "node.pid"

    def lock(self) -> IO[str]:
        """Hold the lock as long as the file, or a copy of it in a forked process, is open."""
        file = self._pid_file.open("a+")
        try:
            fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except OSError:
            file.close()
            raise UserError(f"the node in {self.path} is still running") from None
        return file

    def running_pid(self) -> int | None:
        """The process id of the node, None if it does not run."""
        try:
            file = self._pid_file.open("r+")
        except FileNotFoundError:
            return None
        with file:
            try:
                fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
            except OSError:
                return int(file.read() or 0) or None
        return None

    def last_words(self) -> str:
        """The last line of the log, for a node that did not stay."""
        try:
            lines = self.log.read_text(errors="replace").split("\n")
        except OSError:
            return ""
        return next((line.strip() for line in reversed(lines) if line.strip()), "")


def sign(file: IO[str]) -> None:
    """Write this process' id into its locked ``node.pid``."""
    file.seek(0)
    file.truncate()
    file.write(f"{os.getpid()}\n")
    file.flush()


class Folder:
    """``path`` need not exist before ``make`` is called."""

    def __init__(self, path: Path) -> None:
        self.path = path
        self._record = path / "cluster.json"

    def home(self, port: int) -> Home:
        return Home(self.path / str(port))

    def read(self) -> Record | None:
        """The cluster that lives here, None if there is none. UserError if it cannot be told."""
        try:
            found = json.loads(self._record.read_text())
            if found.get("version") != VERSION:
                raise UserError(f"{self._record} was written by another version of gossamer")
            return Record(**found)
        except FileNotFoundError:
            return None
        except NotADirectoryError:
            raise UserError(f"{self.path} is not a directory") from None
        except OSError as error:
            raise UserError(f"cannot read {self._record}: {error.strerror}") from None
        except (ValueError, TypeError, AttributeError):
            raise UserError(f"{self._record} is damaged") from None

    def require(self) -> Record:
        record = self.read()
        if record is None:
            raise UserError(f"there is no cluster in {self.path}")
        return record

    def make(self, ports: list[int]) -> None:
        """Create what is missing: this folder, inside an existing one, and the folders of the nodes."""
        if not self.path.parent.is_dir():
            raise UserError(f"there is no directory {self.path.parent}")
        try:
            for path in (self.path, *(self.home(port).path for port in ports)):
                path.mkdir(exist_ok=True)
        except FileExistsError as error:
            raise UserError(f"{error.filename} is not a directory") from None
        except OSError as error:
            raise UserError(f"cannot create {error.filename}: {error.strerror}") from None
        if not os.access(self.path, os.W_OK | os.X_OK):
            raise UserError(f"cannot write to {self.path}: Permission denied")

    def write(self, record: Record) -> None:
        """Replace ``cluster.json`` in one step."""
        draft = self._record.with_suffix(".tmp")
        try:
            draft.write_text(json.dumps(asdict(record), indent=2) + "\n")
            draft.replace(self._record)
        except OSError as error:
            raise UserError(f"cannot write {self._record}: {error.strerror}") from None

    def running(self, record: Record) -> dict[int, int]:
        """Process ids of the nodes that run, by port."""
        pids = {port: self.home(port).running_pid() for port in record.ports}
        return {port: pid for port, pid in pids.items() if pid is not None}
