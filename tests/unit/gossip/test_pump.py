"""Effects are performed in the order given, and nothing leaves before what it promises is on the disk."""

import pytest

from gossamer.cluster.topology import Flag, Node, Topology
from gossamer.gossip.effects import Deliver, Dial, Effect, Hangup, Lead, Level, Log, Resolve, Save, Send
from gossamer.gossip.packet import Fail, MessageType, Packet
from gossamer.gossip.pump import Pump


class Slow:
    """A driver whose disk is done when the test says so; ``did`` is what it was asked for, in order."""

    def __init__(self) -> None:
        self.outbox: list[Effect] = []
        self.did: list[str] = []
        self.pump = Pump(self, self.take)

    def take(self) -> list[Effect]:
        effects, self.outbox = self.outbox, []
        return effects

    def ask(self, *effects: Effect) -> None:
        self.outbox += effects
        self.pump.run()

    def disk(self, kept: bool = True) -> None:
        self.pump.saved(kept)
        self.pump.run()

    def keep(self, save: Save) -> bool:
        self.did.append(f"at once {save.topology.me}")
        return True

    def fail(self, save: Save) -> bool:
        return False

    def save(self, save: Save) -> None:
        self.did.append(f"save {save.topology.me}{' synced' if save.synced else ''}")

    def send(self, send: Send) -> None:
        self.did.append(f"send {send.links[0]}")

    def dial(self, dial: Dial) -> None:
        self.did.append(f"dial {dial.link}")

    def hang_up(self, link: int) -> None:
        self.did.append(f"hang up {link}")

    def resolve(self, resolve: Resolve) -> None:
        self.did.append(f"resolve {resolve.hostname}")

    def log(self, log: Log) -> None:
        self.did.append(f"log {log.text}")

    def deliver(self, deliver: Deliver) -> None:
        self.did.append("deliver")


def save(name: str, synced: bool = True) -> Save:
    return Save(Topology(name, {name: Node(name, "", 1, 2, flags=Flag.MYSELF)}), synced)


def send(link: int) -> Send:
    return Send((link,), Packet(MessageType.FAIL, "a" * 40, 1, 0, 2, 3, 1, body=Fail("b" * 40)))


def test_effects_are_performed_in_the_order_given() -> None:
    slow = Slow()
    slow.ask(Log(Level.NOTICE, "x"), Dial(-1, "n", "10.0.0.1", 2), send(1), Hangup(1), Resolve("n", "h"))
    assert slow.did == ["log x", "dial -1", "send 1", "hang up 1", "resolve h"]


def test_nothing_that_was_said_behind_a_save_leaves_before_it_holds() -> None:
    slow = Slow()
    slow.ask(send(1), save("a"), send(2))
    slow.ask(send(3))
    assert slow.did == ["send 1", "save a synced"]
    assert slow.pump.saving
    slow.disk()
    assert slow.did[2:] == ["send 2", "send 3"]
    assert not slow.pump.saving


def test_of_several_saves_that_wait_the_last_is_written_in_the_place_of_the_first() -> None:
    slow = Slow()
    slow.ask(send(1), save("a"), send(2), save("b", synced=False), send(3))
    assert slow.did == ["send 1", "save b synced"]
    slow.disk()
    assert slow.did[2:] == ["send 2", "send 3"]


def test_what_is_asked_for_while_the_disk_is_busy_is_saved_by_one_write_more() -> None:
    slow = Slow()
    slow.ask(save("a"))
    slow.ask(save("b"), send(1))
    slow.ask(save("c"), send(2))
    slow.disk()
    assert slow.did == ["save a synced", "save c synced"]
    slow.disk()
    assert slow.did[2:] == ["send 1", "send 2"]


def test_a_reply_leaves_after_all_that_was_asked_for_before_it() -> None:
    slow = Slow()
    slow.outbox.append(save("a"))
    slow.pump.after(lambda: slow.did.append("reply"))
    slow.ask(send(1))
    assert slow.did == ["save a synced"]
    slow.disk()
    assert slow.did[1:] == ["reply", "send 1"]


def test_what_a_reply_asks_for_is_done_after_what_waited_already() -> None:
    slow = Slow()
    slow.pump.after(lambda: slow.ask(send(2)))
    slow.ask(send(1))
    assert slow.did == ["send 1", "send 2"]


def test_a_node_whose_disk_has_failed_says_nothing_until_it_can_save() -> None:
    slow = Slow()
    slow.ask(save("a"), send(1), Dial(-1, "n", "10.0.0.1", 2))
    slow.disk(kept=False)
    assert slow.pump.mute
    assert slow.did == ["save a synced", "dial -1"]
    slow.pump.retry()
    slow.ask(send(2))
    slow.disk()
    assert slow.did[2:] == ["save a synced", "send 2"]


def test_a_promise_that_failed_is_made_good_by_the_next_save() -> None:
    slow = Slow()
    slow.ask(save("a"))
    slow.disk(kept=False)
    slow.ask(save("b", synced=False))
    assert slow.did == ["save a synced", "save b synced"]
    slow.disk()
    assert not slow.pump.mute


def test_a_retry_has_nothing_to_do_while_a_save_is_under_way() -> None:
    slow = Slow()
    slow.ask(save("a"))
    slow.disk(kept=False)
    slow.pump.retry()
    slow.pump.retry()
    assert slow.did == ["save a synced"] * 2


def test_before_clients_are_answered_what_waits_is_saved_and_nothing_else_is_done() -> None:
    slow = Slow()
    slow.ask(save("a"))
    slow.outbox += [send(1), save("b"), send(2), save("c", synced=False)]
    assert slow.pump.save_at_once(slow.keep)
    assert slow.did == ["save a synced", "at once c"]
    slow.disk()
    assert slow.did[2:] == ["send 1", "send 2"]


def test_clients_are_not_answered_when_nothing_can_be_saved() -> None:
    slow = Slow()
    slow.outbox.append(save("a"))
    assert not slow.pump.save_at_once(slow.fail)
    assert slow.pump.mute
    assert slow.pump.save_at_once(slow.keep), "there is nothing new to be saved"
    assert slow.did == []


def test_what_is_for_the_node_itself_is_not_for_the_pump() -> None:
    with pytest.raises(AssertionError, match="not for the outside"):
        Slow().ask(Lead())
