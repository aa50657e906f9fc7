"""Our command table is Redis 7.0.15's, field by field, for every command that we have; and what was promised is there.

A difference is a mistake in a declaration (``node/commands``) or in the facts beside it (``node/commands/docs``), whose
right values stand in ``command-table.json``. What differs on purpose is listed in EXTRA and DIFFERENT with its reason.
"""

import inspect
import re
from typing import Any

import pytest

import gossamer.node.commands
from gossamer.node.commands.docs import GROUPS, facts, read
from gossamer.node.commands.introspection import described, documented, everything, keys_and_access
from gossamer.node.engine.table.command import DECLARED, Command, distinct
from gossamer.node.resp.errors import Refusal
from gossamer.node.resp.reply import SetReply, StatusSet
from tests.tidy.reference import GETKEYS, REFERENCE, Info

assert gossamer.node.commands, "importing the package fills the table"
OURS: dict[str, Command] = {cmd.name: cmd for cmd in everything(DECLARED)}

EXTRA: dict[str, str] = {
    "client|no-touch": "Redis 7.2",
    "client|setinfo": "Redis 7.2: client libraries send it with each connection",
    "waitaof": "Redis 7.2",
    "cluster|myshardid": "Redis 7.2 and Valkey have it, and clients of theirs ask for it",
    "cluster|migrateslots": "Valkey 9: slots move as a whole",
    "cluster|getslotmigrations": "Valkey 9",
    "cluster|cancelslotmigrations": "Valkey 9",
    "cluster|syncslots": "Valkey 9: what nodes say to each other for it",
    "hexpire": "Valkey 9: fields of a hash expire",
    "hpexpire": "Valkey 9: fields of a hash expire",
    "hexpireat": "Valkey 9: fields of a hash expire",
    "hpexpireat": "Valkey 9: fields of a hash expire",
    "httl": "Valkey 9: fields of a hash expire",
    "hpttl": "Valkey 9: fields of a hash expire",
    "hexpiretime": "Valkey 9: fields of a hash expire",
    "hpexpiretime": "Valkey 9: fields of a hash expire",
    "hpersist": "Valkey 9: fields of a hash expire",
    "hsetex": "Valkey 9: fields of a hash expire",
    "hgetex": "Valkey 9: fields of a hash expire",
    "hgetdel": "Valkey 9: fields of a hash expire",
}
"""Commands that Redis 7.0.15 does not have."""

IN_7_2 = "so in Redis 7.2.5"
DEPRECATION = ("deprecated_since", "doc_flags", "replaced_by")

DIFFERENT: dict[tuple[str, str], str] = {
    ("geosearch", "arguments"): "BYPOLYGON of Valkey 9",
    ("geosearch", "history_versions"): "BYPOLYGON of Valkey 9",
    ("geosearchstore", "arguments"): "BYPOLYGON of Valkey 9",
    ("geosearchstore", "history_versions"): "BYPOLYGON of Valkey 9",
    ("zrank", "arity"): "WITHSCORE of Redis 7.2",
    ("zrank", "arguments"): "WITHSCORE of Redis 7.2",
    ("zrank", "history_versions"): "WITHSCORE of Redis 7.2",
    ("zrevrank", "arity"): "WITHSCORE of Redis 7.2",
    ("zrevrank", "arguments"): "WITHSCORE of Redis 7.2",
    ("zrevrank", "history_versions"): "WITHSCORE of Redis 7.2",
    ("client|pause", "since"): IN_7_2,
    ("client|setname", "tips"): IN_7_2,
    ("cluster|shards", "flags"): IN_7_2,
    ("cluster|slots", "flags"): IN_7_2,
    ("command|getkeys", "arity"): IN_7_2,
    ("command|getkeysandflags", "arity"): IN_7_2,
    ("config|resetstat", "tips"): IN_7_2,
    ("config|rewrite", "tips"): IN_7_2,
    ("latency|reset", "tips"): IN_7_2,
    ("msetnx", "tips"): IN_7_2,
    ("randomkey", "tips"): IN_7_2,
    ("scan", "tips"): IN_7_2,
    ("wait", "flags"): IN_7_2,
    **{(name, field): IN_7_2 for name in ("psetex", "quit", "setex", "setnx") for field in DEPRECATION},
}
"""Command and field that differ from Redis 7.0.15, and why."""

