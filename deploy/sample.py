"""What the nodes of a cluster say about themselves, asked over ordinary connections, one look after the other."""

import time
from typing import Final

from attrs import frozen

from gossamer.deploy.blocking_client import Answer, BlockingClient, Refused, as_text, fields

ANSWER_S: Final = 0.5
"""A node that needs longer for one look counts as not answering; the others are not kept waiting by more than that."""

LOOK: Final = (("CLUSTER", "INFO"), ("CLUSTER", "NODES"), ("INFO",))


@frozen
class Sample:
    """One look at a node. ``role`` is "primary" or "replica of PORT"; ``state`` is its cluster_state, or why there
    is none."""

    address: str
    id: str
    role: str
    slots: str
    state: str
    ops_per_s: float | None
    memory: str
    memory_bytes: int = 0

    @property
    def answered(self) -> bool:
        """It is a look at a node that runs, and not what was known before."""
        return bool(self.memory)

    def as_json(self) -> dict[str, object]:
        """For programs: what is not known is null, slots are pairs of the first and the last of a range."""
        host, _, port = self.address.rpartition(":")
        kind, _, primary = self.role.partition(" of ")
        ranges = [word.partition("-")[::2] for word in self.slots.split()]
        return {
            "host": host,
            "port": int(port),
            "id": self.id or None,
            "role": kind or None,
            "replica_of": primary or None,
            "slots": [[int(first), int(last or first)] for first, last in ranges],
            "state": self.state,
            "used_memory": self.memory_bytes if self.answered else None,
        }


class Watcher:
    """Looks at one node again and again; keeps the connection, and what was known when the node has gone."""

    def __init__(self, host: str, port: int, password: str) -> None:
        self._host = host
        self._port = port
        self._password = password
        self._client: BlockingClient | None = None
        self._last = Sample(f"{host}:{port}", "", "", "", "", None, "")
        self._commands: tuple[float, int] | None = None
        """When the last look was, and how many commands the node had processed by then."""

    def look(self) -> Sample:
        try:
            if self._client is None:
                self._client = BlockingClient(self._host, self._port, ANSWER_S, self._password)
            sample = self._read(self._client.ask_all(LOOK))
        except (OSError, Refused, LookupError, ValueError) as error:
            self.close()
            return self.gone("no answer" if isinstance(error, TimeoutError) else "down")
        self._last = sample
        return sample

    def gone(self, state: str) -> Sample:
        """The node as last seen, in ``state`` now."""
        last = self._last
        return Sample(last.address, last.id, last.role, last.slots, state, None, "")

    def close(self) -> None:
        self._commands = None
        if self._client is not None:
            self._client.close()
            self._client = None

    def _read(self, answers: list[Answer]) -> Sample:
        for answer in answers:
            if isinstance(answer, Refused):
                raise answer
        cluster, nodes, info = (as_text(answer) for answer in answers)
        node_id, role, slots = myself(nodes)
        told = fields(info)
        ops = self._ops_per_s(int(told["total_commands_processed"]))
        memory, size = told.get("used_memory_human", "?"), int(told.get("used_memory", 0))
        return Sample(self._last.address, node_id, role, slots, fields(cluster)["cluster_state"], ops, memory, size)

    def _ops_per_s(self, processed: int) -> float | None:
        """Since the last look, without the commands of the look itself."""
        now = time.monotonic()
        before, self._commands = self._commands, (now, processed)
        if before is None:
            return None
        return max(0.0, processed - before[1] - len(LOOK)) / max(now - before[0], 1e-3)


def myself(nodes: str) -> tuple[str, str, str]:
    """Id, role and slots of the node that wrote ``nodes``, a reply to CLUSTER NODES."""
    lines = {line.split()[0]: line.split() for line in nodes.splitlines()}
    for words in lines.values():
        if "myself" in words[2].split(","):
            slots = " ".join(word for word in words[8:] if not word.startswith("["))
            return words[0], "primary" if words[3] == "-" else f"replica of {_port(lines, words[3])}", slots
    raise LookupError("no line of CLUSTER NODES is about the node itself")


def _port(lines: dict[str, list[str]], node_id: str) -> str:
    """The port of ``node_id``, which is enough on one machine; its id if it is not known yet."""
    return lines[node_id][1].partition("@")[0].rpartition(":")[2] if node_id in lines else node_id
