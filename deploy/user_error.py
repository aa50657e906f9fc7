"""What the operator can mend: told in one line, without a traceback."""

from typing import Final

INTERRUPTED: Final = 130
"""Exit code of what was broken off (128 + SIGINT, as shells have it)."""


class UserError(Exception):
    """``str(problem)`` is the line, without a full stop; ``gossamer`` prints it and exits with 1."""
