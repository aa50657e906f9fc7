"""What the operator can mend: told in one line, without a traceback."""


class Problem(Exception):
    """``str(problem)`` is the line, without a full stop; ``gossamer`` prints it and exits with 1."""
