"""What the subcommands of ``gossamer cluster`` share: who asks, and from the plan to its end."""

import argparse
import os
import sys
import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from typing import Final

from gossamer.cluster.checkup import slots_text
from gossamer.cluster.plan import Impossible, Move, Step, after, finish
from gossamer.cluster.topology import Flag, Node, NodeId, Topology
from gossamer.deploy.blocking_client import Refused
from gossamer.deploy.cluster.perform import Performer
from gossamer.deploy.cluster.progress import Progress, progress_for
from gossamer.deploy.cluster.survey import Access, Survey, host_port, wait_for
from gossamer.deploy.options import PASSWORD
from gossamer.deploy.signals import Interrupted, Signals
from gossamer.deploy.user_error import INTERRUPTED, UserError

PREFIX: Final = 4
"""Characters of an id that may stand for it, at least."""


def access_of(args: argparse.Namespace) -> Access:
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
    try:
        yield
    except Impossible as error:
        raise UserError(str(error)) from None


def plan_after_what_was_begun(survey: Survey, plan: Callable[[Topology], Sequence[Step]]) -> list[Step]:
    """The steps that end what an interrupted change began, and those of ``plan`` for what the cluster is then."""
    with planning():
        begun = finish(survey.views)
        return [*begun, *plan(after(survey.first, *begun))]


def consent(args: argparse.Namespace) -> bool:
    """Whether the plan, which has been shown, shall be carried out. UserError if nobody is there to ask."""
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
    args: argparse.Namespace, slots: int, work: Callable[[Progress, Signals], None], rest: Callable[[], str]
) -> int:
    """Do ``work`` if the operator wants it; the exit code. ``rest`` tells what there is to do after an interruption."""
    if not consent(args):
        return 0 if args.dry_run else 1
    started = time.monotonic()
    with Signals() as signals, progress_for(slots) as progress:
        try:
            work(progress, signals)
        except Interrupted:
            progress.say(f"interrupted: {rest()}")
            return INTERRUPTED
        except UserError as problem:
            raise UserError(f"{problem}; {rest()}") from None
        except (OSError, Refused) as error:
            raise UserError(f"a node does not answer as it should: {error}; {rest()}") from None
    print(f"done in {time.monotonic() - started:.1f} s, all nodes agree")
    return 0


def carry_out_steps(args: argparse.Namespace, survey: Survey, steps: Sequence[Step]) -> int:
    slots = sum(step.size for step in steps if isinstance(step, Move))
    return carry_out(
        args,
        slots,
        lambda progress, signals: Performer(survey, progress, signals).run(steps),
        lambda: "what was done stays, and the same command does the rest",
    )


def demand_whole(survey: Survey, besides: NodeId | None = None) -> None:
    """UserError unless every node can be asked; those that all others hold for failed, and that own nothing, need not.

    Nor need ``besides``, which is to go.
    """

    for node, why in survey.silent.items():
        given_up = all(view.nodes[node].has(Flag.FAIL) for view in survey.views.values() if node in view.nodes)
        owned = any(node in view.owners for view in survey.views.values())
        if owned or not (given_up or node == besides):
            raise UserError(f"{survey.address(node)} {why}: every node that counts has to be there for this")
    bare = survey.first.slots_of(None)
    if bare:
        raise UserError(f"{slots_text(bare)} without an owner: gossamer cluster check says more")


def demand_agreement(survey: Survey) -> None:
    """UserError if the nodes do not come to the same view in a moment."""
    wait_for(survey, lambda views: True, 5.0, "who owns what", lambda: None)


def find_node(survey: Survey, name: str) -> Node:
    """The node that is called ``name``: its address, id, or how its id begins. UserError if there is none."""
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