ABSENT: dict[str, str] = {
    "pub/sub": "psubscribe publish pubsub punsubscribe spublish ssubscribe subscribe sunsubscribe unsubscribe",
    "scripts and functions": "eval eval_ro evalsha evalsha_ro fcall fcall_ro function script",
    "users: there is one yet, `default`": "acl",
    "modules: nothing can load a shared object": "module",
}
"""Commands of Redis that are not here, with their subcommands, by what is missing. A Sentinel is another program."""

PROMISED: dict[str, str] = {
    "connection": "auth client echo hello ping quit reset select",
    "client": "caching getname getredir help id info kill list no-evict pause reply setname tracking trackinginfo"
    " unblock unpause",
    "server": "bgrewriteaof bgsave command config dbsize debug flushall flushdb info lastsave latency lolwut memory"
    " monitor restore-asking psync replconf replicaof role save shutdown slaveof slowlog swapdb sync time",
    "command": "count docs getkeys getkeysandflags help info list",
    "config": "get help resetstat rewrite set",
    "latency": "doctor graph help histogram history latest reset",
    "memory": "doctor help malloc-stats purge usage",
    "slowlog": "get help len reset",
    "generic": "copy del dump exists expire expireat expiretime keys migrate move object persist pexpire pexpireat"
    " pexpiretime pttl randomkey rename renamenx restore scan sort sort_ro touch ttl type unlink wait",
    "object": "encoding freq help idletime refcount",
    "hash": "hdel hexists hget hgetall hincrby hincrbyfloat hkeys hlen hmget hmset hrandfield hscan hset hsetnx"
    " hstrlen hvals",
    "string": "append decr decrby get getdel getex getrange getset incr incrby incrbyfloat lcs mget mset msetnx psetex"
    " set setex setnx setrange strlen substr",
    "geo": "geoadd geodist geohash geopos georadius georadius_ro georadiusbymember georadiusbymember_ro geosearch"
    " geosearchstore",
    "hyperloglog": "pfadd pfcount pfdebug pfmerge pfselftest",
    "set": "sadd scard sdiff sdiffstore sinter sintercard sinterstore sismember smembers smismember smove spop"
    " srandmember srem sscan sunion sunionstore",
    "bitmap": "bitcount bitfield bitfield_ro bitop bitpos getbit setbit",
    "stream": "xack xadd xautoclaim xclaim xdel xgroup xinfo xlen xpending xrange xread xreadgroup xrevrange"
    " xsetid xtrim",
    "xgroup": "create createconsumer delconsumer destroy help setid",
    "xinfo": "consumers groups help stream",
    "list": "blmove blmpop blpop brpop brpoplpush lindex linsert llen lmove lmpop lpop lpos lpush lpushx lrange lrem"
    " lset ltrim rpop rpoplpush rpush rpushx",
    "sorted-set": "bzmpop bzpopmax bzpopmin zadd zcard zcount zdiff zdiffstore zincrby zinter zintercard zinterstore"
    " zlexcount zmpop zmscore zpopmax zpopmin zrandmember zrange zrangebylex zrangebyscore zrangestore zrank zrem"
    " zremrangebylex zremrangebyrank zremrangebyscore zrevrange zrevrangebylex zrevrangebyscore zrevrank zscan zscore"
    " zunion zunionstore",
    "transactions": "discard exec multi unwatch watch",
    "slots": "asking cluster readonly readwrite",
    "cluster": "addslots addslotsrange bumpepoch count-failure-reports countkeysinslot delslots delslotsrange"
    " flushslots forget getkeysinslot help info keyslot links meet myid nodes reset saveconfig set-config-epoch setslot"
    " shards slots",
}
"""Commands by group, and subcommands by container."""

CONTAINERS = ("client", "cluster", "command", "config", "latency", "memory", "object", "slowlog", "xgroup", "xinfo")
NAMES = [f"{home}|{word}" if home in CONTAINERS else word for home, words in PROMISED.items() for word in words.split()]


@pytest.mark.parametrize("name", NAMES)
def test_a_promised_command_is_there(name: str) -> None:
    assert OURS.get(name) is not None


def test_what_is_absent_is_known() -> None:
    """No command is forgotten, and none is still named that has come since."""
    names = {name for words in ABSENT.values() for name in words.split()}
    assert set(REFERENCE) - set(OURS) == {name for name in REFERENCE if name.partition("|")[0] in names}
    assert names <= set(REFERENCE)


@pytest.mark.parametrize("name", sorted(set(OURS) - set(EXTRA)))
def test_a_command_is_described_as_redis_does(name: str) -> None:
    assert name in REFERENCE, "Redis 7.0.15 has no such command: if that is meant, it belongs into EXTRA"
    theirs, ours = REFERENCE[name], told(OURS[name])
    for field in sorted((set(theirs) | set(ours)) - set(OWN_WORDS)):
        if (name, field) not in DIFFERENT:
            assert ours.get(field) == theirs.get(field), field


