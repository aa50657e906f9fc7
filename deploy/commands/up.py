"""``gossamer up``: start a cluster on this machine, or the one that a folder remembers, and stay with it.

Where some of its nodes run already, the others are started beside them, and all are left running.
"""

import argparse
import time
from itertools import pairwise
from typing import Final

from gossamer.deploy.folder import Folder, Record
from gossamer.deploy.options import Parsers, add_dir, demand_whole_shards, folder_of, stopwatch
from gossamer.deploy.ports import consecutive
from gossamer.deploy.user_error import INTERRUPTED, UserError

NODES: Final = 6
FIRST_PORT: Final = 7000
HOST: Final = "127.0.0.1"
EPILOG: Final = "What follows -- goes to every node: gossamer up 6 -- --maxmemory 100mb --loglevel debug"


def add(parsers: Parsers) -> None:
    parser = parsers.add_parser("up", help="start a cluster on this machine, or what is missing of it", epilog=EPILOG)
    parser.add_argument("nodes", nargs="?", type=int, metavar="N", help=f"how many nodes (default: {NODES})")
    parser.add_argument("--replicas", type=int, metavar="R", help="how many of the N follow each primary (default: 0)")
    parser.add_argument("--port", type=int, help=f"port of the first node (default: {FIRST_PORT})")
    parser.add_argument("--host", help=f"address that the nodes listen on (default: {HOST})")
    parser.add_argument("--node-timeout", type=int, metavar="MS", help="cluster-node-timeout (default: 15000)")
    parser.add_argument(
        "--no-persistence", action="store_true", help="keep no data: a node that is started again is empty"
    )
    parser.add_argument("--detach", action="store_true", help="return when the cluster is up, and leave it running")
    add_dir(parser)
    parser.set_defaults(run=run)


def run(args: argparse.Namespace, options: list[str]) -> int:
    from gossamer.deploy.local import LocalCluster, stop_running
    from gossamer.deploy.processes import stop
    from gossamer.deploy.signals import Interrupted, Signals
    from gossamer.deploy.watch import Watch, log

    folder = folder_of(args)
    cluster = LocalCluster(folder, plan(folder, args, options))
    record = cluster.record
    missing = cluster.missing()
    repaired = 0 < len(missing) < len(record.ports)
    with Signals() as signals:
        try:
            cluster.start(signals.check)
        except Interrupted:
            return INTERRUPTED
        headline = f"{count_of(record)} ok in {time.monotonic() - stopwatch():.1f} s"
        log(f"{headline}: {record.host}:{record.ports[0]} to {record.ports[-1]}, data in {folder.path}")
        if repaired:
            log(f"started again: {', '.join(map(str, missing))}; the others ran already, all are left running")
        if args.detach or repaired:
            return 0  # whoever started the others looks after the cluster
        watch = Watch(cluster, signals)
        try:
            ended = watch.run()
        finally:
            watch.close()
            stop(cluster.children, signals.more)
        if ended:
            stop_running(folder, record)  # those that were brought back meanwhile
    log("all nodes have ended")
    return 0 if ended else 1


def plan(folder: Folder, args: argparse.Namespace, options: list[str]) -> Record:
    """The cluster that ``folder`` remembers with the settings asked for now, or a new one."""
    if args.node_timeout is not None and args.node_timeout < 1:
        raise UserError(f"--node-timeout {args.node_timeout} is not a positive number of milliseconds")
    if args.nodes is not None and args.nodes < 1:
        raise UserError(f"a cluster needs at least 1 node, not {args.nodes}")
    words = [word.lower() for word in options]
    if ("--daemonize", "yes") in pairwise(words):
        raise UserError("nodes of gossamer up cannot leave it with --daemonize yes: --detach leaves them running")
    record = folder.read()
    if record is None:
        count = args.nodes or NODES
        demand_whole_shards(count, args.replicas or 0)
        ports = consecutive(FIRST_PORT if args.port is None else args.port, count)
        return Record(
            args.host or HOST,
            ports,
            args.node_timeout,
            options,
            replicas=args.replicas or 0,
            persistence=not args.no_persistence,
        )
    asked_and_kept = (
        (args.nodes, len(record.ports), "number of nodes"),
        (args.replicas, record.replicas, "replicas of each primary"),
        (args.port, record.ports[0], "first port"),
        (args.host, record.host, "address"),
    )
    for asked, kept, name in asked_and_kept:
        if asked is not None and asked != kept:
            raise UserError(f"the cluster in {folder.path} has {kept} as {name}, not {asked}: choose another --dir")
    persistence = record.persistence and not args.no_persistence
    settings = (args.node_timeout or record.node_timeout_ms, options or record.options, persistence)
    if settings != (record.node_timeout_ms, record.options, record.persistence) and folder.running(record):
        raise UserError(f"nodes of {folder.path} run with other settings: gossamer down ends them first")
    record.node_timeout_ms, record.options, record.persistence = settings
    return record


def count_of(record: Record) -> str:
    """``6 nodes``, or with replicas ``6 nodes (3+3)``."""
    count, primaries = len(record.ports), record.primaries
    return f"{count} nodes" + (f" ({primaries}+{count - primaries})" if record.replicas else "")
