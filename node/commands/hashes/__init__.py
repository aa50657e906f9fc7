"""Commands on hashes (redis.io, "Hashes"; valkey.io for what expires). Importing the package declares them."""

from gossamer.node.commands.hashes import counters as counters
from gossamer.node.commands.hashes import expiration as expiration
from gossamer.node.commands.hashes import fields as fields
from gossamer.node.commands.hashes import getting as getting
from gossamer.node.commands.hashes import random as random
from gossamer.node.commands.hashes import scan as scan
from gossamer.node.commands.hashes import setting as setting
from gossamer.node.commands.hashes import times as times
from gossamer.node.commands.hashes import whole as whole
