"""Commands on lists (redis.io, "Lists"; t_list.c of Redis 7.2)."""

from gossamer.node.commands.lists import blocking as blocking
from gossamer.node.commands.lists import elements as elements
from gossamer.node.commands.lists import moves as moves
from gossamer.node.commands.lists import pops as pops
from gossamer.node.commands.lists import pushes as pushes
from gossamer.node.commands.lists import ranges as ranges
