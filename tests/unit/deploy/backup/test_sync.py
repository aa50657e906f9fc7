"""A full sync is read alike however it is cut, and what is none is told in the words of the other end."""

import pytest

from gossamer.deploy.backup.sync import SyncError, SyncReader

ID = b"0123456789" * 4
MARK = b"m" * 20 + b"n" * 20
DATA = b"REDIS0010" + bytes(range(256)) + MARK[:39] + b"x"
OFFER = b"+FULLRESYNC %s 77\r\n" % ID

COUNTED = OFFER + b"\n\n$%d\r\n" % len(DATA) + DATA
MARKED = OFFER + b"\n$EOF:%s\r\n" % MARK + DATA + MARK


@pytest.mark.parametrize("sent", [COUNTED, MARKED], ids=["counted", "marked"])
@pytest.mark.parametrize("step", [1, 7, 39, 40, 41, 1000])
@pytest.mark.parametrize("behind", [b"", b"*1\r\n$4\r\nPING\r\n"])
def test_the_data_come_out_as_they_were_however_they_are_cut(sent: bytes, step: int, behind: bytes) -> None:
    reader, got = SyncReader(), b""
    whole = sent + behind
    for at in range(0, len(whole), step):
        if not reader.done:
            got += reader.feed(whole[at : at + step])
    assert got == DATA
    assert reader.done
    assert reader.offer is not None
    assert (reader.offer.replid, reader.offer.offset) == (ID.decode(), 77)
    assert reader.size == (len(DATA) if sent is COUNTED else None)


@pytest.mark.parametrize("sent", [COUNTED, MARKED], ids=["counted", "marked"])
def test_what_is_cut_off_is_not_done(sent: bytes) -> None:
    reader = SyncReader()
    reader.feed(sent[:-1])
    assert not reader.done


@pytest.mark.parametrize(
    ("sent", "told"),
    [
        (b"-NOAUTH Authentication required.\r\n", "NOAUTH"),
        (b"-NOMASTERLINK Can't SYNC while not connected with my master\r\n", "NOMASTERLINK"),
        (b"+CONTINUE\r\n", "CONTINUE"),
        (b"HTTP/1.1 400 Bad Request\r\n", "HTTP/1.1"),
        (b"x" * 5000, "xxx"),
        (OFFER + b"$-1\r\n", "$-1"),
        (OFFER + b"$EOF:short\r\n", "$EOF:short"),
        (OFFER + b"-ERR gone\r\n", "-ERR gone"),
    ],
)
def test_a_refusal_is_told(sent: bytes, told: str) -> None:
    with pytest.raises(SyncError, match=told.replace("$", r"\$")):
        SyncReader().feed(sent)
