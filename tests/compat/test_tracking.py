"""Client tracking beside real servers: the same script of several connections, and every byte that each receives.

A script is told to our node first. What our connections have received after a step is then awaited from those of the
real server, so nothing is slept for; a last PING on each would show what came too much. Connections have the same ids
on both sides.
"""

import time
from collections.abc import Iterator
from typing import Final

import pytest

from gossamer.node.engine.server import Server
from gossamer.node.machine import Machine
from tests.compat.pair import Memory, RealServer, Wire, encode
from tests.integration.nodes import VALKEY

NAMES: Final = ("a", "b", "c")
WAIT_S: Final = 20.0

ARGUMENTS: Final = """
a CLIENT TRACKING | a CLIENT TRACKING x | a CLIENT TRACKING ON FOO | a CLIENT TRACKING ON REDIRECT
a CLIENT TRACKING ON REDIRECT x | a CLIENT TRACKING ON REDIRECT 0 | a CLIENT TRACKING ON REDIRECT -1
a CLIENT TRACKING ON REDIRECT 99999 | a CLIENT TRACKING ON REDIRECT @b REDIRECT @b | a CLIENT TRACKING ON PREFIX
a CLIENT TRACKING ON REDIRECT @b REDIRECT x | a CLIENT TRACKING x REDIRECT 99999 | a CLIENT TRACKING OFF FOO
a CLIENT TRACKING ON PREFIX x OPTIN OPTOUT | a CLIENT TRACKING OFF PREFIX x
a CLIENT TRACKING ON BCAST OPTIN OPTOUT | a CLIENT TRACKING ON OPTIN OPTOUT
a CLIENT TRACKING ON BCAST PREFIX ab PREFIX a PREFIX b | a CLIENT TRACKING ON BCAST PREFIX PREFIX PREFIX x
a CLIENT TRACKINGINFO | a CLIENT TRACKING OFF | a CLIENT CACHING | a CLIENT CACHING YES | a CLIENT CACHING x
a CLIENT CACHING YES NO | a CLIENT GETREDIR | a CLIENT GETREDIR x | a CLIENT TRACKINGINFO | a CLIENT TRACKINGINFO x
a CLIENT TRACKING on optin | a CLIENT TRACKING ON OPTOUT | a CLIENT TRACKING ON BCAST
a CLIENT TRACKING ON BCAST OPTIN | a CLIENT CACHING NO | a CLIENT CACHING x | a CLIENT CACHING yes
a CLIENT TRACKINGINFO | a CLIENT GETREDIR | a CLIENT TRACKING ON NOLOOP | a CLIENT TRACKINGINFO
a CLIENT CACHING YES | a CLIENT CACHING NO | a CLIENT TRACKING ON OPTOUT REDIRECT @b | a CLIENT CACHING YES
a CLIENT CACHING NO | a CLIENT TRACKINGINFO | a CLIENT GETREDIR | a CLIENT TRACKING OFF | a CLIENT TRACKINGINFO
a CLIENT GETREDIR | a CLIENT TRACKING ON BCAST PREFIX foo PREFIX bar | a CLIENT TRACKINGINFO
a CLIENT TRACKING ON BCAST PREFIX fo | a CLIENT TRACKING ON BCAST PREFIX barb
a CLIENT TRACKING ON BCAST PREFIX b PREFIX x | a CLIENT TRACKING ON OPTIN | a CLIENT TRACKING ON OPTIN OPTOUT
a CLIENT TRACKING ON BCAST PREFIX baz | a CLIENT TRACKINGINFO | a CLIENT CACHING NO | a CLIENT TRACKING ON BCAST
a CLIENT TRACKING ON BCAST PREFIX foo | a RESET | a HELLO 3 | a CLIENT TRACKINGINFO | a CLIENT TRACKING ON BCAST
a CLIENT TRACKINGINFO
"""

