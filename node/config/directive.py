"""One directive: its name, kind, default and who may change it when. See ``node/config/tables``."""

from typing import Any

from attrs import field, frozen

from gossamer.node.config.errors import BadValue
from gossamer.node.config.kinds import Kind


@frozen
class Directive:
    """``default`` is a value of ``kind``. The flags, all off unless a table says so:

    - ``immutable``: only at start-up; ``protected``: CONFIG SET needs ``enable-protected-configs``;
    - ``hidden``: CONFIG GET finds it by its exact name, never by a pattern;
    - ``sensitive``: the value must not appear in logs, SLOWLOG or MONITOR;
    - ``deny_loading``: CONFIG SET is refused while a data set is loaded;
    - ``effective``: it does something here; others are taken, kept and named once in the log;
    - ``unkept``: why no value but the default is taken, for it would promise what is not there (``promises.py``);
    - ``extension``: Redis 7.2 does not have it (Valkey does, or nobody but us), so patterns do not find it either;
    - ``since``: the first Redis version of the 7 series that has it.

    ``valkey`` is what only Valkey calls it; CONFIG GET finds that by its exact name.
    """

    name: str
    kind: Kind[Any]
    default: object
    alias: str | None = None
    immutable: bool = field(default=False, kw_only=True)
    protected: bool = field(default=False, kw_only=True)
    hidden: bool = field(default=False, kw_only=True)
    sensitive: bool = field(default=False, kw_only=True)
    deny_loading: bool = field(default=False, kw_only=True)
    effective: bool = field(default=False, kw_only=True)
    unkept: str | None = field(default=None, kw_only=True)
    extension: bool = field(default=False, kw_only=True)
    valkey: str | None = field(default=None, kw_only=True)
    since: str = field(default="7.0", kw_only=True)

    @property
    def harmless(self) -> bool:
        """Is it taken without effect? ``tests/tidy/test_directives.py`` tells why nobody is let down."""
        return not self.effective and self.unkept is None

    def check(self, value: object) -> None:
        """Raises BadValue if ``value``, which is one of ``kind``, cannot be obeyed here."""
        if self.unkept is not None and value != self.default:
            raise BadValue(self.unkept)
