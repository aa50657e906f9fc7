"""How a start ends, for whoever waits for it: the parent over a pipe, the operator in one line on standard error."""

import os
import sys
from typing import Final

from gossamer.cluster.text import bytes_of, printable, text_of

READY: Final = b"1"
REASON_BYTES: Final = 4000
"""Less than a pipe takes without anybody reading."""


class Outcome:
    """Told once. ``fd`` gets ``READY``, or the reason why there will be no node, and is closed; -1: nobody waits."""

    def __init__(self, fd: int = -1) -> None:
        self._fd = fd

    def ready(self) -> None:
        self._tell(READY)

    def failed(self, reason: str, *, aloud: bool) -> None:
        """``aloud``: on standard error too, since it stands nowhere else that the operator looks at."""
        line = bytes_of(" ".join(reason.split()))[:REASON_BYTES]
        if aloud:
            sys.stderr.write(f"gossamer: {printable(text_of(line))}\n")
            sys.stderr.flush()
        self._tell(line)

    def _tell(self, data: bytes) -> None:
        if self._fd >= 0:
            os.write(self._fd, data)
            os.close(self._fd)
            self._fd = -1
