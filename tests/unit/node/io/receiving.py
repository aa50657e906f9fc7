"""Bytes from a stream, as many as are expected."""

import trio


async def exactly(stream: trio.abc.ReceiveStream, expected: bytes) -> None:
    data = b""
    while len(data) < len(expected):
        piece = await stream.receive_some()
        assert piece, f"ended after {data!r}"
        data += piece
    assert data == expected
