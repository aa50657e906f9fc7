"""Ways to damage bytes, and to make their checksum right again."""

from collections.abc import Callable, Sequence
from random import Random
from typing import Final, TypeAlias

from gossamer.node.persist.codes import CHECKSUM_SIZE
from gossamer.node.persist.crc64 import crc64, footer

Damage: TypeAlias = Callable[[bytearray, Random, Sequence[bytes]], None]

ODD_BYTES: Final = (0, 1, 2, 0x3F, 0x40, 0x7F, 0x80, 0x81, 0xC0, 0xC3, 0xE0, 0xF0, 0xF1, 0xF4, 0xFD, 0xFE, 0xFF)
ODD_NUMBERS: Final = (0, 1, 0xFF, 0x7FFF, 0xFFFF, 0x7FFFFFFF, 0xFFFFFFFF, 1 << 40, (1 << 63) - 1, (1 << 64) - 1)


def flip(data: bytearray, rng: Random, others: Sequence[bytes]) -> None:
    data[rng.randrange(len(data))] ^= 1 << rng.randrange(8)


def odd_byte(data: bytearray, rng: Random, others: Sequence[bytes]) -> None:
    data[rng.randrange(len(data))] = rng.choice(ODD_BYTES)


def step(data: bytearray, rng: Random, others: Sequence[bytes]) -> None:
    at = rng.randrange(len(data))
    data[at] = (data[at] + rng.choice((-2, -1, 1, 2))) % 256


def number(data: bytearray, rng: Random, others: Sequence[bytes]) -> None:
    size = rng.choice((2, 4, 8))
    at = rng.randrange(len(data))
    value = rng.choice(ODD_NUMBERS) % (1 << 8 * size)
    data[at : at + size] = value.to_bytes(size, rng.choice(("little", "big")))


def leave_out(data: bytearray, rng: Random, others: Sequence[bytes]) -> None:
    at = rng.randrange(len(data))
    del data[at : at + rng.choice((1, 1, 2, 5, 30))]


def cut(data: bytearray, rng: Random, others: Sequence[bytes]) -> None:
    del data[rng.randrange(len(data)) :]


def repeat(data: bytearray, rng: Random, others: Sequence[bytes]) -> None:
    at = rng.randrange(len(data))
    part = data[at : at + rng.choice((1, 2, 3, 4, 5, 8, 16))]
    data[at:at] = part * rng.choice((1, 1, 1, 3, 200))


def copy_over(data: bytearray, rng: Random, others: Sequence[bytes]) -> None:
    """One element twice, perhaps, where each should occur once."""
    size = rng.choice((1, 2, 3, 4, 6, 8, 16))
    one, other = rng.randrange(len(data)), rng.randrange(len(data))
    data[one : one + size] = data[other : other + size]


def put_in(data: bytearray, rng: Random, others: Sequence[bytes]) -> None:
    at = rng.randrange(len(data) + 1)
    data[at:at] = rng.randbytes(rng.choice((1, 1, 2, 4, 9, 40)))


def splice(data: bytearray, rng: Random, others: Sequence[bytes]) -> None:
    """The beginning of this, and the end of another."""
    other = rng.choice(others)
    data[rng.randrange(len(data)) :] = other[rng.randrange(len(other)) :]


DAMAGES: Final[Sequence[Damage]] = (
    flip, flip, odd_byte, odd_byte, step, step, number, leave_out, cut, repeat, copy_over, put_in, splice,
)  # fmt: skip
KINDS: Final = range(24)
"""Numbers of types in RDB."""


def damaged(seed: bytes, rng: Random, others: Sequence[bytes]) -> bytes:
    """A payload without its footer, or an RDB without its checksum, with one to three damages."""
    data = bytearray(seed)
    for _ in range(rng.choice((1, 1, 1, 2, 3))):
        if data:
            rng.choice(DAMAGES)(data, rng, others)
    return bytes(data)


def damaged_payload(payloads: Sequence[bytes], rng: Random) -> bytes:
    seed = rng.choice(payloads)
    body = damaged(seed[: -2 - CHECKSUM_SIZE], rng, payloads)
    if rng.random() < 0.05:
        body = bytes([rng.choice(KINDS)]) + body[1:]
    return sealed(body + seed[-2 - CHECKSUM_SIZE : -CHECKSUM_SIZE])


def damaged_file(files: Sequence[bytes], rng: Random) -> bytes:
    seed = rng.choice(files)
    magic, body = seed[:9], seed[9 : -1 - CHECKSUM_SIZE]
    return sealed(magic + damaged(body, rng, files) + b"\xff")


def sealed(data: bytes) -> bytes:
    return data + footer(crc64(data))
