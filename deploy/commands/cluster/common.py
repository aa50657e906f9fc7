"""What the subcommands of ``gossamer cluster`` share: who asks, and from the plan to its end."""

import argparse
import os
import sys
import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from typing import TYPE_CHECKING, Final

from gossamer.deploy.blocking_client import Refused
from gossamer.deploy.commands.options import Parsers
from gossamer.deploy.user_error import INTERRUPTED, UserError

if TYPE_CHECKING:
    from gossamer.cluster.plan import Step
    from gossamer.cluster.topology import Node, NodeId, Topology
    from gossamer.deploy.cluster.progress import Progress
    from gossamer.deploy.cluster.survey import Access, Survey
    from gossamer.deploy.signals import Signals

PASSWORD: Final = "REDISCLI_AUTH"
"""The environment variable that redis-cli takes the password from; other users cannot see it, as they can arguments."""

PREFIX: Final = 4
"""Characters of an id that may stand for it, at least."""


def add_change(
    parsers: Parsers,
    name: str,
    run: Callable[[argparse.Namespace, list[str]], int],
    help: str,
    epilog: str | None = None,
) -> argparse.ArgumentParser:
    """A subcommand that changes the cluster of which its first argument names a node."""
    parser = parsers.add_parser(name, help=help, epilog=epilog)
    parser.add_argument("place", metavar="HOST:PORT", help="any node of the cluster")
    add_access(parser)
    add_consent(parser)
    parser.set_defaults(run=run)
    return parser


def add_access(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("--user", default="", help="ACL user to connect as (default: default)")
    parser.add_argument("--password", help=f"of the nodes (default: ${PASSWORD})")


def add_consent(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("--dry-run", action="store_true", help="show the plan, and stop")
    parser.add_argument("--yes", action="store_true", help="do not ask before carrying it out")


def access_of(args: argparse.Namespace) -> "Access":
    from gossamer.deploy.cluster.survey import Access

    password = os.environ.get(PASSWORD, "") if args.password is None else args.password
    if args.user and not password:
        raise UserError("--user needs --password")
    return Access(args.user, password)


def no_options(options: list[str]) -> None:
    if options:
        raise UserError(f"nothing is handed on to running nodes: {' '.join(options)}")


@contextmanager
def planning() -> Iterator[None]:
    """What the planner refuses is told to the operator."""
    from gossamer.cluster.plan import Impossible

    try:
        yield
    except Impossible as error:
        raise UserError(str(error)) from None


def plan_after_what_was_begun(survey: "Survey", plan: "Callable[[Topology], Sequence[Step]]") -> "list[Step]":
    """The steps that end what an interrupted change began, and those of ``plan`` for what the cluster is then."""
    from gossamer.cluster.plan import after, finish

    with planning():
        begun = finish(survey.views)
        return [*begun, *plan(after(survey.first, *begun))]


def consent(args: argparse.Namespace) -> bool:
    """Whether the plan, which has been shown, shall be carried out. Problem if nobody is there to ask."""
    if args.dry_run:
        print("dry run: nothing was done")
        return False
    if args.yes:
        return True
    if not sys.stdin.isatty():
        raise UserError("nothing was done: --yes carries it out, --dry-run only shows it")
    try:
        answer = input("Do it? [y/N] ")
    except (EOFError, KeyboardInterrupt):
        answer = ""
        print()
    if answer.strip().lower() in {"y", "yes"}:
        return True
    print("nothing was done")
    return False


def carry_out(
    args: argparse.Namespace, slots: int, work: "Callable[[Progress, Signals], None]", rest: Callable[[], str]
) -> int:
    """Do ``work`` if the operator wants it; the exit code. ``rest`` tells what there is to do after an interruption."""
    from gossamer.deploy.cluster.progress import progress_for
    from gossamer.deploy.signals import Interrupted, Signals

    if not consent(args):
        return 0 if args.dry_run else 1
    started = time.monotonic()
    with Signals() as signals, progress_for(slots) as told:
        try:
            work(told, signals)
        except Interrupted:
            told.say(f"interrupted: {rest()}")
            return INTERRUPTED
        except UserError as problem:
            raise UserError(f"{problem}; {rest()}") from None
        except (OSError, Refused) as error:
            raise UserError(f"a node does not answer as it should: {error}; {rest()}") from None
    print(f"done in {time.monotonic() - started:.1f} s, all nodes agree")
    return 0


def carry_out_steps(args: argparse.Namespace, survey: "Survey", steps: "Sequence[Step]") -> int:
    from gossamer.cluster.plan import Move
    from gossamer.deploy.cluster.perform import Performer

    slots = sum(step.size for step in steps if isinstance(step, Move))
    return carry_out(
        args,
        slots,
        lambda told, signals: Performer(survey, told, signals).run(steps),
        lambda: "what was done stays, and the same command does the rest",
    )


def demand_whole(survey: "Survey", besides: "NodeId | None" = None) -> None:
    """Problem unless every node can be asked; those that all others hold for failed, and that own nothing, need not.

    Nor need ``besides``, which is to go.
    """
    from gossamer.cluster.checkup import slots_text
    from gossamer.cluster.topology import Flag

    for node, why in survey.silent.items():
        given_up = all(view.nodes[node].has(Flag.FAIL) for view in survey.views.values() if node in view.nodes)
        owned = any(node in view.owners for view in survey.views.values())
        if owned or not (given_up or node == besides):
            raise UserError(f"{survey.address(node)} {why}: every node that counts has to be there for this")
    bare = survey.first.slots_of(None)
    if bare:
        raise UserError(f"{slots_text(bare)} without an owner: gossamer cluster check says more")


def demand_agreement(survey: "Survey") -> None:
    """Problem if the nodes do not come to the same view in a moment."""
    from gossamer.deploy.cluster.survey import wait_for

    wait_for(survey, lambda views: True, 5.0, "who owns what", lambda: None)


def find_node(survey: "Survey", name: str) -> "Node":
    """The node that is called ``name``: its address, its id, or the first characters of it. Problem if that is none."""
    from gossamer.deploy.cluster.survey import host_port

    nodes = {node.id: node for view in survey.views.values() for node in view.nodes.values()}
    if ":" in name:
        host, port = host_port(name)
        found = [node for node in nodes.values() if survey.address(node.id) == f"{host}:{port}"]
    else:
        found = [node for node in nodes.values() if len(name) >= PREFIX and node.id.startswith(name.lower())]
    if not found:
        raise UserError(
            f"no node of the cluster is {name}: an address, an id or its first {PREFIX} characters name one"
        )
    if len(found) > 1:
        raise UserError(f"{name} is the beginning of {len(found)} ids")
    own = survey.views.get(found[0].id)
    return own.myself if own else found[0]
