"""The commands. Importing this package fills the table of ``gossamer.node.engine.table.command``."""

from gossamer.node.commands import bitfield as bitfield
from gossamer.node.commands import bits as bits
from gossamer.node.commands import clients as clients
from gossamer.node.commands import cluster as cluster
from gossamer.node.commands import config as config
from gossamer.node.commands import connection as connection
from gossamer.node.commands import counters as counters
from gossamer.node.commands import databases as databases
from gossamer.node.commands import debug as debug
from gossamer.node.commands import dump as dump
from gossamer.node.commands import expiration as expiration
from gossamer.node.commands import hyperloglog as hyperloglog
from gossamer.node.commands import info as info
from gossamer.node.commands import introspection as introspection
from gossamer.node.commands import keys as keys
from gossamer.node.commands import latency as latency
from gossamer.node.commands import lcs as lcs
from gossamer.node.commands import memory as memory
from gossamer.node.commands import migrate as migrate
from gossamer.node.commands import migrations as migrations
from gossamer.node.commands import replication as replication
from gossamer.node.commands import scan as scan
from gossamer.node.commands import server as server
from gossamer.node.commands import slowlog as slowlog
from gossamer.node.commands import strings as strings
from gossamer.node.commands import transactions as transactions
