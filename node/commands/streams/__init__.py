"""Commands on streams (redis.io, "Stream"). Importing the package declares them."""

from gossamer.node.commands.streams import claims as claims
from gossamer.node.commands.streams import entries as entries
from gossamer.node.commands.streams import groups as groups
from gossamer.node.commands.streams import info as info
from gossamer.node.commands.streams import pending as pending
from gossamer.node.commands.streams import ranges as ranges
from gossamer.node.commands.streams import reading as reading
from gossamer.node.commands.streams import trimming as trimming
