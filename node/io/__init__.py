"""The only room of the node that touches trio, sockets, files, clocks and chance."""
