"""An order of keys that changes do not disturb."""

from binascii import crc32

from gossamer.node.store.order import END, Order


def test_keys_of_one_crc_stay_together() -> None:
    twins = [b"plumless", b"buckeroo"]
    assert crc32(twins[0]) == crc32(twins[1])
    present: dict[bytes, object] = dict.fromkeys(twins)
    taken, floor = Order(present).take(0, 1, present)
    assert (sorted(taken), floor) == (sorted(twins), END)


def test_an_order_forgets_what_is_gone_and_resumes_by_crc() -> None:
    present: dict[bytes, object] = {b"%d" % n: None for n in range(500)}
    order = Order(present)
    ranked = sorted(present, key=crc32)
    taken, floor = order.take(0, 100, present)
    assert taken == ranked[:100]
    del present[ranked[100]]
    assert order.take(floor, 2, present)[0] == ranked[101:103]
