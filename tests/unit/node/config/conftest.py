"""A real redis-server beside the code under test, on a unix socket of its own; skipped where there is none."""

import shutil
import subprocess
import tempfile
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
import redis


class Server:
    """CONFIG of a running server: texts in, texts out."""

    def __init__(self, socket: Path, password: str | None) -> None:
        self.client = redis.Redis(unix_socket_path=str(socket), password=password, decode_responses=True)

    def get(self, *patterns: str) -> dict[str, str]:
        return {str(name): str(value) for name, value in self.client.config_get(*patterns).items()}

    def set(self, *words: str) -> str:
        """``OK`` or the text of the error."""
        try:
            return "OK" if self.client.execute_command("CONFIG", "SET", *words) else "?"  # type: ignore[no-untyped-call]
        except redis.ResponseError as error:
            return str(error)


Start = Callable[..., Server]


@pytest.fixture(scope="session")
def redis_server() -> str:
    """The path of a redis-server 7.0, whose texts these tests compare with."""
    path = shutil.which("redis-server")
    if path is None:
        pytest.skip("no redis-server to compare with: apt-get install redis-server")
    version = subprocess.run([path, "--version"], capture_output=True, text=True, check=True).stdout
    if "v=7.0." not in version:
        pytest.skip(f"needs redis-server 7.0 to compare with (apt-get install redis-server), found {version.strip()}")
    return path


@pytest.fixture
def home() -> Iterator[Path]:
    """A directory with a name short enough for a unix socket."""
    with tempfile.TemporaryDirectory(prefix="cfg") as name:
        yield Path(name)


@pytest.fixture
def start(redis_server: str, home: Path) -> Iterator[Start]:
    """``start(*arguments)`` runs a server in ``home`` and returns it once it answers."""
    running: list[subprocess.Popen[str]] = []
    servers: list[Server] = []

    def run(*arguments: str, password: str | None = None) -> Server:
        socket = home / f"{len(running)}.sock"
        command = [redis_server, *arguments, "--port", "0", "--unixsocket", str(socket)]
        process = subprocess.Popen(command, cwd=home, stdout=subprocess.PIPE, text=True)
        running.append(process)
        assert process.stdout is not None
        log = []
        for line in process.stdout:
            log.append(line)
            if "now ready to accept connections" in line:
                break
        else:
            pytest.fail("".join(log))
        servers.append(Server(socket, password))
        return servers[-1]

    yield run
    for server in servers:
        server.client.close()
    for process in running:
        process.kill()
        process.communicate()
