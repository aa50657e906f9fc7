"""A request that is not run: what it is answered, and what is counted."""

from gossamer.node.engine.clients.client import (
    ASKED,
    IN_MULTI,
    SKIP_NEXT_REPLY,
    SKIP_THIS_REPLY,
    SLOT_EXPORTER,
    TRACKS,
    Client,
)
from gossamer.node.engine.serving.call import Call
from gossamer.node.engine.serving.tracked import begin
from gossamer.node.engine.table.command import Command
from gossamer.node.resp.errors import EXECABORT_BECAUSE
from gossamer.node.resp.reply import Failure


def refuse_unread(call: Call, cmd: Command | None, text: bytes) -> Failure:
    """Refuse what cannot be a request of any command, or not of ``cmd``; it counts as one for CLIENT REPLY SKIP."""
    if call.client.modes & (ASKED | SKIP_THIS_REPLY | SKIP_NEXT_REPLY):
        step_modes(call.client, opens=False)
    if call.client.modes & TRACKS:
        begin(call.server, call.client, cmd)
    if call.client.modes & SLOT_EXPORTER:
        call.server.migrations.failed(call.client, text)
    return refuse(call, cmd, text if cmd is None else aborting(call.client, cmd, text))


def aborting(client: Client, cmd: Command, text: bytes) -> bytes:
    """``text``, but for an EXEC that is refused: it ends the transaction, and says so."""
    if not cmd.runs_queue:
        return text
    client.forget_transaction()
    return EXECABORT_BECAUSE + text.removeprefix(b"ERR ")


def refuse(call: Call, cmd: Command | None, text: bytes) -> Failure:
    """The request is not run: an open MULTI is spoilt, and INFO counts the error."""
    client = call.client
    if client.modes & IN_MULTI:
        client.queue_broken = True
    call.server.stats.count_error(text)
    if cmd is not None:
        call.server.usages.of(cmd).rejected_calls += 1
    return Failure(text)


def step_modes(client: Client, opens: bool) -> None:
    """Modes that last for one request: ASKING ends, CLIENT REPLY SKIP takes hold of this request, then ends.

    ASKING lasts for a whole transaction: the request ``opens`` one, or one is open and will end it.
    """
    modes = client.modes & ~SKIP_THIS_REPLY
    if not (opens or modes & IN_MULTI):
        modes &= ~ASKED
    if modes & SKIP_NEXT_REPLY:
        modes = (modes & ~SKIP_NEXT_REPLY) | SKIP_THIS_REPLY
    client.modes = modes
