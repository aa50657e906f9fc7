"""What can be wrong with a configuration, by whose fault it is: a value, a start-up text, or a client's CONFIG SET."""

from typing import Final

from attrs import frozen

from gossamer.node.version import COMPATIBLE

COMMAND_LINE: Final = "the command line"
"""The source named for options given on the command line."""


@frozen
class Line:
    """One directive as it was written; ``number`` counts from 1 in ``source``, ``words`` begin with its name."""

    source: str
    number: int
    text: str
    words: tuple[str, ...]


class BadValue(Exception):
    """A value that its directive does not take; the argument is the reason in Redis' own words."""

    def __init__(self, reason: str) -> None:
        super().__init__(reason)
        self.reason = reason


class ConfigError(Exception):
    """The server must not start. ``str()`` is the whole message, in the form of redis-server, plus the file's name."""

    def __init__(self, reason: str, line: Line | None = None) -> None:
        self.reason = reason
        self.line = line
        super().__init__(self._message())

    @property
    def brief(self) -> str:
        """The same in one line: ``redis.conf:3: 'port abc': reason``, or ``'--port abc': reason``."""
        if self.line is None:
            return self.reason
        if self.line.source == COMMAND_LINE:
            words = self.line.words or (self.line.text,)
            return f"'--{' '.join(words)}': {self.reason}"
        return f"{self.line.source}:{self.line.number}: '{self.line.text}': {self.reason}"

    def _message(self) -> str:
        head = f"\n*** FATAL CONFIG FILE ERROR (Redis {COMPATIBLE}) ***\n"
        if self.line is None:
            return f"{head}{self.reason}\n"
        where = f"Reading the configuration file, at line {self.line.number} of {self.line.source}"
        return f"{head}{where}\n>>> '{self.line.text}'\n{self.reason}\n"


class ConfigSetError(Exception):
    """CONFIG SET refused; ``text`` is the error reply without its ``ERR`` code."""

    def __init__(self, text: str) -> None:
        super().__init__(text)
        self.text = text
