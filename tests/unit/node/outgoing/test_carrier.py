"""A connection that was dialled carries what its speaker has to say, and ends when that is over."""

from collections.abc import Callable

from gossamer.node.outgoing.carrier import Carrier


class Talk:
    """A speaker whose output is given to it, and a wire that notes what it is asked for."""

    def __init__(self) -> None:
        self.did: list[str] = []
        self.out: list[bytes] = []
        self.finished = False
        self.tell: Callable[[], None] | None = None
        self.carrier = Carrier(self, self)

    # The speaker

    def on_output(self, tell: Callable[[], None] | None) -> None:
        self.tell = tell

    def connected(self) -> None:
        self.did.append("connected")

    def receive(self, data: bytes) -> None:
        self.did.append(f"hears {data.decode()}")

    def pause_s(self) -> float:
        return 0.5

    def next_output(self) -> bytes:
        return self.out.pop(0) if self.out else b""

    def disconnected(self, why: str) -> None:
        self.did.append(f"disconnected {why}".strip())

    def poke(self) -> None:
        if self.tell is not None:
            self.tell()

    # The wire

    def begin(self) -> None:
        self.did.append("(")

    def finish(self) -> None:
        self.did.append(")")

    def wake_writer(self) -> None:
        self.did.append("wake")

    def close(self) -> None:
        self.did.append("close")


def test_what_happens_on_a_connection_is_a_batch_of_the_machine() -> None:
    talk = Talk()
    talk.carrier.up()
    assert talk.did == ["(", "connected", ")", "wake"]
    talk.did.clear()
    assert talk.carrier.heard(b"x") == 0.5
    assert talk.did == ["(", "hears x", ")"]


def test_nothing_is_said_before_the_connection_is_there() -> None:
    talk = Talk()
    talk.out.append(b"x")
    talk.poke()
    assert talk.did == []
    assert talk.carrier.next_output() == b""
    talk.carrier.up()
    assert [talk.carrier.next_output(), talk.carrier.next_output()] == [b"x", b""]


def test_the_writer_is_woken_by_whoever_has_something_to_say() -> None:
    talk = Talk()
    talk.carrier.up()
    talk.did.clear()
    talk.poke()
    assert talk.did == ["wake"]


def test_a_connection_that_is_over_is_closed_once_and_hears_nothing_more() -> None:
    talk = Talk()
    talk.carrier.up()
    talk.finished = True
    talk.did.clear()
    talk.poke()
    talk.poke()
    talk.carrier.heard(b"late")
    assert talk.did == ["close"]
    assert talk.carrier.next_output() == b""
    talk.carrier.ended()
    assert talk.did == ["close", "(", "disconnected", ")"]


def test_a_dial_that_is_of_no_more_use_is_broken_off() -> None:
    talk = Talk()
    talk.finished = True
    talk.poke()
    assert talk.did == ["close"]
    talk.carrier.up()
    assert talk.did == ["close"], "it came about all the same, too late"


def test_why_a_connection_could_not_be_made_is_told_but_not_why_one_has_ended() -> None:
    talk = Talk()
    talk.carrier.ended("refused")
    assert talk.did == ["(", "disconnected refused", ")"]
    talk = Talk()
    talk.carrier.up()
    talk.did.clear()
    talk.carrier.ended("broken")
    assert talk.did == ["(", "disconnected", ")"]


def test_a_speaker_is_told_of_the_end_once_and_is_left_alone_afterwards() -> None:
    talk = Talk()
    talk.carrier.ended("refused")
    talk.did.clear()
    talk.carrier.ended("refused")
    assert talk.did == []
    assert talk.tell is None
