"""SORT and SORT_RO (redis.io, "Generic")."""

from gossamer.node.commands.sort import command as command
