"""WAITAOF: a client waits until its writes are in append-only files, durably, here and on replicas (Redis 7.2)."""

from gossamer.node.engine.clients.client import Client
from gossamer.node.engine.clients.waiting import DISKS
from gossamer.node.replication.replicas import AckWait, Replicas
from gossamer.node.resp.errors import WAITAOF_WITHOUT_AOF
from gossamer.node.resp.reply import Failure, Reply
from gossamer.node.saving.aof import OFF, Aof


class DiskWait(AckWait):
    """For the last write of ``client``. ``local``: 1 if it must be in the files here; ``count``: of replicas."""

    def __init__(self, aof: Aof, replicas: Replicas, client: Client, local: int, count: int) -> None:
        super().__init__(client, DISKS)
        self.aof: Aof = aof
        self.replicas: Replicas = replicas
        self.local: int = local
        self.count: int = count
        self.last_write: int = client.last_write
        self.offset: int = max(client.wrote_to, 1)
        """What was written before there was a stream is in the snapshot that each replica has got: one that tells of
        anything has it on its disk. One that has no files tells of nothing."""

    def _is_here(self) -> int:
        return int(self.aof.durable[0] >= self.last_write)

    def _is_hopeless(self) -> bool:
        """Appending was switched off."""
        return bool(self.local) and self.aof.state == OFF

    def fulfilled(self) -> bool:
        if self._is_hopeless():
            return True
        return self._is_here() >= self.local and self.replicas.count_fsynced(self.offset) >= self.count

    def timeout_reply(self) -> Reply:
        """In how many files it is, here and elsewhere."""
        if self._is_hopeless():
            return Failure(WAITAOF_WITHOUT_AOF)
        return [self._is_here(), self.replicas.count_fsynced(self.offset)]
