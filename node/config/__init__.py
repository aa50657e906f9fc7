"""The node's configuration: redis.conf and command line in, typed values and CONFIG GET, SET, REWRITE out. Pure."""

from gossamer.node.config.config import Config, Hook
from gossamer.node.config.errors import BadValue, ConfigError, ConfigSetError, Line
from gossamer.node.config.parse import Options, Reader, load_all, load_text, read_options
from gossamer.node.config.special import BufferLimit, SavePoint

__all__ = [
    "BadValue", "BufferLimit", "Config", "ConfigError", "ConfigSetError", "Hook", "Line", "Options", "Reader",
    "SavePoint", "load_all", "load_text", "read_options",
]  # fmt: skip
