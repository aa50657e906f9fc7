"""The commands. Importing this package fills the table of ``node.engine.command``."""

from node.commands import bitfield as bitfield
from node.commands import bits as bits
from node.commands import clients as clients
from node.commands import cluster as cluster
from node.commands import config as config
from node.commands import connection as connection
from node.commands import counters as counters
from node.commands import databases as databases
from node.commands import debug as debug
from node.commands import dump as dump
from node.commands import expiration as expiration
from node.commands import info as info
from node.commands import introspection as introspection
from node.commands import keys as keys
from node.commands import latency as latency
from node.commands import lcs as lcs
from node.commands import memory as memory
from node.commands import migrate as migrate
from node.commands import migrations as migrations
from node.commands import replication as replication
from node.commands import scan as scan
from node.commands import server as server
from node.commands import slowlog as slowlog
from node.commands import strings as strings
from node.commands import transactions as transactions
