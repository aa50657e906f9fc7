"""Who may do what: the password, protected mode, and who may use DEBUG."""

from gossamer.cluster.text import bytes_of
from gossamer.node.config import Config


class Access:
    def __init__(self, config: Config) -> None:
        self.config: Config = config
        self.password: bytes = b""
        self.open_to_all: bool = True
        """The default user needs no password."""
        self.protected_mode: bool = True
        self.debug: str = "no"
        """Who may call protected commands: ``yes``, ``no``, or only who is ``local``."""
        config.obey(("requirepass",), self.read_password)
        config.obey(("protected-mode", "enable-debug-command"), self.read_protection)

    def read_password(self) -> str | None:
        """Clients that are in already stay in, as with Redis."""
        self.password = bytes_of(self.config.text("requirepass"))
        self.open_to_all = not self.password
        return None

    def read_protection(self) -> str | None:
        self.protected_mode = self.config.flag("protected-mode")
        self.debug = self.config.text("enable-debug-command")
        return None
