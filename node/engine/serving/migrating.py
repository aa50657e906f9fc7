"""MIGRATE on the node that the keys leave: who waits meanwhile, and how it ends.

While a key is under way it stays readable here, and every request that could change it waits (``Leaving``). When the
outcome is there the keys that the target has taken are deleted, in one change for the replicas; then those who
waited are tried again, and find the key gone. So a key is at one end or the other for every write that is
acknowledged. COPY deletes nothing, so nobody waits for it. A pause of writes holds back the deletions too.

The key is deleted only if it still has the value that was sent: another primary's data may have replaced it.

Within a transaction nothing may come in between, so there the whole node stands still until the target has answered,
as Redis does for every MIGRATE (``migrate_at_once``).
"""

from gossamer.node.engine.clients.waiting import MIGRATION, Wait
from gossamer.node.engine.data.changes import MIGRATED
from gossamer.node.engine.data.kinds import is_same
from gossamer.node.engine.server import Server
from gossamer.node.engine.serving.call import Call
from gossamer.node.engine.slots.migrate import MigrateTransfer
from gossamer.node.resp.errors import Refusal
from gossamer.node.resp.reply import Failure, Reply


def start_migrate(server: Server, transfer: MigrateTransfer) -> None:
    """Hand ``transfer`` over; its client is answered when it has landed, and its keys stay as they are until then."""
    server.waiting.begin(Wait(transfer.client, MIGRATION))
    if not transfer.copy:
        server.leaving.hold_keys(transfer.keys)
    server.migrate_transport.carry(transfer)


def finish_migrate(server: Server, transfer: MigrateTransfer) -> None:
    """``transfer`` has landed: delete what is elsewhere now, and answer whoever waits for that still."""
    if not transfer.copy:
        server.leaving.free_keys(transfer.keys)
        if not server.follows():
            delete_accepted(server, transfer)
    wait = server.waiting.find(transfer.client)
    if wait is not None and wait.reason is MIGRATION:
        server.waiting.answer(wait, transfer.reply())


def migrate_at_once(call: Call, transfer: MigrateTransfer) -> Reply:
    """Bring ``transfer`` over as one step of a transaction, with nothing in between. Refusal."""
    call.server.migrate_transport.deliver(transfer)
    gone = [] if transfer.copy else remove_accepted(transfer)
    if gone:
        call.propagate(b"DEL", *gone)
    reply = transfer.reply()
    if isinstance(reply, Failure):
        raise Refusal(reply.text)
    return reply


def delete_accepted(server: Server, transfer: MigrateTransfer) -> None:
    gone = remove_accepted(transfer)
    if not gone:
        return
    journal = server.journal
    journal.release()
    journal.deleted(transfer.source.index, gone)
    journal.release()
    transfer.client.last_write = journal.write_count
    if journal.stream is not None:
        transfer.client.wrote_to = journal.stream.offset
        server.acks.departed(gone)


def remove_accepted(transfer: MigrateTransfer) -> list[bytes]:
    """Delete the keys that the target has taken; which."""
    db = transfer.source
    gone: list[bytes] = []
    for index, accepted in enumerate(transfer.accepted):
        key = transfer.keys[index]
        part = db.part_of(key)
        if accepted and is_same(db.get(part, key), transfer.values[index]):
            db.delete(part, key, MIGRATED)
            gone.append(key)
    return gone
