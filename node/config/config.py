"""The values in force, and the rules by which they are read and changed.

Start-up loads without asking who may (``load``). Clients change all or nothing (``set``): every value is parsed before
any hook runs, and if a hook refuses, all values go back and the hooks that ran run again, as Redis 7.0 does.
"""

from collections.abc import Callable, Iterator, Sequence
from typing import Final

from gossamer.cluster.text import bytes_of
from gossamer.node.config.directive import Directive
from gossamer.node.config.directives import BY_NAME, DIRECTIVES, FILE_ONLY
from gossamer.node.config.errors import BadValue, ConfigSetError, Line
from gossamer.node.config.kinds import WRONG_COUNT, Written
from gossamer.node.config.rewrite import rewrite
from gossamer.node.config.special import BufferLimit, SavePoint
from gossamer.node.config.words import split
from gossamer.node.glob import glob_match

Hook = Callable[[], str | None]
"""Puts new values into force, reading them from the Config; returns the reason why it cannot, or None."""

UNKNOWN: Final = "Unknown option or number of arguments for CONFIG SET - '{}'"
FAILED: Final = "CONFIG SET failed (possibly related to argument '{}') - {}"


class Config:
    """Typed getters take the directive's own lower-case name, not an alias; else it is a bug of the caller."""

    def __init__(self) -> None:
        self._values: dict[str, object] = {directive.name: directive.default for directive in DIRECTIVES}
        self._given: dict[str, None] = {}
        self._told: set[str] = set()
        self._lines: dict[str, list[Line]] = {name: [] for name in FILE_ONLY}
        self._places: dict[str, Line] = {}
        self._hooks: dict[str, list[Hook]] = {}

    # Values for the rest of the node.

    def integer(self, name: str) -> int:
        """A number: bytes for memory directives, negative for a percentage."""
        value = self._values[name]
        assert isinstance(value, int), name
        return value

    def flag(self, name: str) -> bool:
        value = self._values[name]
        assert isinstance(value, bool), name
        return value

    def text(self, name: str) -> str:
        """A text or a choice; empty where it is unset."""
        value = self._values[name]
        assert isinstance(value, str), name
        return value

    def words(self, name: str) -> tuple[str, ...]:
        """``bind`` (an address that starts with ``-`` is optional) and ``shutdown-on-*`` (empty is the default)."""
        value = self._values[name]
        assert isinstance(value, tuple), name
        return value

    def save_points(self) -> tuple[SavePoint, ...]:
        value = self._values["save"]
        assert isinstance(value, tuple)
        return value

    def output_limits(self) -> tuple[BufferLimit, BufferLimit, BufferLimit]:
        """Limits of normal clients, replicas and subscribers."""
        value = self._values["client-output-buffer-limit"]
        assert isinstance(value, tuple)
        return value

    def percentiles(self) -> tuple[float, ...]:
        value = self._values["latency-tracking-info-percentiles"]
        assert isinstance(value, tuple)
        return value

    def primary(self) -> tuple[str, int] | None:
        """Host and port of ``replicaof``."""
        value = self._values["replicaof"]
        assert value is None or isinstance(value, tuple)
        return value

    def was_given(self, name: str) -> bool:
        """Has somebody set ``name``, be it to its default?"""
        return name in self._given

    def lines(self, name: str) -> list[Line]:
        """The lines of ``rename-command`` or ``user`` in the order they were read."""
        return self._lines[name]

    def line_of(self, name: str) -> Line | None:
        """Where ``name`` got the value that it started with; None where nobody has set it."""
        return self._places.get(name)

    # Start-up.

    def load(self, name: str, args: Sequence[str]) -> None:
        """Take a value at start-up; ``name`` is lower case, maybe an alias. Raises BadValue; KeyError if unknown."""
        directive = BY_NAME[name]
        kind = directive.kind
        if kind.many:
            if len(args) == 1 and args[0]:
                args = split(args[0]) or []
        elif len(args) != 1:
            raise BadValue(WRONG_COUNT)
        current = self._values[directive.name]
        value = kind.parse(args, current)
        if kind.accumulates and value and directive.name in self._given:
            value = current + value
        directive.check(value)
        self._values[directive.name] = value
        self._given[directive.name] = None

    def keep_place(self, line: Line) -> None:
        """Remember where a setting was made, for who finds out later that it is wrong."""
        self._places[BY_NAME[line.words[0].lower()].name] = line

    def keep_line(self, line: Line) -> None:
        """Remember a line that is no setting, for whoever can act on it."""
        name = line.words[0].lower()
        self._lines[name].append(line)
        self._given[name] = None

    def ineffective_set(self) -> list[str]:
        """Directives that were given and change nothing here, each once, in the order they were first given."""
        return [name for name in self._given if name in BY_NAME and BY_NAME[name].harmless]

    def ineffective_untold(self) -> list[str]:
        """Those of them that this has not named yet: each is told of once, be it set at start-up or later."""
        new = [name for name in self.ineffective_set() if name not in self._told]
        self._told.update(new)
        return new

    # CONFIG GET, SET, REWRITE.

    def get(self, patterns: Sequence[str]) -> dict[str, str]:
        """CONFIG GET: names as asked for if exact, else in the order of the table; aliases are names of their own."""
        found: dict[str, str] = {}
        seen: set[str] = set()
        for pattern in patterns:
            for name, directive in _matching(pattern):
                if name.lower() not in seen:
                    seen.add(name.lower())
                    found[name] = directive.kind.show(self._values[directive.name])
        return found

    def is_sensitive(self, name: str) -> bool:
        """Whether the value of ``name`` (any case) must be kept out of logs."""
        directive = BY_NAME.get(name.lower())
        return directive is not None and directive.sensitive

    def is_denied_while_loading(self, name: str) -> bool:
        directive = BY_NAME.get(name.lower())
        return directive is not None and directive.deny_loading

    def on_change(self, names: Sequence[str], hook: Hook) -> None:
        """Run ``hook`` after CONFIG SET changed any of ``names`` (canonical); once, however many of them changed."""
        for name in names:
            assert name in self._values, name
            self._hooks.setdefault(name, []).append(hook)

    def obey(self, names: Sequence[str], hook: Hook) -> None:
        """Run ``hook`` now, and after CONFIG SET changed any of ``names``: what it reads is in force from now on."""
        hook()
        self.on_change(names, hook)

    def set(self, pairs: Sequence[tuple[str, str]], *, local: bool = False) -> None:
        """CONFIG SET, all or nothing; raises ConfigSetError. ``local``: the client is on this machine."""
        self._admit(pairs, local)
        before = self._values
        self._values = dict(before)
        changed: list[tuple[str, str]] = []
        for name, text in pairs:
            directive = BY_NAME[name.lower()]
            args = [text] if not directive.kind.many else text.split(" ") if text else []
            old = self._values[directive.name]
            try:
                new = directive.kind.parse(args, old)
                directive.check(new)
            except BadValue as error:
                self._values = before
                raise ConfigSetError(FAILED.format(name.lower(), error.reason)) from None
            self._values[directive.name] = new
            if new != old:
                changed.append((directive.name, name.lower()))
        self._apply(changed, before)
        for name, _ in pairs:
            self._given[BY_NAME[name.lower()].name] = None

    def _admit(self, pairs: Sequence[tuple[str, str]], local: bool) -> None:
        """Refuse what may not be set at all; the first offender in order decides, by Redis' order of questions."""
        seen: set[str] = set()
        for name, _ in pairs:
            directive = BY_NAME.get(name.lower())
            if directive is None:
                raise ConfigSetError(UNKNOWN.format(name.partition("\0")[0]))
            if directive.immutable:
                raise ConfigSetError(FAILED.format(name, "can't set immutable config"))
            if directive.protected and not self._protected_allowed(local):
                raise ConfigSetError(FAILED.format(name, "can't set protected config"))
            # An alias counts as a name of its own: Redis takes ``replica-priority 1 slave-priority 2``.
            if name.lower() in seen:
                raise ConfigSetError(FAILED.format(name, "duplicate parameter"))
            seen.add(name.lower())

    def _protected_allowed(self, local: bool) -> bool:
        allowed = self._values["enable-protected-configs"]
        return allowed == "yes" or (allowed == "local" and local)

    def _apply(self, changed: list[tuple[str, str]], before: dict[str, object]) -> None:
        ran: list[Hook] = []
        for name, asked in changed:
            for hook in self._hooks.get(name, ()):
                if hook in ran:
                    continue
                ran.append(hook)
                try:
                    reason = hook()
                except Exception:
                    self._take_back(before, ran)
                    raise
                if reason is not None:
                    self._take_back(before, ran)
                    raise ConfigSetError(FAILED.format(asked, reason))

    def _take_back(self, before: dict[str, object], ran: list[Hook]) -> None:
        """``before`` holds again, and those who have heard otherwise hear that."""
        self._values = before
        for hook in ran:
            hook()

    def rewrite(self, old_text: str | None, users: Sequence[str] | None = None) -> str:
        """CONFIG REWRITE: the new text of the file whose text was ``old_text`` (None: there was none).

        ``users``: the ACL users as ``name rule …``, each becomes a ``user`` line; None leaves such lines as they are.
        """
        return rewrite(old_text, self._written(users))

    def _written(self, users: Sequence[str] | None) -> Iterator[tuple[str, list[Written]]]:
        for directive in DIRECTIVES:
            yield directive.name, directive.kind.write(self._values[directive.name], directive.default)
        if users is not None:
            yield "user", [(user, True) for user in users]


def _matching(pattern: str) -> Iterator[tuple[str, Directive]]:
    """The names that one CONFIG GET argument means. A backslash alone does not make it a pattern (as in Redis)."""
    if not any(special in pattern for special in "[*?"):
        directive = BY_NAME.get(pattern.lower())
        if directive is not None:
            yield pattern, directive
        return
    glob = bytes_of(pattern)
    for name, directive in BY_NAME.items():
        shown = not (directive.hidden or directive.extension or name == directive.valkey)
        if shown and glob_match(glob, bytes_of(name), nocase=True):
            yield name, directive