DEFAULT: Final = """
a CLIENT TRACKING ON | a GET k | b SET k 1 | b SET k 2 | a GET k | a SET k 3 | a GET k | b DEL k | b SET k 1
a GET k | a MGET k l m | b MSET m 1 l 1 k 1 | a EXISTS k | b EXPIRE k 100 | a TTL k | b PERSIST k | a GET k
b PERSIST k | a GET k | b SET k 1 NX | b APPEND k x | a STRLEN k | a APPEND k x | a OBJECT ENCODING k | b RENAME k l
a MGET k l | b RENAME l k | a GET k | b COPY k n | a GET n | b COPY k n REPLACE | a GET k | b MOVE k 1 | b SELECT 1
b MOVE k 0 | b SET k 5 | a GET k | b DEL k | b SELECT 0 | a GET k | b GETDEL k | b SET k 1 | a LLEN k | b DEL k
a KEYS k | a DBSIZE | a TYPE k | b RPUSH k 1 2 3 | a LRANGE k 0 -1 | b LPOP k | a SORT_RO k | b SORT k STORE k
a SORT k | b LTRIM k 5 9 | a GEOPOS g x | b GEOADD g 1 1 x | a HGET h f | b HSET h f 1 | a HGETALL h | b HDEL h f
a SMEMBERS s | b SADD s 1 2 | a SINTERCARD 2 s t | b SUNIONSTORE t s | b SREM s 1 | a SDIFF s t | b SMOVE t s 1
a ZRANGE z 0 -1 | b ZADD z 1 x | a ZSCORE z x | b ZINCRBY z 1 x | a ZCARD z | b ZADD z 2 x | b ZREM z x
a BITCOUNT bits | b SETBIT bits 3 1 | a GETBIT bits 3 | b BITOP NOT bits nothing | a LCS k l | b SET l x | a XLEN x
b XADD x 1-1 f v | a XRANGE x - + | b XADD x 1-2 f v | a XREAD STREAMS x 0 | b XTRIM x MAXLEN 1 | a XLEN x
b XGROUP CREATE y g 0 MKSTREAM | b XREADGROUP GROUP g c STREAMS y > | b XADD y 1-1 f v | a XLEN y
b XREADGROUP GROUP g c STREAMS y > | b XACK y g 1-1 | b XSETID y 5-1 | b XGROUP DESTROY y g | b XDEL y 1-1
a PFCOUNT p | b PFADD p 1 | a PFCOUNT p | b PFADD p 1 | b PFADD p 2 | a PFCOUNT p | b PFCOUNT p | b PFMERGE p q
a GETRANGE k 0 1 | a SUBSTR k 0 1 | b SET k abc | a STRLEN k | b SET k 1 | a TOUCH k | b INCR k | a GETEX k
b INCR k | a WATCH k | b INCR k | a UNWATCH | a GET | a NOSUCH k | a SINTERCARD x k | b SET k 1
a CLIENT TRACKING OFF | a GET k | b SET k 1 | a CLIENT TRACKING ON | a GET k | a CLIENT TRACKING OFF | b SET k 2
a CLIENT TRACKING ON | a GET k | a CLIENT TRACKING OFF | a CLIENT TRACKING ON | b SET k 3 | a GET k | a RESET
a HELLO 3 | a CLIENT TRACKING ON | b SET k 4 | a GET k | a CLIENT TRACKING OFF | a CLIENT TRACKING ON BCAST
b SET k 5
"""

FLUSHES: Final = """
a CLIENT TRACKING ON | c CLIENT TRACKING ON BCAST PREFIX x | a GET k | b FLUSHDB | b SET k 1 | a GET k
b FLUSHALL ASYNC | a FLUSHALL | a SELECT 3 | a SET k 1 | a SELECT 0 | a FLUSHALL | a MULTI | a FLUSHDB | a SET k 1
a FLUSHALL | a PING | a EXEC | b DEBUG RELOAD | c CLIENT TRACKING OFF | c CLIENT TRACKING ON REDIRECT @b | b GET k
a FLUSHDB | c FLUSHDB
"""

ORDER: Final = """
a CLIENT TRACKING ON | a GET k | a MULTI | a SET k 1 | a GET k | a SET k 2 | a GET l | a EXEC | a SET k 3
a SET l 1 | a MULTI | a GET k | a GET | a EXEC | a SET k 1 | a WATCH w | b SET w 1 | a MULTI | a GET w | a EXEC
b SET w 2 | a GET k | a MULTI ; a GET x ; a EXEC ; a SET x 1 ; a PING ; a SET k 2 ; a GET k ; a SET k 3
a BLPOP none list 0 | b RPUSH list 1 | a LRANGE list 0 -1 | a BLMOVE from list LEFT LEFT 0 | b RPUSH from 1
a LRANGE list 0 -1 | a BLPOP list 0
"""

