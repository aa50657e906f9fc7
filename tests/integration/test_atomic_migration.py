"""CLUSTER MIGRATESLOTS between real nodes: nothing is lost and every slot has one owner, whatever happens meanwhile."""

import time
from collections.abc import Sequence
from typing import Final

import pytest

from tests.integration.clusters import (
    CLUSTER,
    Line,
    demand,
    form,
    introduce,
    my_id,
    myself,
    start_together,
    view,
    wait_state,
    wait_until,
)
from tests.integration.migrating import jobs, key_count, migrate, state, wait_end
from tests.integration.nodes import GOSSAMER, VALKEY, Node, Nodes, Program
from tests.integration.test_replication import facts
from tests.integration.test_reshard import keys_in
from tests.integration.writers import Python

SLOTS: Final = 200
NAMES: Final = 300
OPTIONS: Final = (
    *CLUSTER, "--enable-debug-command", "yes", "--cluster-node-timeout", "2000", "--repl-diskless-sync-delay", "0",
    "--cluster-allow-replica-migration", "no",
)  # fmt: skip
"""Of two replicas one would leave for a primary that has none."""


def cluster_of(nodes: Nodes, *kinds: Program) -> list[Node]:
    made = [nodes.make(*OPTIONS, program=kind) for kind in kinds]
    start_together(made)
    form(made)
    return made


def replica_of(
    nodes: Nodes,
    primary: Node,
    everyone: list[Node],
    program: Program = GOSSAMER,
    options: Sequence[str] = OPTIONS,
) -> Node:
    """A new replica, in sync and known to all."""
    replica = nodes.start(*options, program=program)
    everyone.append(replica)
    introduce([replica], everyone[0], everyone)
    demand(replica, "CLUSTER", "REPLICATE", my_id(primary))
    wait_until(lambda: facts(replica).get("master_link_status") == "up", "the replica is in sync")
    told, head = my_id(replica), my_id(primary)
    wait_until(lambda: all(view(node)[told].primary == head for node in everyone), "all know whose it is")
    return replica


def same_data(primary: Node, replica: Node) -> bool:
    return primary.ask("DEBUG", "DIGEST") == replica.ask("DEBUG", "DIGEST")


def test_slots_move_under_writes_and_the_replicas_of_both_sides_follow(nodes: Nodes) -> None:
    source, target, third = cluster_of(nodes, GOSSAMER, GOSSAMER, GOSSAMER)
    everyone = [source, target, third]
    replicas = [replica_of(nodes, node, everyone) for node in (source, target)]
    names = keys_in(0, SLOTS - 1, NAMES)
    demand(source, "SET", keys_in(300, 400, 1)[0], "stays")
    demand(source, "SET", names[0] + "{" + names[0] + "}", "ends", "EX", "1000")
    writer = Python(source.port, names)
    with writer.at_work():
        writer.wait_more()
        migrate(source, target, 0, 99, 100, SLOTS - 1)
        job = wait_end(source)
        writer.wait_more()
    assert job["state"] == "success", job
    assert (job["operation"], job["slot_ranges"]) == ("EXPORT", f"0-99 100-{SLOTS - 1}")
    assert (job["source_node"], job["target_node"]) == (my_id(source), my_id(target))
    assert jobs(target)[0]["operation"] == "IMPORT"
    assert jobs(target)[0]["name"] == job["name"]
    writer.verify(target)
    wait_until(lambda: key_count(source) == 1, "the source has deleted its keys")
    assert [key_count(node) for node in (source, target, third)] == [1, NAMES + 1, 0]
    wait_until(lambda: all(myself(target).slots[0] == f"0-{SLOTS - 1}" for node in everyone), "all know the new owner")
    wait_until(lambda: same_data(source, replicas[0]) and same_data(target, replicas[1]), "the replicas have the same")
    assert key_count(replicas[1]) == NAMES + 1
    assert source.ask("GET", names[0]).text.startswith(b"MOVED ")
    wait_state(everyone, "ok")


