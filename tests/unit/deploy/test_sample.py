"""What ``gossamer status`` knows of a node, for programs."""

from gossamer.deploy.sample import Sample


def test_an_address_of_ipv6_single_slots_and_an_unknown_primary_are_told_as_they_are() -> None:
    told = Sample("::1:7000", "a" * 40, "primary", "1 3-5 16383", "ok", None, "1.00M", 1 << 20).as_json()
    assert (told["host"], told["port"]) == ("::1", 7000)
    assert told["slots"] == [[1, 1], [3, 5], [16383, 16383]]
    assert (told["role"], told["replica_of"], told["used_memory"]) == ("primary", None, 1 << 20)
    replica = Sample("127.0.0.1:7001", "b" * 40, "replica of 7000", "", "ok", None, "1.00M", 5).as_json()
    assert (replica["role"], replica["replica_of"], replica["slots"]) == ("replica", "7000", [])


def test_a_node_that_has_gone_has_no_memory_and_what_was_never_known_is_null() -> None:
    told = Sample("127.0.0.1:7000", "", "", "", "not running", None, "").as_json()
    assert (told["id"], told["role"], told["replica_of"], told["slots"]) == (None, None, None, [])
    assert (told["state"], told["used_memory"]) == ("not running", None)
