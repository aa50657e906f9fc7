"""Commands on sets (redis.io, "Sets")."""

from gossamer.node.commands.sets import algebra as algebra
from gossamer.node.commands.sets import members as members
from gossamer.node.commands.sets import random as random
