"""A cluster as all of its nodes tell it: found from one address, asked all at once, and what of it could not be asked.

Everything is believed as the nodes say it; what they contradict each other in is for ``cluster/checkup.py`` to find.
"""

import socket
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Final

from attrs import define, evolve, field, frozen

from gossamer.cluster.checkup import Views, agree
from gossamer.cluster.nodesconf import NodesConfError, load
from gossamer.cluster.topology import Flag, NodeId, Topology
from gossamer.deploy.blocking_client import Answer, BlockingClient, Refused, as_text, fields
from gossamer.deploy.user_error import UserError
from gossamer.node.io.address import Unreachable, look_up

ANSWER_S: Final = 10.0
"""How long a node may take for one reply before it counts as unreachable."""

DIAL_S: Final = 5.0
POLL_S: Final = 0.02


@frozen
class Access:
    """Who asks. Empty: anybody may."""

    user: str = ""
    password: str = ""


@define
class Contact:
    """A node and the connection to it. ``host`` and ``port`` are how it is reached from here."""

    id: NodeId
    host: str
    port: int
    client: BlockingClient

    @property
    def address(self) -> str:
        return f"{self.host}:{self.port}"

    def view(self) -> Topology:
        """The cluster as this node tells it now, its own address filled in where it does not know it yet."""
        info, nodes = self.client.ask_all([("CLUSTER", "INFO"), ("CLUSTER", "NODES")])
        return read_view(info, nodes, self.host)

    def demand(self, *words: str | int) -> None:
        """A command that must be granted. UserError if it is not."""
        (answer,) = self.client.ask_all([words])
        if isinstance(answer, Refused):
            raise UserError(f"{self.address} refused {' '.join(map(str, words))}: {answer}")


@define
class Survey:
    """``contacts``, ``views``: of the nodes that answered, the one that was named first. ``silent``: why not."""

    access: Access
    contacts: dict[NodeId, Contact] = field(factory=dict)
    views: dict[NodeId, Topology] = field(factory=dict)
    silent: dict[NodeId, str] = field(factory=dict)

    @property
    def first(self) -> Topology:
        return next(iter(self.views.values()))

    def address(self, node: NodeId) -> str:
        """For texts: how ``node`` is reached, or where the others say that it is; its id if nobody knows."""
        if node in self.contacts:
            return self.contacts[node].address
        known = next((view.nodes[node] for view in self.views.values() if node in view.nodes), None)
        return f"{known.ip}:{known.port}" if known and known.ip else node

    def refresh(self) -> Views:
        for node, contact in self.contacts.items():
            try:
                self.views[node] = contact.view()
            except OSError as error:
                raise UserError(f"{contact.address} does not answer any more: {reason(error)}") from None
        self.views = {node: self.views[node] for node in self.contacts}
        return self.views

    def close(self) -> None:
        for contact in self.contacts.values():
            contact.client.close()


@contextmanager
def answered() -> Iterator[None]:
    """What a node's silence, or an answer that nobody expects, becomes for the operator: UserError."""
    try:
        yield
    except (OSError, Refused) as error:
        raise UserError(f"a node does not answer as it should: {error}") from None


@contextmanager
def surveyed(place: str, access: Access) -> Iterator[Survey]:
    """The cluster that the node at ``place`` (host:port) belongs to. UserError if that node cannot be asked."""
    survey = Survey(access)
    try:
        contact, view = reach(*host_port(place), access)
        survey.contacts[contact.id], survey.views[contact.id] = contact, view
        with answered():
            _ask_the_others(survey, view)
            yield survey
    finally:
        survey.close()


def _ask_the_others(survey: Survey, view: Topology) -> None:
    """Those that ``view`` names, and those that they name."""
    waiting = [node for node in view.nodes.values() if node.id != view.me]
    for node in waiting:
        if node.id in survey.contacts or node.id in survey.silent or node.has(Flag.HANDSHAKE):
            continue
        if node.has(Flag.NOADDR) or not node.ip:
            survey.silent[node.id] = "has no known address"
            continue
        try:
            contact, found = reach(node.ip, node.port, survey.access)
        except UserError as problem:
            survey.silent[node.id] = str(problem).removeprefix(f"{node.ip}:{node.port} ")
            continue
        if contact.id != node.id:
            contact.client.close()
            survey.silent[node.id] = f"has another node, {contact.id}, at its address"
            continue
        survey.contacts[node.id], survey.views[node.id] = contact, found
        waiting += [other for other in found.nodes.values() if other.id not in survey.contacts]


