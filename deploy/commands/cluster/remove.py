"""``gossamer cluster remove``: a node leaves, its slots first."""

import argparse

from deploy.commands.cluster.common import (
    access_of,
    add_access,
    add_consent,
    carry_out_steps,
    demand_agreement,
    demand_whole,
    find_node,
    no_options,
)
from deploy.commands.options import Parsers
from deploy.problem import Problem


def add(parsers: Parsers) -> None:
    parser = parsers.add_parser("remove", help="drain a node and have it forgotten; it is empty and alone afterwards")
    parser.add_argument("place", metavar="HOST:PORT", help="any node of the cluster")
    parser.add_argument("node", metavar="NODE", help="who leaves: an address, or how its id begins")
    add_access(parser)
    add_consent(parser)
    parser.set_defaults(run=run)


def run(args: argparse.Namespace, options: list[str]) -> int:
    from cluster.plan import Impossible, Move, after, finish, remove
    from deploy.cluster.show import show, slots_table, steps_list
    from deploy.cluster.survey import surveyed

    no_options(options)
    with surveyed(args.place, access_of(args)) as survey:
        leaving = find_node(survey, args.node)
        demand_whole(survey, besides=leaving.id)
        demand_agreement(survey)
        try:
            begun = finish(survey.views)
            steps = [*begun, *remove(after(survey.first, *begun), leaving.id)]
        except Impossible as error:
            raise Problem(str(error)) from None
        if any(isinstance(step, Move) for step in steps):
            show(slots_table(survey.first, steps, survey))
        show(steps_list(steps, survey))
        return carry_out_steps(args, survey, steps)
