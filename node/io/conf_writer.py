"""Keeps nodes.conf on the disk: what the gossip has promised at once, by a note; the file itself within a second.

A node that cannot save (a broken disk) does not end, as Redis would, to be started again and end again: it
says nothing to its peers and closes connections instead of answering them, since it could not keep what it says, and
tries every second. To the others it is a node that has failed; when it can save again it comes back.
"""

import contextlib
import threading
import time
from typing import Final

import trio

from gossamer.cluster import nodesconf
from gossamer.cluster.topology import Topology
from gossamer.gossip.effects import Save
from gossamer.node.io.log import Log
from gossamer.node.io.nodes_conf import NodesConf

SETTLE_S: Final = 1.0
"""How long after a change nodes.conf itself may be behind."""
QUICK_S: Final = 0.003
"""A disk that took no longer the last time is waited for: a thread's way there and back takes as long."""


class ConfWriter:
    """What ``conf`` had to remark when it was opened is told first."""

    def __init__(self, conf: NodesConf, log: Log) -> None:
        self._conf = conf
        self._log = log
        self.newest: Topology | None = None
        """What nodes.conf is to hold."""
        self._noted = trio.Event()
        self._writing = threading.Lock()
        self._synced = 0
        """How often nodes.conf has been synced: who waited meanwhile to do so need not any more."""
        self._took_s = 0.0
        """How long that took, the last time."""
        self._failing = False
        self._tell_remarks()

    def takes_time(self, save: Save) -> bool:
        """Is the disk so slow that ``save`` belongs into a thread?"""
        return save.synced and self._took_s > QUICK_S

    def keep(self, save: Save) -> bool:
        """Make ``save`` hold while the caller stands still; False if that cannot be done."""
        self._note(save)
        with self._writing:
            self._write(save.synced)
        return not self._failing

    async def keep_in_thread(self, save: Save) -> bool:
        """The same while clients are served: they do not wait for a slow disk."""
        self._note(save)
        await trio.to_thread.run_sync(self._sync, self._synced)
        return not self._failing

    async def settle(self) -> None:
        """Keep nodes.conf itself up to date, until cancelled."""
        trouble = ""
        if self._conf.behind:
            self._noted.set()
        while True:
            await self._noted.wait()
            await trio.sleep(SETTLE_S)
            self._noted = trio.Event()
            assert self.newest is not None
            try:
                await trio.to_thread.run_sync(self._conf.replacing(nodesconf.dump(self.newest)))
            except OSError as error:
                self._noted.set()
                if str(error) != trouble:
                    trouble = str(error)
                    self._log.write("warning", f"{self._conf.path} falls behind its notes: {trouble}")
            else:
                trouble = ""
            self._tell_remarks()

    def close(self) -> None:
        """Let go of nodes.conf, up to date if that is possible."""
        if self.newest is not None:
            with contextlib.suppress(OSError):  # what matters is noted
                self._conf.write(nodesconf.dump(self.newest))
        self._conf.close()

    def _tell_remarks(self) -> None:
        while self._conf.remarks:
            self._log.write("warning", self._conf.remarks.pop(0))

    def _note(self, save: Save) -> None:
        self.newest = save.topology
        self._noted.set()

    def _sync(self, synced: int) -> None:
        with self._writing:
            if synced == self._synced:
                self._write(synced=True)

    def _write(self, synced: bool) -> None:
        """The newest there is, also if an older one was to be saved."""
        assert self.newest is not None
        text = nodesconf.dump(self.newest)
        try:
            began = time.monotonic()
            self._conf.note(text, synced)
            if synced:
                self._took_s = time.monotonic() - began
                self._synced += 1
        except OSError as error:
            if not self._failing:
                trouble = f"Can't update cluster config file {self._conf.path}: {error.strerror}"
                self._log.write("warning", f"{trouble}. Until it can, this node says nothing to its peers.")
            self._failing = True
            return
        if self._failing:
            self._log.write("notice", f"Cluster config file {self._conf.path} is up to date again")
        self._failing = False
