"""Which ports a local cluster takes, and whether they are free: told before anything is started."""

import socket
from typing import Final

from gossamer.deploy.user_error import UserError

BUS_OFFSET: Final = 10000
"""A node's bus port is its port plus this (Redis Cluster specification, "The Cluster bus")."""

HIGHEST: Final = 65535 - BUS_OFFSET


def consecutive(first: int, count: int) -> list[int]:
    """``count`` ports from ``first``. UserError if they are no valid ports."""
    if count < 1:
        raise UserError(f"a cluster needs at least 1 node, not {count}")
    last = first + count - 1
    if first < 1 or last > HIGHEST:
        raise UserError(
            f"ports {first} to {last} do not fit into 1 to {HIGHEST}: the bus port is the port + {BUS_OFFSET}"
        )
    if last >= first + BUS_OFFSET:
        raise UserError(f"{count} nodes are too many: the bus ports would overlap the ports")
    return list(range(first, last + 1))


def demand_free(host: str, ports: list[int]) -> None:
    """UserError that names the first port, or bus port, that something listens on."""
    for port in ports:
        _demand_free(host, port, f"port {port}")
    for port in ports:
        _demand_free(host, port + BUS_OFFSET, f"bus port {port + BUS_OFFSET} of node {port}")


def _demand_free(host: str, port: int, name: str) -> None:
    try:
        with socket.socket(socket.AF_INET6 if ":" in host else socket.AF_INET, socket.SOCK_STREAM) as probe:
            probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
            probe.bind((host, port))
    except (OSError, ValueError, OverflowError) as error:
        why = (error.strerror if isinstance(error, OSError) else None) or error
        raise UserError(f"{name} on {host} cannot be used: {why}") from None
