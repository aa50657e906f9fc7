"""The only room of the node that touches trio, sockets, files, clocks and chance."""

from gossamer.node.io.later import load_later

load_later()
