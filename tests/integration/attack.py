"""Texts that are no good texts, and clients that send them: what ``test_attack.py`` is made of."""

import random
import select
import time
from collections.abc import Iterator, Sequence
from typing import Final

from tests.compat.pair import Word, encode
from tests.compat.replies import Answer, Incomplete, read_answer
from tests.integration.nodes import Node

NASTY: Final[tuple[bytes, ...]] = (
    b"",
    b" ",
    b"\0",
    b"a\0b",
    b"\xff",
    b"\xff" * 40,
    b"x" * 5000,
    b"\t\r\n\x0b\x1b[2J",
    b"a b",
    b"..",
    b"redis-0..svc",
    b"../../etc/passwd",
    b"%s%n%d",
    b"nan",
    b"inf",
    b"-inf",
    b"1e400",
    b"-1",
    b"0",
    b"-0",
    b"007",
    b"9223372036854775807",
    b"-9223372036854775808",
    b"9223372036854775808",
    b"18446744073709551616",
    b"9" * 4999,
    b"0x10",
    "Ünïcödé ١٢٣ ²".encode(),
    b"\xed\xa0\x80",  # half of a surrogate pair
    b"\xc0\x80",
    b"'\"\\",
    b"*?[]^{}",
    b"[",
    b"a,b=c@d:1",
    b"f" * 40,
)
SOON_S: Final = 0.005
"""A request that is not answered by then is asked to wait no longer."""
ANSWER_S: Final = 0.3
"""One that is not answered by then either will not be."""
OTHERS_S: Final = 5.0
"""Within this, others are served."""


class Attacker:
    """One client, which begins anew where it was closed or gets no answer; a second one ends what it waits for."""

    def __init__(self, node: Node) -> None:
        self.node = node
        self.unblocked = 0
        self._helper = Voice(node)
        self._voice = Voice(node)

    def say(self, *words: Word) -> Answer | None:
        """The reply, None if there is none in time or the connection was closed."""
        try:
            self._voice.send(words)
            if not self._voice.is_answered(SOON_S):
                self._unblock()
            return self._voice.receive(ANSWER_S)
        except (OSError, ValueError):
            self._voice.close()
            self._voice = Voice(self.node)
            return None

    def _unblock(self) -> None:
        answer = self.beside(("CLIENT", "UNBLOCK", self._voice.id))
        self.unblocked += answer[0] == Answer("integer", 1)

    def beside(self, *requests: Sequence[Word]) -> list[Answer]:
        """What the second client is answered, which may have been killed by the first one."""
        try:
            return self._helper.ask(*requests)
        except (OSError, ValueError):
            self._helper.close()
            self._helper = Voice(self.node)
            return self._helper.ask(*requests)

    def close(self) -> None:
        self._voice.close()
        self._helper.close()


class Voice:
    """A connection."""

    def __init__(self, node: Node) -> None:
        self._sock = node.connect(OTHERS_S)
        self._unread = b""
        own = self.ask(("CLIENT", "ID"))[0]
        self.id = own.number if own.kind == "integer" else 0
        """0 where a password is asked for."""

    def send(self, *requests: Sequence[Word]) -> None:
        self._sock.sendall(b"".join(map(encode, requests)))

    def is_answered(self, within_s: float) -> bool:
        return bool(self._unread or select.select([self._sock], [], [], within_s)[0])

    def receive(self, within_s: float) -> Answer:
        self._sock.settimeout(within_s)
        while True:
            try:
                answer, end = read_answer(self._unread, 0)
            except Incomplete:
                piece = self._sock.recv(1 << 20)
                if not piece:
                    raise ConnectionError from None
                self._unread += piece
            else:
                self._unread = self._unread[end:]
                return answer

    def ask(self, *requests: Sequence[Word]) -> list[Answer]:
        self.send(*requests)
        return [self.receive(OTHERS_S) for _ in requests]

    def close(self) -> None:
        self._sock.close()


def others_are_served(node: Node) -> None:
    """Whoever comes now is answered, soon."""
    start = time.monotonic()
    with node.connect(OTHERS_S) as sock:
        sock.sendall(encode(("PING",)))
        assert sock.recv(100).startswith((b"+PONG", b"-NOAUTH")), node.log_tail()
    assert time.monotonic() - start < OTHERS_S


def nothing_unexpected(node: Node) -> None:
    """The node lives, has met nothing that its authors did not expect, and says no more of itself in the log."""
    stranger = Voice(node)  # the connection that tests share may have been killed by an attack
    (answer,) = stranger.ask(("INFO", "everything"))
    stranger.close()
    info = dict(line.split(":", 1) for line in answer.text.decode("utf-8", "replace").splitlines() if ":" in line)
    assert info.get("unexpected_errors", "0") == "0", node.log_tail()
    assert "Traceback" not in node.log(), node.log_tail()


def requests(
    name: str, arity: int, chance: random.Random, plausible: tuple[bytes, ...], count: int
) -> Iterator[list[bytes]]:
    """Requests of the command ``name`` (``container|sub``): each text in each place, then ``count`` mixtures.

    Where there may be more arguments or fewer, shorter requests have half of the texts in turn.
    """
    head = [word.encode() for word in name.split("|")]
    least = max(0, abs(arity) - len(head))
    sizes = [least] if arity > 0 else [least, least + 1, least + 2, least + 3]
    for size in sizes:
        for place in range(min(size, 6)):
            for text in NASTY if size == sizes[-1] else NASTY[size % 2 :: 2]:
                words = [chance.choice(plausible) for _ in range(size)]
                words[place] = text
                yield head + words
    for _ in range(count):
        size = chance.choice([*sizes, least + 4, least + 6])
        yield head + [chance.choice(NASTY if chance.random() < 0.4 else plausible) for _ in range(size)]
    if arity < 0:
        yield [*head, *NASTY]
