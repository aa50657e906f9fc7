"""Stories as text: what is done, and below ``----`` what the nodes made of it. Run by test_stories.py; rewritten on
demand.

A story is a file of blocks with an empty line between them. A block is commands, ``----`` and what they must print; a
line that begins with ``#`` is a remark. ``python -m tests.sim.stories --rewrite [name ...]`` writes down what is
printed now, to be read as a diff.

    cluster primaries=3 [replicas=1] [spare=1] [timeout=1000] [seed=1] [raw] [named]
                                n1, n2 ... ; raw: started, not formed; named: with hostnames; replicas: so many of each
                                primary, in sync: n4 of n1, n5 of n2 ...; then nodes serve data
    cut n1 n2 | cut n1 > n2 n3 | heal ... | break n1 n2
                                groups from all others; one way; links reset
    freeze n1 | thaw n1 | kill n1 [silently] | restart n1 [lost] [elsewhere]
    scatter n1 n2 | rotate n1 n2
                                all killed, then started at new addresses, or each where the next was
    disk n1 500ms | clock n1 +3600s | chaos [off]
    advance 20s | advance 500ms
    meet n1 n2 n3               n1 meets the others
    n1> CLUSTER FORGET {n3}     any command; {name} is the node's id, {n1.ip} an address
    show                        what everybody believes
    settle                      time passes until all agree; an error if they never do
    sync                        time passes until every replica is connected to its primary; the same
"""

import re
import sys
from pathlib import Path
from random import Random

from attrs import evolve

from gossamer.cluster.slots import SLOTS
from tests.sim.checkers import all_checkers
from tests.sim.checkers.agreement import disagreement
from tests.sim.checkers.checker import attach
from tests.sim.network import Weather
from tests.sim.process import Process
from tests.sim.serving import Serving
from tests.sim.witness import Witness, table
from tests.sim.world import Host, World

SCRIPTS = Path(__file__).parent.parent / "scripts"
RULE = "----"
LENGTH = re.compile(r"\$\d+")
"""What a bulk string begins with; the string itself says more."""
UNITS = {"s": 1000, "ms": 1}


class StoryError(Exception):
    """The story itself is wrong."""


