"""The commands. Importing this package fills the table of ``node.engine.command``."""

from node.commands import clients as clients
from node.commands import config as config
from node.commands import connection as connection
from node.commands import debug as debug
from node.commands import info as info
from node.commands import introspection as introspection
from node.commands import latency as latency
from node.commands import memory as memory
from node.commands import server as server
from node.commands import slowlog as slowlog
from node.commands import strings as strings
