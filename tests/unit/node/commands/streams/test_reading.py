"""XREAD and XREADGROUP wait for what they are asked for, and are told when it cannot come any more."""

from tests.unit.node.commands.one import One


class Reader:
    """A client of ``one`` beside its own."""

    def __init__(self, one: One) -> None:
        self.one = one
        self.session = one.machine.accept("127.0.0.1:3", "127.0.0.1:2")

    def say(self, *words: str) -> bytes:
        self.session.feed(
            b"*%d\r\n" % len(words) + b"".join(b"$%d\r\n%s\r\n" % (len(word), word.encode()) for word in words)
        )
        return self.hear()

    def hear(self) -> bytes:
        self.one.machine.drain()
        return self.session.take_output()


def entry(number: str) -> bytes:
    return b"*1\r\n*2\r\n$1\r\ns\r\n*1\r\n*2\r\n$3\r\n%s\r\n*2\r\n$1\r\nf\r\n$1\r\nv\r\n" % number.encode()


def test_a_dollar_means_the_end_at_which_the_wait_begins() -> None:
    one = One()
    reader = Reader(one)
    one.say("XADD", "s", "1-0", "f", "v")
    assert reader.say("XREAD", "BLOCK", "0", "STREAMS", "s", "$") == b""
    one.say("XDEL", "s", "1-0")
    assert reader.hear() == b""
    one.say("XADD", "s", "2-0", "f", "v")
    assert reader.hear() == entry("2-0")


def test_two_entries_of_one_transaction_come_together() -> None:
    one = One()
    reader = Reader(one)
    reader.say("XREAD", "BLOCK", "0", "STREAMS", "s", "$")
    for words in (("MULTI",), ("XADD", "s", "1-0", "f", "v"), ("XADD", "s", "2-0", "f", "v"), ("EXEC",)):
        one.say(*words)
    assert reader.hear().count(b"-0\r\n") == 2


def test_xread_goes_on_waiting_when_the_key_is_deleted_or_something_else() -> None:
    one = One()
    reader = Reader(one)
    one.say("XADD", "s", "1-0", "f", "v")
    reader.say("XREAD", "BLOCK", "0", "STREAMS", "s", "$")
    one.say("DEL", "s")
    one.say("SET", "s", "x")
    assert reader.hear() == b""
    one.say("DEL", "s")
    one.say("XADD", "s", "2-0", "f", "v")
    assert reader.hear() == entry("2-0")


def test_a_group_that_goes_is_told_to_who_waits_for_it() -> None:
    lost = b"-NOGROUP No such key 's' or consumer group 'g' in XREADGROUP with GROUP option\r\n"
    wrong = b"-WRONGTYPE Operation against a key holding the wrong kind of value\r\n"
    ends = {("XGROUP", "DESTROY", "s", "g"): lost, ("DEL", "s"): lost, ("SET", "s", "x"): wrong, ("FLUSHALL",): lost}
    for words, told in ends.items():
        one = One()
        reader = Reader(one)
        one.say("XGROUP", "CREATE", "s", "g", "$", "MKSTREAM")
        assert reader.say("XREADGROUP", "GROUP", "g", "c", "BLOCK", "0", "STREAMS", "s", ">") == b""
        one.say(*words)
        assert reader.hear() == told


def test_an_entry_goes_to_who_has_waited_longest() -> None:
    one = One()
    first, second = Reader(one), Reader(one)
    one.say("XGROUP", "CREATE", "s", "g", "$", "MKSTREAM")
    for reader, name in ((first, "a"), (second, "b")):
        reader.say("XREADGROUP", "GROUP", "g", name, "BLOCK", "0", "STREAMS", "s", ">")
    one.say("XADD", "s", "1-0", "f", "v")
    assert (first.hear(), second.hear()) == (entry("1-0"), b"")
    one.say("XADD", "s", "2-0", "f", "v")
    assert (first.hear(), second.hear()) == (b"", entry("2-0"))


def test_nothing_comes_in_time() -> None:
    one = One()
    reader = Reader(one)
    assert reader.say("XREAD", "BLOCK", "50", "STREAMS", "s", "0") == b""
    one.server.begin_batch(1_000_049)
    one.machine.attend(1_000_049)
    assert reader.hear() == b""
    one.server.begin_batch(1_000_050)
    one.machine.attend(1_000_050)
    assert reader.hear() == b"*-1\r\n"


def test_in_a_transaction_nobody_waits() -> None:
    one = One()
    one.say("MULTI")
    one.say("XREAD", "BLOCK", "0", "STREAMS", "s", "$")
    assert one.say("EXEC") == b"*1\r\n*-1\r\n"