WAITING: Final = """
a CLIENT TRACKING ON | a XREAD BLOCK 0 STREAMS s $ | b XADD s 1-1 f v | b XADD s 1-2 f v
a XREAD BLOCK 0 STREAMS s t $ $ | b XADD t 1-1 f v | b XADD s 2-1 f v | b XADD t 2-1 f v
"""
"""Redis 7.0 does not run a request anew that has waited for keys, and so remembers no key of it."""

BROADCAST: Final = """
a CLIENT TRACKING ON BCAST PREFIX b: PREFIX a | b MSET b:2 1 a9 2 a1 3 c 1 b:1 3 | a MSET b:2 1 a9 2 c 1 | a GET a9
b SET a 1 ; b SET a 2 ; b SET a0 1 | a SET a1 1 ; a PING ; a SET a0 1 | a CLIENT TRACKING ON BCAST PREFIX c NOLOOP
b SET c 1 | a SET c 1 | a SET c 1 ; a SET b: 1 ; a PING | b MULTI | b INCR a:1 | b INCR b:1 | b INCR a:2 | b DEL a:1
b EXEC | a CLIENT TRACKING OFF | b SET a 1 | c CLIENT TRACKING ON BCAST | a CLIENT TRACKING ON BCAST NOLOOP
a SET k 1 | b SET k 1 | b DEL nothing | a GET k | a EXPIRE k 100 | b FLUSHALL | a PFADD p 1 | b PFCOUNT p
b PFCOUNT p | c CLIENT TRACKING ON BCAST REDIRECT @b | a SET k 1 | b SET k 1 | c RESET | b SET k 1 | a RESET
b SET k 1
"""

TIME: Final = """
b DEBUG SET-ACTIVE-EXPIRE 0 | a CLIENT TRACKING ON BCAST NOLOOP | c CLIENT TRACKING ON BCAST | a SET k v PXAT 1
a GET k | b SET k v PXAT 1 | a GET k | b SET k v PXAT 1 | b MGET k l | b SET k v PXAT 1 | b SET k v
b DEBUG SET-ACTIVE-EXPIRE 1
"""

LOOPS: Final = """
a CLIENT TRACKING ON NOLOOP | a MGET other loop last | b SET other 1 | a SET loop 1 | b SET last 1 | a GET loop
a SET loop 2 | b SET loop 3 | a GET loop | a FLUSHALL | a GET k | a MULTI | a SET k 1 | a GET k | a EXEC | b SET k 2
a CLIENT TRACKING ON | a GET k | a SET k 1
"""

CACHING: Final = """
a CLIENT TRACKING ON OPTIN | a GET k | b SET k 1 | a CLIENT CACHING YES | a GET k | b SET k 2 | a GET k | b SET k 3
a CLIENT CACHING YES | a CLIENT TRACKINGINFO | a CLIENT ID x | a GET k | a CLIENT TRACKINGINFO | b SET k 4
a CLIENT CACHING YES | a CLIENT NOSUCH | a GET k | b SET k 5 | a CLIENT CACHING YES | a PING | a GET k | b SET k 6
a CLIENT CACHING YES | a GET | a GET k | b SET k 7 | a CLIENT CACHING YES | a NOSUCH | a GET k | b SET k 8
a CLIENT CACHING YES | a MULTI | a GET k | a GET l | a EXEC | a CLIENT TRACKINGINFO | a GET m | b MSET k 1 l 1 m 1
a CLIENT CACHING YES | a MULTI | a DISCARD | a GET k | b SET k 9 | a CLIENT CACHING YES | a MULTI | a NOSUCH
a GET k | a EXEC | a GET k | b SET k 1 | a MULTI | a GET k | a CLIENT CACHING YES | a GET l | a CLIENT TRACKINGINFO
a EXEC | a CLIENT TRACKINGINFO | a GET m | b MSET k 1 l 1 m 1 | a CLIENT CACHING YES | a MULTI | a EXEC | a GET k
b SET k 2 | a CLIENT CACHING YES | a CLIENT TRACKING OFF | a CLIENT TRACKING ON OPTIN | a CLIENT TRACKINGINFO
a CLIENT TRACKING OFF | a CLIENT TRACKING ON OPTOUT | a GET k | b SET k 1 | a CLIENT CACHING NO | a GET k
b SET k 2 | a GET k | b SET k 3 | a CLIENT CACHING NO | a CLIENT TRACKING ON OPTOUT NOLOOP | a CLIENT TRACKINGINFO
a GET k | b SET k 4
"""

