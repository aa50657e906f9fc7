"""DUMP and RESTORE beside a real redis-server."""

from hypothesis import given
from hypothesis import strategies as st

from tests.compat.pair import SETTINGS, Pair

V = b"\x00\x01v\n\x00\x91\x08\xce\xb2\x198\x8a\xce"
"""The payload of the string ``v``."""

OPTIONS = st.lists(
    st.sampled_from(["REPLACE", "absttl", "IDLETIME", "FREQ", "0", "-1", "255", "256", "x", "99999999999999999999"]),
    max_size=4,
)
TIMES = st.sampled_from(["0", "-1", "x", "100000", "4102444800000", "-9223372036854775808", "01"])
"""None of which the sum with the present overflows: 7.0 takes that for a time long past, newer versions refuse it.
And none so short that it might be over on one side and not yet on the other."""
PAYLOADS = st.sampled_from([V, V[:-1], b"", V[:-1] + b"x", b"\x08\x01a\n\x00$\x85N\x1e\x80<\x037"])


@SETTINGS
@given(text=st.one_of(st.binary(max_size=20), st.integers().map(lambda n: b"%d" % n)))
def test_short_strings_are_dumped_alike(pair: Pair, text: bytes) -> None:
    pair.flush()
    pair.resp2.same("SET", "k", text)
    pair.resp2.same("DUMP", "k")


@SETTINGS
@given(key=st.sampled_from(["there", "new"]), time=TIMES, payload=PAYLOADS, options=OPTIONS)
def test_the_same_is_restored_and_refused(pair: Pair, key: str, time: str, payload: bytes, options: list[str]) -> None:
    pair.flush()
    pair.resp2.same("SET", "there", "old", "PX", "100000000")
    pair.resp2.same("RESTORE", key, time, payload, *options)
    pair.resp2.same("GET", key)
    pair.resp2.same("PTTL", key, within=5000)
    pair.resp2.same("RESTORE-ASKING", "asking", time, payload, *options)
