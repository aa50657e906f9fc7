"""CLIENT NO-TOUCH of Redis 7.2: what a connection reads does not count as used."""

from tests.unit.node.commands.one import One


def idle(one: One, key: str) -> bytes:
    return one.say("OBJECT", "IDLETIME", key)


def test_reads_do_not_count_while_it_is_on() -> None:
    one = One()
    one.say("SET", "k", "v")
    assert idle(one, "k") == b":0\r\n"
    one.server.begin_batch(1_020_000)
    assert one.say("CLIENT", "NO-TOUCH", "on") == b"+OK\r\n"
    one.say("GET", "k")
    assert idle(one, "k") == b":20\r\n"
    one.say("TOUCH", "k")
    assert idle(one, "k") == b":0\r\n"
    one.server.begin_batch(1_030_000)
    one.say("GET", "k")
    assert idle(one, "k") == b":10\r\n"
    assert one.say("CLIENT", "NO-TOUCH", "OFF") == b"+OK\r\n"
    one.say("GET", "k")
    assert idle(one, "k") == b":0\r\n"


def test_it_is_shown_and_ends_with_reset() -> None:
    one = One()
    one.say("CLIENT", "NO-TOUCH", "ON")
    one.say("CLIENT", "NO-EVICT", "ON")
    assert b" flags=eT " in one.say("CLIENT", "INFO")
    one.say("RESET")
    assert b" flags=N " in one.say("CLIENT", "INFO")
    assert one.say("CLIENT", "NO-TOUCH", "maybe") == b"-ERR syntax error\r\n"
    assert one.say("CLIENT", "NO-TOUCH").startswith(b"-ERR wrong number of arguments")