REDIRECT: Final = """
a CLIENT TRACKING ON REDIRECT @b | a GET k | c SET k 1 | a GET k | a SET k 2 | a GET k | a MULTI | a SET k 3
a PING | a EXEC | a HELLO 2 | a GET k | c SET k 1 | c FLUSHALL | a FLUSHALL | a GET k | a HELLO 3 | c SET k 2
b HELLO 2 | a GET k | c SET k 3 | b HELLO 3 | a GET k | c SET k 4 | a CLIENT TRACKING ON REDIRECT @a | a GET k
a SET k 1 | a GET k | c SET k 1 | a CLIENT TRACKING ON BCAST | a CLIENT TRACKING OFF
a CLIENT TRACKING ON BCAST REDIRECT @b | c SET k 1 | a SET k 2 | a RESET | a HELLO 3
a CLIENT TRACKING ON REDIRECT @b | a GET k | b QUIT | a PING | c SET k 1 | a CLIENT TRACKINGINFO | a CLIENT GETREDIR
a GET k | c SET k 2 | a GET k | a SET k 3 | c FLUSHALL | a HELLO 2 | a GET k | c SET k 2 | c FLUSHALL
a CLIENT TRACKING ON | a CLIENT TRACKINGINFO | a HELLO 3 | a GET k | c SET k 1
"""

TO_WHO_RUNS: Final = """
a CLIENT TRACKING ON REDIRECT @b | a GET k | b SET k 1 | a MGET k l | b MULTI | b SET k 2 | b PING | b SET l 1
b EXEC | a GET k | b FLUSHALL | b CLIENT TRACKING ON | b GET k | a GET k | b SET k 1
"""
"""Redis 7.0 tells a client in the middle of the reply to its EXEC what others redirect to it."""

REPLIES: Final = """
a CLIENT TRACKING ON | a GET k | a CLIENT REPLY OFF | b SET k 1 | a GET k | a SET k 2 | a PING | a CLIENT REPLY ON
a GET k | a CLIENT REPLY SKIP | a SET k 1 | a GET k | b SET k 3 | a PING | c CLIENT TRACKING ON REDIRECT @a
c GET k | a CLIENT REPLY OFF | b SET k 4 | a CLIENT REPLY ON | a HELLO 2 | a GET k | b SET k 5 | a GET k | a HELLO 3
b SET k 6
"""

SCRIPTS: Final = {
    "arguments": ARGUMENTS, "default": DEFAULT, "flushes": FLUSHES, "order": ORDER, "broadcast": BROADCAST,
    "time": TIME, "loops": LOOPS, "caching": CACHING, "redirect": REDIRECT, "replies": REPLIES, "waiting": WAITING,
    "to-who-runs": TO_WHO_RUNS,
}  # fmt: skip
OTHER_IN_7_0: Final = ("waiting", "to-who-runs")
OTHER_IN_VALKEY: Final = ("time",)
"""It stores no value whose time is over."""


def steps(script: str) -> list[list[tuple[str, list[str]]]]:
    """Requests that are sent at once, each with the name of its connection."""
    lines = [step.strip() for line in script.strip().splitlines() for step in line.split("|")]
    return [[(request.split()[0], request.split()[1:]) for request in line.split(";")] for line in lines]