@pytest.mark.parametrize(
    "kinds", [(GOSSAMER, VALKEY), (VALKEY, GOSSAMER)], ids=lambda kinds: "-to-".join(kind.name for kind in kinds)
)
def test_slots_move_between_ours_and_valkey_under_writes_and_with_replicas(
    nodes: Nodes, kinds: tuple[Program, Program]
) -> None:
    source, target, third = cluster_of(nodes, *kinds, GOSSAMER)
    everyone = [source, target, third]
    ours, theirs = (replica_of(nodes, target, everyone, program) for program in (GOSSAMER, VALKEY))
    names = keys_in(0, SLOTS - 1, NAMES)
    writer = Python(third.port, names)
    with writer.at_work():
        writer.wait_more()
        migrate(source, target, 0, SLOTS - 1)
        job = wait_end(source)
        writer.wait_more()
    assert job["state"] == "success", job
    assert jobs(target)[0]["state"] == "success"
    writer.verify(target)
    wait_until(lambda: key_count(source) == 0, "the source has deleted its keys")
    assert key_count(target) == NAMES
    for replica in (ours, theirs):
        wait_until(lambda replica=replica: same_data(target, replica), f"{replica} has the same")  # type: ignore[misc]
        wait_until(lambda replica=replica: state(replica) == "success", f"{replica} has heard of it")  # type: ignore[misc]
    wait_state(everyone, "ok")


@pytest.mark.parametrize("kind", [GOSSAMER, VALKEY], ids=lambda kind: kind.name)
def test_who_gives_away_its_last_slot_tells_of_success_and_becomes_a_replica(nodes: Nodes, kind: Program) -> None:
    """As Valkey, which then forgets the job with the data that it had."""
    source, target, third = cluster_of(nodes, GOSSAMER, kind, GOSSAMER)
    demand(source, "CONFIG", "SET", "cluster-allow-replica-migration", "yes")
    for name in keys_in(0, SLOTS - 1, NAMES):
        demand(source, "SET", name, name)
    (span,) = myself(source).slots
    migrate(source, target, *(int(bound) for bound in span.split("-")))
    job = wait_end(source)
    assert (job["state"], job["message"]) == ("success", "")
    wait_until(lambda: myself(source).primary == my_id(target), "the source is a replica of the target")
    wait_until(lambda: facts(source).get("master_link_status") == "up", "it is in sync")
    wait_until(lambda: same_data(target, source), "it has the same")
    assert key_count(source) == NAMES
    wait_state([source, target, third], "ok")


def test_a_list_of_valkey_comes_with_its_slot(nodes: Nodes) -> None:
    source, target, _ = cluster_of(nodes, VALKEY, GOSSAMER, GOSSAMER)
    name = keys_in(0, SLOTS - 1, 1)[0]
    source.ask("RPUSH", name, "a", "b")
    migrate(source, target, 0, SLOTS - 1)
    assert wait_end(source)["state"] == "success"
    assert wait_end(target)["state"] == "success"
    wait_until(lambda: [key_count(node) for node in (source, target)] == [0, 1], "it has moved")
    assert [item.text for item in target.ask("LRANGE", name, 0, -1).items] == [b"a", b"b"]


