"""``gossamer cluster rebalance``: every primary gets its share of the slots, and no slot moves that could stay."""

import argparse

from gossamer.cluster.plan import rebalance
from gossamer.cluster.topology import NodeId
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
from gossamer.deploy.cluster.survey import Survey, surveyed
from gossamer.deploy.user_error import UserError


def run(args: argparse.Namespace, options: list[str]) -> int:
    no_options(options)
    with surveyed(args.place, access_of(args)) as survey:
        demand_whole(survey)
        demand_agreement(survey)
        weights = weights_of(survey, args.weight)
        steps = plan_after_what_was_begun(survey, lambda topology: rebalance(topology, weights))
        show(slots_table(survey.first, steps, survey))
        if not steps:
            print("every primary has its share: nothing to do")
            return 0
        show(steps_list(steps, survey))
        return carry_out_steps(args, survey, steps)


def weights_of(survey: Survey, words: list[str]) -> dict[NodeId, float]:
    out: dict[NodeId, float] = {}
    for word in words:
        name, equals, text = word.rpartition("=")
        try:
            weight = float(text)
        except ValueError:
            equals = ""
        if not equals:
            raise UserError(f"--weight {word} is not NODE=W, a node and a number")
        out[find_node(survey, name).id] = weight
    return out