class Sides:
    """Connections to both servers, by name and with the same ids."""

    def __init__(self, real: RealServer) -> None:
        self.address = real.address
        self.machine = Machine(Server())
        self.machine.server.access.debug = "yes"
        self.machine.server.begin_batch(time.time_ns() // 1_000_000)
        self.theirs: dict[str, Wire] = {}
        self.ours: dict[str, Memory] = {}
        self.ids: dict[str, int] = {}
        self.gone: list[str] = []
        """Whose connections have been ended."""
        for name in NAMES:
            wire = self.theirs[name] = Wire(real.address)
            wire.send(encode(["CLIENT", "ID"]))
            self.ids[name] = self.machine.server.clients.next_id = wire.receive().number
            self.ours[name] = Memory(self.machine)
        for words in (["FLUSHALL"], ["CONFIG", "RESETSTAT"]):
            self.theirs["a"].send(encode(words))
            self.theirs["a"].receive()
        for name in NAMES:
            self.ours[name].send(encode(["HELLO", "3"]))
            self.ours[name].session.take_output()
            self.theirs[name].send(encode(["HELLO", "3"]))
            self.theirs[name].receive()

    def request(self, words: list[str]) -> bytes:
        return encode([str(self.ids[word[1:]]) if word[0] == "@" else word for word in words])

    def run(self, requests: list[tuple[str, list[str]]]) -> None:
        """Send ``requests``, all by one connection; both sides say the same on every one."""
        name = requests[0][0]
        data = b"".join(self.request(words) for _, words in requests)
        self.ours[name].send(data)
        self.theirs[name].send(data)
        if not self.ours[name].session.out and not self.ours[name].session.closing:
            self._wait_served(name)
        for other in NAMES:
            said = blurred(self.ours[other].session.take_output())
            assert blurred(self.heard(other, len(said))) == said, (requests, other)
            if self.ours[other].session.closing and other not in self.gone:
                self.gone.append(other)
                self.ours[other].close()

    def _wait_served(self, name: str) -> None:
        """Nothing tells that the request is served, for it waits, or has no reply: ask by a connection of its own. The
        real server may else serve what another connection sends next before it."""
        command = self.ours[name].session.last_command
        assert command is not None
        mark = f" cmd={command.name} ".encode()
        asker = Wire(self.address)
        deadline = time.monotonic() + WAIT_S
        listed = b""
        while mark not in listed:
            assert time.monotonic() < deadline, f"the real server has not served{mark.decode()}but {listed.decode()}"
            asker.send(encode(["CLIENT", "LIST", "ID", str(self.ids[name])]))
            listed = asker.receive().text
        asker.close()

    def heard(self, name: str, size: int) -> bytes:
        """So many bytes from the real server, or fewer if it says no more."""
        wire = self.theirs[name]
        wire.socket.settimeout(WAIT_S)
        try:
            while len(blurred(wire.unread)) < size and (data := wire.socket.recv(1 << 16)):
                wire.unread += data
        except TimeoutError:
            pass
        said, wire.unread = wire.unread, b""
        return said

    def close(self) -> None:
        for name in NAMES:
            self.theirs[name].close()
            if name not in self.gone:
                self.ours[name].close()


def blurred(data: bytes) -> bytes:
    """A reply to HELLO names the server."""
    return b"(hello)" if b"$7\r\nversion\r\n" in data else data


@pytest.fixture(scope="session")
def valkey() -> Iterator[RealServer]:
    command = VALKEY.find()
    if command is None:
        pytest.skip(f"no {VALKEY.name} here: {VALKEY.install}")
    real = RealServer(command[0])
    yield real
    real.stop()


@pytest.fixture(scope="session")
def redis() -> Iterator[RealServer]:
    executable, why_not = RealServer.find()
    if executable is None:
        pytest.skip(why_not)
    real = RealServer(executable)
    yield real
    real.stop()


def play(real: RealServer, script: str) -> None:
    sides = Sides(real)
    try:
        for requests in steps(script):
            sides.run(requests)
        for name in NAMES:
            if name not in sides.gone:
                sides.run([(name, ["PING", "end"])])
    finally:
        sides.close()


@pytest.mark.parametrize("name", [name for name in SCRIPTS if name not in OTHER_IN_VALKEY])
def test_every_connection_receives_what_valkey_sends(valkey: RealServer, name: str) -> None:
    play(valkey, SCRIPTS[name])


@pytest.mark.parametrize("name", [name for name in SCRIPTS if name not in OTHER_IN_7_0])
def test_every_connection_receives_what_redis_sends(redis: RealServer, name: str) -> None:
    play(redis, SCRIPTS[name])
