"""The commands. Importing this package fills the table of ``node.engine.command``."""

from node.commands import introspection as introspection
from node.commands import strings as strings