def test_a_cancelled_migration_leaves_all_as_it_was(nodes: Nodes) -> None:
    source, target, third = cluster_of(nodes, GOSSAMER, GOSSAMER, GOSSAMER)
    everyone = [source, target, third]
    replica = replica_of(nodes, target, everyone)
    names = keys_in(0, SLOTS - 1, NAMES)
    for name in names:
        demand(source, "SET", name, name)
    demand(target, "CLIENT", "PAUSE", 30000, "WRITE")  # so nothing arrives, and the job stays where it is
    migrate(source, target, 0, SLOTS - 1)
    wait_until(lambda: state(source) == "replicating", "all has been sent")
    assert source.ask("CLUSTER", "MIGRATESLOTS", "SLOTSRANGE", 5, 5, "NODE", my_id(target)).text == (
        b"ERR I am already migrating slot 5."
    )
    assert source.ask("CLUSTER", "SETSLOT", 9, "STABLE").text == b"ERR Slot export in progress."
    assert target.ask("CLUSTER", "SETSLOT", 9, "STABLE").text == b"ERR Slot import in progress."
    demand(source, "CLUSTER", "CANCELSLOTMIGRATIONS")
    assert wait_end(source)["state"] == "cancelled"
    assert source.ask("CLUSTER", "CANCELSLOTMIGRATIONS").text == b"ERR No migrations ongoing"
    assert wait_end(target)["state"] == "failed"
    demand(target, "CLIENT", "UNPAUSE")
    wait_until(lambda: not replica.ask("CLUSTER", "GETSLOTMIGRATIONS").items or state(replica) == "failed", "told")
    assert [key_count(node) for node in (source, target, replica)] == [NAMES, 0, 0]
    demand(source, "SET", names[0], "again")
    migrate(source, target, 0, SLOTS - 1)
    assert wait_end(source)["state"] == "success"
    wait_until(lambda: key_count(replica) == NAMES, "the replica has them now")


def owner_of(slot: int, everyone: Sequence[Node]) -> Node:
    """Once all who live name one of them."""
    living = {my_id(node): node for node in everyone if node.running}

    def owners() -> set[str]:
        return {line.id for node in living.values() for line in view(node).values() if holds(line, slot)}

    wait_until(lambda: len(owners()) == 1 and owners() <= set(living), "all name one owner, who lives", 60)
    return living[owners().pop()]


def holds(line: Line, slot: int) -> bool:
    spans = [span.split("-") for span in line.slots if not span.startswith("[")]
    return any(int(span[0]) <= slot <= int(span[-1]) for span in spans)


@pytest.mark.once
@pytest.mark.parametrize("victim", ["source", "target"])
def test_either_side_is_killed_again_and_again_and_no_acknowledged_write_is_lost(nodes: Nodes, victim: str) -> None:
    made = [nodes.make(*OPTIONS, "--write-ack-replicas", "1") for _ in range(2)]
    made.append(nodes.make(*OPTIONS))
    start_together(made)
    form(made)
    everyone = list(made)
    for primary in made[:2]:
        demand(replica_of(nodes, primary, everyone), "CONFIG", "SET", "write-ack-replicas", "1")
    names = keys_in(0, SLOTS - 1, 50)
    writer = Python(made[2].port, names, patience_s=2)
    with writer.at_work():
        writer.wait_more(100, 60)
        for delay_s in (0.0, 0.006, 0.015):
            source = owner_of(0, everyone)
            target = other_primary(source, everyone, made[2])
            dead = source if victim == "source" else target
            lost = my_id(dead)
            heir = next(node for node in everyone if view(made[2])[my_id(node)].primary == lost)
            migrate(source, target, 0, SLOTS - 1)
            time.sleep(delay_s)  # where in the journey it is hit is for chance to say
            dead.kill()
            wait_until(lambda lost=lost: not view(made[2])[lost].slots, "it is replaced", 60)  # type: ignore[misc]
            owner = owner_of(0, everyone)
            wait_until(lambda owner=owner: state(owner) in ("", "success", "failed"), "the job is over", 60)  # type: ignore[misc]
            dead.start()
            wait_until(lambda dead=dead, heir=heir: follows(dead, heir), "it is back", 60)  # type: ignore[misc]
            wait_state(everyone, "ok")
            writer.wait_more(20, 60)
    owner = owner_of(0, everyone)
    writer.verify_nothing_lost(owner)
    wait_until(
        lambda: sorted(key_count(node) for node in everyone) == [0, 0, 0, len(names), len(names)],
        "the keys are at the owner and its replica, and nowhere else",
    )


