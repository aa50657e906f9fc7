"""``gossamer cluster remove``: a node leaves, its slots first."""

import argparse

from gossamer.deploy.commands.cluster.common import (
    access_of,
    add_change,
    carry_out_steps,
    demand_agreement,
    demand_whole,
    find_node,
    no_options,
    plan_after_what_was_begun,
)
from gossamer.deploy.commands.options import Parsers


def add(parsers: Parsers) -> None:
    parser = add_change(parsers, "remove", run, "drain a node and have it forgotten; it is empty and alone afterwards")
    parser.add_argument("node", metavar="NODE", help="who leaves: an address, or how its id begins")


def run(args: argparse.Namespace, options: list[str]) -> int:
    from gossamer.cluster.plan import Move, remove
    from gossamer.deploy.cluster.show import show, slots_table, steps_list
    from gossamer.deploy.cluster.survey import surveyed

    no_options(options)
    with surveyed(args.place, access_of(args)) as survey:
        leaving = find_node(survey, args.node)
        demand_whole(survey, besides=leaving.id)
        demand_agreement(survey)
        steps = plan_after_what_was_begun(survey, lambda topology: remove(topology, leaving.id))
        if any(isinstance(step, Move) for step in steps):
            show(slots_table(survey.first, steps, survey))
        show(steps_list(steps, survey))
        return carry_out_steps(args, survey, steps)
