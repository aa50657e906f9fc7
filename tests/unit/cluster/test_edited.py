"""What was edited in a nodes.conf, and what a newer text knows, come together."""

import pytest

from gossamer.cluster.edited import id_of_myself, with_addresses, with_epochs, without_addresses
from gossamer.cluster.nodesconf import load

ME, OTHER = "a" * 40, "b" * 40
TEXT = (
    f"{ME} 10.0.0.1:7000@17000,,tls-port=0,shard-id={ME} myself,master - 0 0 3 connected 0-5\n"
    f"{OTHER} 10.0.0.2:7000@17000,host master - 0 0 2 connected 6 7\n"
    "vars currentEpoch 3 lastVoteEpoch 2 clusterId " + "c" * 40 + "\n"
)


@pytest.mark.parametrize(
    ("old", "new"),
    [("10.0.0.1", "10.0.0.9"), ("10.0.0.2:7000@17000,host", ":0@0,other"), ("7000@17000,,", "1@2,name,")],
)
def test_an_edit_of_addresses_is_one(old: str, new: str) -> None:
    edited = TEXT.replace(old, new)
    assert edited != TEXT
    assert without_addresses(edited) == without_addresses(TEXT)
    assert with_addresses(TEXT, edited) == edited
    assert with_addresses(edited, TEXT) == TEXT


@pytest.mark.parametrize(("old", "new"), [("0-5", "0-4"), ("currentEpoch 3", "currentEpoch 4"), ("- 0 0 2", "- 0 0 1")])
def test_any_other_edit_is_none(old: str, new: str) -> None:
    assert without_addresses(TEXT.replace(old, new)) != without_addresses(TEXT)


def test_an_address_in_the_form_of_redis_6_brings_no_field_that_was_not_there() -> None:
    edited = TEXT.replace("10.0.0.1:7000@17000,,tls-port=0", "10.0.0.9:7000@17000,tls-port=0").split("\n")
    edited[0] = f"{ME} 10.0.0.9:7000@17000 myself,master - 0 0 3 connected 0-5"
    told = with_addresses(TEXT, "\n".join(edited))
    assert told == TEXT.replace("10.0.0.1", "10.0.0.9")
    assert load(told).myself.ip == "10.0.0.9"


def test_epochs_never_go_back() -> None:
    other = TEXT.replace("currentEpoch 3 lastVoteEpoch 2", "lastVoteEpoch 1 currentEpoch 9")
    assert with_epochs(TEXT, other) == TEXT.replace("currentEpoch 3", "currentEpoch 9")
    assert with_epochs(TEXT, "") == TEXT
    assert with_epochs(TEXT.split("vars")[0], TEXT).endswith("vars currentEpoch 3 lastVoteEpoch 2\n")


def test_who_a_text_is_of() -> None:
    assert id_of_myself(TEXT) == ME
    assert id_of_myself("nonsense") == id_of_myself("") == ""