class Story:
    """Plays blocks one after the other."""

    def __init__(self) -> None:
        self._world: World | None = None
        self._witness: Witness | None = None
        self._printed: list[str] = []

    def play(self, commands: list[str]) -> list[str]:
        """What one block prints: replies and errors as they come, then what the nodes have come to believe."""
        self._printed = []
        for command in commands:
            if command and not command.startswith("#"):
                self._do(command)
        if self._witness is not None:
            self._printed += self._witness.tell()
        return self._printed

    @property
    def world(self) -> World:
        if self._world is None:
            raise StoryError("a story begins with `cluster`")
        return self._world

    def _do(self, command: str) -> None:
        if match := re.fullmatch(r"(\w+)(>>?) (.+)", command):
            ask = self._ask if match[2] == ">" else self._tell
            ask(self._host(match[1]), [self._filled(word) for word in match[3].split()])
            return
        verb, *words = command.split()
        action = getattr(self, f"do_{verb}", None)
        if action is None:
            raise StoryError(f"what is {command!r}?")
        action(words)

    def _tell(self, host: Host, request: list[str]) -> None:
        self.world.tell(host, *request)

    def _ask(self, host: Host, request: list[str]) -> None:
        reply = self.world.ask(host, *request).decode().strip()
        for node, name in self._seer().names().items():
            reply = reply.replace(node, name)
        lines = [text for text in reply.replace("\r", "").split("\n") if not LENGTH.fullmatch(text)]
        self._printed += [f"{host.name}: {text}" for text in lines]

    def _filled(self, word: str) -> str:
        if match := re.fullmatch(r"\{(old-)?(\w+)(\.ip)?\}", word):
            host = self._host(match[2])
            return host.ip if match[3] else host.ids[0] if match[1] else host.id
        return word

    def _host(self, name: str) -> Host:
        if name not in self.world.hosts:
            raise StoryError(f"who is {name!r}?")
        return self.world.hosts[name]

    def _hosts(self, names: list[str]) -> list[Host]:
        return [self._host(name) for name in names]

    def _seer(self) -> Witness:
        assert self._witness is not None
        return self._witness

    # Verbs

    def do_cluster(self, words: list[str]) -> None:
        given = dict(word.split("=") for word in words if "=" in word)
        primaries, spare = int(given.get("primaries", 3)), int(given.get("spare", 0))
        replicas = int(given.get("replicas", 0))
        seed, timeout_ms = int(given.get("seed", 1)), int(given.get("timeout", 1000))
        world = self._world = World(Random(seed), timeout_ms, process=Serving if replicas else Process)
        attach(all_checkers(), world.history)
        world.named = "named" in words
        self._witness = Witness(world)
        hosts = [world.add_host(f"n{n + 1}") for n in range(primaries * (1 + replicas) + spare)]
        if "raw" in words:
            return
        for at, host in enumerate(hosts[:primaries]):
            first, last = SLOTS * at // primaries, SLOTS * (at + 1) // primaries - 1
            world.ask(host, "CLUSTER", "ADDSLOTSRANGE", str(first), str(last))
        self._meet(hosts[0], hosts[1:])
        self.do_settle([])
        for at, host in enumerate(hosts[primaries : primaries * (1 + replicas)]):
            world.ask(host, "CLUSTER", "REPLICATE", hosts[at % primaries].id)
        self.do_settle([])
        self.do_sync([])
        self._witness.tell()

    def do_start(self, words: list[str]) -> None:
        for name in words:
            self.world.add_host(name)

    def do_meet(self, words: list[str]) -> None:
        first, *others = self._hosts(words)
        self._meet(first, others)

    def _meet(self, first: Host, others: list[Host]) -> None:
        for other in others:
            self.world.ask(first, "CLUSTER", "MEET", other.ip, "7000")

    def do_advance(self, words: list[str]) -> None:
        self.world.advance(milliseconds(words[0]))

    def do_settle(self, _: list[str]) -> None:
        for _round in range(600):
            difference = disagreement(self.world.views())
            if not difference:
                return
            self.world.advance(50)
        self._printed.append(f"no agreement: {difference}")

    def do_sync(self, _: list[str]) -> None:
        for _round in range(600):
            apart = [host.name for host in self.world.running() if not in_sync(host)]
            if not apart:
                return
            self.world.advance(50)
        self._printed.append(f"not in sync: {', '.join(apart)}")

    def do_cut(self, words: list[str]) -> None:
        self.world.cut(*self._sides(words))

    def do_heal(self, words: list[str]) -> None:
        self.world.heal(*self._sides(words))

    def _sides(self, words: list[str]) -> tuple[list[Host], list[Host], bool]:
        if ">" in words:
            at = words.index(">")
            return self._hosts(words[:at]), self._hosts(words[at + 1 :]), False
        group = self._hosts(words)
        return group, [h for h in self.world.hosts.values() if h not in group], True

    def do_break(self, words: list[str]) -> None:
        self.world.network.break_links(*words)

    def do_lose(self, words: list[str]) -> None:
        self.world.network.deaf |= self._pairs(words)

    def do_find(self, words: list[str]) -> None:
        self.world.network.deaf -= self._pairs(words)

    def _pairs(self, words: list[str]) -> set[tuple[str, str]]:
        sources, targets, _ = self._sides(words)
        return {(source.name, target.name) for source in sources for target in targets}

    def do_freeze(self, words: list[str]) -> None:
        self._host(words[0]).running.freeze()

    def do_thaw(self, words: list[str]) -> None:
        self._host(words[0]).running.thaw()

    def do_kill(self, words: list[str]) -> None:
        self.world.kill(self._host(words[0]), silently="silently" in words)

    def do_restart(self, words: list[str]) -> None:
        ip = self.world.new_address() if "elsewhere" in words else ""
        self.world.restart(self._host(words[0]), "lost" in words, ip)

    def do_scatter(self, words: list[str]) -> None:
        self._move_all(words, [self.world.new_address() for _ in words])

    def do_rotate(self, words: list[str]) -> None:
        ips = [host.ip for host in self._hosts(words)]
        self._move_all(words, ips[1:] + ips[:1])

    def _move_all(self, names: list[str], ips: list[str]) -> None:
        hosts = self._hosts(names)
        for host in hosts:
            self.world.kill(host)
        for host, ip in zip(hosts, ips, strict=True):
            self.world.restart(host, ip=ip)

    def do_disk(self, words: list[str]) -> None:
        self._host(words[0]).disk.latency_us = milliseconds(words[1]) * 1000

    def do_clock(self, words: list[str]) -> None:
        self._host(words[0]).clock.offset_us += milliseconds(words[1]) * 1000

    def do_chaos(self, words: list[str]) -> None:
        calm = Weather()
        rough = evolve(calm, lose=0.1, duplicate=0.1, reorder=0.1)
        self.world.network.weather = calm if "off" in words else rough

    def do_show(self, _: list[str]) -> None:
        self._printed += table(self.world, self._seer())


def in_sync(host: Host) -> bool:
    """Is it connected to its primary, or has none?"""
    link = host.running.machine.replication.primary_link
    return link is None or link.connected


def milliseconds(text: str) -> int:
    match = re.fullmatch(r"([+-]?\d+)(s|ms)", text)
    if match is None:
        raise StoryError(f"{text!r} is not a time, such as 20s or 500ms")
    return int(match[1]) * UNITS[match[2]]


def perform(text: str) -> str:
    """The story with what is printed now."""
    story = Story()
    blocks: list[str] = []
    for block in re.split(r"\n\n+", text.strip("\n")):
        commands = block.split("\n")
        if RULE in commands:
            commands = commands[: commands.index(RULE)]
        printed = story.play(commands)
        blocks.append("\n".join(commands + ([RULE, *printed] if RULE in block.split("\n") else [])))
        if printed and RULE not in block.split("\n"):
            raise StoryError(f"a block without {RULE} prints {printed}")
    return "\n\n".join(blocks) + "\n"


def main() -> None:
    names = [word for word in sys.argv[1:] if not word.startswith("-")]
    for path in sorted(SCRIPTS.glob("*.txt")):
        if names and path.stem not in names:
            continue
        text = path.read_text()
        now = perform(text)
        if now == text:
            print(f"{path.stem}: as written")
        elif "--rewrite" in sys.argv:
            path.write_text(now)
            print(f"{path.stem}: rewritten")
        else:
            print(f"{path.stem}: differs\n{now}")


if __name__ == "__main__":
    main()
