"""``gossamer cluster remove``: a node leaves, its slots first."""

import argparse

from gossamer.cluster.plan import Move, remove
from gossamer.deploy.cluster.carry_out import (
    access_of,
    carry_out_steps,
    demand_agreement,
    demand_whole,
    find_node,
    no_options,
    plan_after_what_was_begun,
)
from gossamer.deploy.cluster.show import show, slots_table, steps_list
from gossamer.deploy.cluster.survey import surveyed


def run(args: argparse.Namespace, options: list[str]) -> int:
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