def connect(host: str, port: int, access: Access) -> BlockingClient:
    """A connection to any server. UserError, in words that begin with the address."""
    place = f"{host}:{port}"
    try:
        client = BlockingClient(host, port, DIAL_S, access.password, access.user)
    except Refused as error:
        raise UserError(f"{place} does not accept this user and password: {error}") from None
    except OSError as error:
        raise UserError(f"{place} cannot be reached: {reason(error)}") from None
    client.patience(ANSWER_S)
    return client


def reach(host: str, port: int, access: Access) -> tuple[Contact, Topology]:
    """Connect and ask. UserError, in words that begin with the address, if that is no node of a cluster for us."""
    place = f"{host}:{port}"
    client = connect(host, port, access)
    try:
        info, nodes = client.ask_all([("CLUSTER", "INFO"), ("CLUSTER", "NODES")])
        view = read_view(info, nodes, host)
    except Refused as error:
        client.close()
        raise UserError(f"{place} {_refusal(str(error))}") from None
    except OSError as error:
        client.close()
        raise UserError(f"{place} does not answer: {reason(error)}") from None
    except BaseException:
        client.close()
        raise
    return Contact(view.me, host, port, client), view


def _refusal(text: str) -> str:
    if text.startswith("ERR This instance has cluster support disabled"):
        return "is not in cluster mode: it needs cluster-enabled yes"
    if text.startswith(("NOAUTH", "NOPERM")):
        return f"wants to know who asks (--user, --password): {text}"
    return f"cannot be asked for its cluster: {text}"


def reason(error: OSError) -> str:
    if isinstance(error, TimeoutError):
        return "no answer in time"
    return error.strerror or str(error)


def read_view(info: Answer, nodes: Answer, host: str) -> Topology:
    """The replies to CLUSTER INFO and CLUSTER NODES as a topology; Refused if one of them is."""
    for answer in (info, nodes):
        if isinstance(answer, Refused):
            raise answer
    state = fields(as_text(info))
    try:
        view = load(as_text(nodes))
    except NodesConfError as error:
        raise ConnectionError(f"its CLUSTER NODES cannot be read: {error}") from None
    known = dict(view.nodes)
    if not view.myself.ip:
        known[view.me] = evolve(view.myself, ip=host)
    return evolve(view, nodes=known, ok=state.get("cluster_state") == "ok")


def host_port(place: str) -> tuple[str, int]:
    """``host:port``, the host as an IP address, for that is what CLUSTER MEET takes. UserError if it is none."""
    host, colon, port = place.strip().rpartition(":")
    if not (colon and host and port.isascii() and port.isdigit() and 0 < int(port) < 65536):
        raise UserError(f"{place!r} is not host:port")
    host = host.removeprefix("[").removesuffix("]")
    try:
        found = look_up(host, int(port))
    except Unreachable as error:
        raise UserError(f"{host} is not known: {error}") from None
    found.sort(key=lambda entry: entry[0] != socket.AF_INET)
    where = found[0][1]
    assert isinstance(where, tuple)
    return str(where[0]), int(port)


def wait_for(
    survey: Survey, is_so: Callable[[Views], bool], timeout_s: float, what: str, meanwhile: Callable[[], None]
) -> None:
    """Until ``is_so`` of the nodes' views, and they agree. UserError that says ``what`` was waited for in vain."""
    deadline = time.monotonic() + timeout_s
    while not (is_so(survey.refresh()) and agree(survey.views)):
        meanwhile()
        if time.monotonic() > deadline:
            raise UserError(f"the nodes do not agree {what} within {timeout_s:.0f} s: gossamer cluster check says more")
        time.sleep(POLL_S)