@pytest.mark.parametrize("name", sorted(OURS))
def test_a_handler_takes_what_the_arity_promises(name: str) -> None:
    cmd = OURS[name]
    try:
        parameters = inspect.signature(cmd.handler).parameters.values()
    except ValueError:
        pytest.skip("compiled functions do not tell their parameters")
    assert all(p.kind == p.POSITIONAL_OR_KEYWORD and p.default is p.empty for p in parameters)
    assert len(parameters) == (cmd.arity if cmd.arity > 0 else 2)


@pytest.mark.parametrize("name", sorted(OURS))
def test_a_command_has_a_summary(name: str) -> None:
    """One sentence, as Redis writes them: a verb in the third person first (Returns, Sets, Does)."""
    docs = documented(OURS[name])
    assert isinstance(docs, dict)
    assert re.fullmatch(r"[A-Z][a-z]+s\b.+\.", docs["summary"])


def test_complexities_are_our_own_words() -> None:
    """What stands in Redis' table word for word is a bare order, as ``O(1)``: there is no other way to say that."""
    copied = {
        name
        for name, theirs in REFERENCE.items()
        if len(theirs.get("complexity", "").split()) > 5 and facts(name).complexity == theirs["complexity"]
    }
    assert copied == set()


@pytest.mark.parametrize("example", GETKEYS, ids=lambda example: " ".join(example["command"]))
def test_keys_are_found_as_redis_finds_them(example: dict[str, Any]) -> None:
    argv = [word.encode() for word in example["command"]]
    if example["command"][0].lower() not in OURS:
        pytest.skip("we do not have this command")
    if len(argv) == 1:
        pytest.skip("the arity of COMMAND GETKEYS refuses it")
    try:
        found: object = [[key.decode(), sorted(access)] for key, access in keys_and_access(DECLARED, argv)]
    except Refusal as refusal:
        found = {"error": refusal.text.decode()}
    assert found == example["keys_and_flags"]


def test_exceptions_are_still_exceptions() -> None:
    assert not set(EXTRA) & set(REFERENCE)
    assert set(EXTRA) <= set(OURS)
    for name, field in DIFFERENT:
        assert told(OURS[name]).get(field) != REFERENCE[name].get(field), (name, field)


def test_every_command_has_its_facts() -> None:
    """An empty record means: written under the wrong name, or forgotten."""
    missing = [
        name
        for name in OURS
        if not facts(name).since or (REFERENCE.get(name, {}).get("complexity") and not facts(name).complexity)
    ]
    assert missing == []


def test_every_record_is_of_a_command() -> None:
    assert {name for group in GROUPS for name in read(group)} == set(OURS)


# --- our records in the form of the reference

OWN_WORDS = ("summary", "complexity", "history", "subcommands")
"""Fields that are not compared: texts of our own, and what is looked at by itself."""


def told(cmd: Command) -> Info:
    """What COMMAND INFO and COMMAND DOCS say of ``cmd``, as the reference writes it: no empty fields, sets sorted."""
    info = described(cmd)
    docs = documented(cmd)
    assert isinstance(info, list)
    assert isinstance(docs, dict)
    name, arity, flags, first, last, step, acl, tips, specs, subcommands = (plain(item) for item in info)
    assert name == cmd.name
    assert len(subcommands) == len(distinct(cmd.subcommands))
    out = {"arity": arity, "flags": flags, "acl_categories": acl, "tips": tips}
    out |= {"key_specs": [spec | {"notes": True} if "notes" in spec else spec for spec in specs]}
    out |= {field: plain(value) for field, value in docs.items() if field not in OWN_WORDS}
    out |= {"history_versions": [version for version, _ in plain(docs.get("history", []))]}
    out = {field: value for field, value in out.items() if value}
    return out | {"first_key": first, "last_key": last, "step": step}


def plain(reply: object) -> Any:  # noqa: ANN401
    """A reply as JSON would hold it, without what 7.2 adds to arguments; an empty map is recorded as RESP2 has it."""
    if isinstance(reply, bytes):
        return reply.decode()
    if isinstance(reply, StatusSet):
        return sorted(reply.items)
    if isinstance(reply, SetReply):
        return [plain(item) for item in reply.items]
    if isinstance(reply, list):
        return [plain(item) for item in reply]
    if isinstance(reply, dict):
        return {key: plain(value) for key, value in reply.items() if key != "display_text"} or []
    return reply