def follows(dead: Node, heir: Node) -> bool:
    """Whether a primary that was replaced by ``heir`` is back as a replica.

    If it died when only one of the two sides knew of the hand-over, it finds its slots taken by two. Who hears last of
    the other side is left as an empty primary where replicas may not migrate (a rule of Redis and Valkey), and is told
    whom to follow.
    """
    line = myself(dead)
    if "master" in line.flags and not line.slots:
        dead.ask("CLUSTER", "REPLICATE", my_id(heir))
    return facts(dead).get("master_link_status") == "up"


def other_primary(source: Node, everyone: Sequence[Node], third: Node) -> Node:
    """The primary that is neither ``source`` nor ``third``."""
    found = view(third)
    for node in everyone:
        if node not in (source, third) and node.running and "master" in found[my_id(node)].flags:
            return node
    raise AssertionError("there is no other primary")


def test_what_cannot_be_moved_is_refused_in_the_words_of_valkey(nodes: Nodes) -> None:
    valkey, ours = (nodes.start(*CLUSTER, program=program) for program in (VALKEY, GOSSAMER))
    for node in (valkey, ours):
        demand(node, "CLUSTER", "ADDSLOTSRANGE", 0, 100)
    nobody = "0" * 40
    requests: tuple[tuple[str, ...], ...] = (
        ("MIGRATESLOTS",),
        ("MIGRATESLOTS", "SLOTSRANGE", "1", "2"),
        ("MIGRATESLOTS", "SLOTSRANGE", "5"),
        ("MIGRATESLOTS", "SLOTSRANGE", "5", "NODE", nobody),
        ("MIGRATESLOTS", "SLOTSRANGE", "a", "b", "NODE", nobody),
        ("MIGRATESLOTS", "SLOTSRANGE", "9", "5", "NODE", nobody),
        ("MIGRATESLOTS", "SLOTSRANGE", "5", "99999", "NODE", nobody),
        ("MIGRATESLOTS", "SLOTSRANGE", "5", "9", "9", "12", "NODE", nobody),
        ("MIGRATESLOTS", "SLOTSRANGE", "5", "200", "NODE", nobody),
        ("MIGRATESLOTS", "SLOTSRANGE", "5", "9", "NODE"),
        ("MIGRATESLOTS", "SLOTSRANGE", "5", "9", "NODE", "short"),
        ("MIGRATESLOTS", "SLOTSRANGE", "5", "9", "NODE", nobody),
        ("MIGRATESLOTS", "SLOTSRANGE", "5", "9", "NODE", "own id"),
        ("MIGRATESLOTS", "SLOTSRANGE", "5", "9", "TO", "own id"),
        ("MIGRATESLOTS", "SLOTS", "5", "9", "NODE", "own id"),
        ("CANCELSLOTMIGRATIONS",),
        ("GETSLOTMIGRATIONS",),
        ("SYNCSLOTS",),
        ("SYNCSLOTS", "ACK"),
        ("SYNCSLOTS", "PAUSED"),
        ("SYNCSLOTS", "SNAPSHOT-EOF"),
        ("SYNCSLOTS", "REQUEST-FAILOVER"),
        ("SYNCSLOTS", "SOMETHING"),
        ("SYNCSLOTS", "ESTABLISH"),
        ("SYNCSLOTS", "ESTABLISH", "SOURCE", "own id", "NAME", nobody, "SLOTSRANGE", "1", "2"),
        ("SYNCSLOTS", "ESTABLISH", "SOURCE", nobody, "NAME", nobody, "SLOTSRANGE", "1", "2"),
        ("SYNCSLOTS", "ESTABLISH", "SOURCE", "short", "NAME", nobody, "SLOTSRANGE", "1", "2"),
        ("SYNCSLOTS", "FINISH"),
        ("SYNCSLOTS", "FINISH", "STATE", "success", "NAME", nobody),
    )
    for request in requests:
        told = [
            node.ask("CLUSTER", *[word.replace("own id", my_id(node)) for word in request]) for node in (valkey, ours)
        ]
        assert told[1] == told[0], request
