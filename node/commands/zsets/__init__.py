"""Commands on sorted sets (redis.io, "Sorted sets"), a file a purpose. Checks stand in the order of Redis 7.2."""

from gossamer.node.commands.zsets import add as add
from gossamer.node.commands.zsets import algebra as algebra
from gossamer.node.commands.zsets import blocking as blocking
from gossamer.node.commands.zsets import look as look
from gossamer.node.commands.zsets import pop as pop
from gossamer.node.commands.zsets import random as random
from gossamer.node.commands.zsets import ranges as ranges
from gossamer.node.commands.zsets import remove as remove
