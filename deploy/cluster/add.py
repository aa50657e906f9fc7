"""``gossamer cluster add``: a node joins, as a primary without slots or as a replica."""

import argparse

from gossamer.cluster.plan import Member, add_primary, add_replica, is_done
from gossamer.deploy.cluster.carry_out import (
    access_of,
    carry_out_steps,
    demand_agreement,
    demand_whole,
    find_node,
    no_options,
    planning,
)
from gossamer.deploy.cluster.show import show, steps_list
from gossamer.deploy.cluster.survey import Contact, Survey, host_port, reach, surveyed
from gossamer.deploy.user_error import UserError


def run(args: argparse.Namespace, options: list[str]) -> int:
    no_options(options)
    with surveyed(args.place, access_of(args)) as survey:
        demand_whole(survey)
        contact = newcomer(survey, args.new)
        topology = survey.first
        member = Member(contact.id, contact.host)
        with planning():
            if args.of:
                steps = add_replica(topology, member, find_node(survey, args.of).id)
            elif args.replica:
                steps = add_replica(topology, member, survey.views[contact.id].myself.primary)
            else:
                steps = add_primary(topology, member)
        left = [step for step in steps if not is_done(step, survey.views[contact.id])]
        if not left:
            print(f"{contact.address} is in the cluster already")
            return 0
        demand_empty(survey, contact)
        show(steps_list(left, survey))
        code = carry_out_steps(args, survey, left)
        if code == 0 and not args.dry_run:
            demand_agreement(survey)
            if not (args.of or args.replica):
                print(f"it has no slots yet: gossamer cluster rebalance {args.place} gives it its share")
        return code


def newcomer(survey: Survey, place: str) -> Contact:
    """The node at ``place``, from now on one of the contacts of ``survey``; perhaps it has been one before."""
    contact, view = reach(*host_port(place), survey.access)
    if contact.id in survey.contacts:
        contact.client.close()
        return survey.contacts[contact.id]
    survey.contacts[contact.id], survey.views[contact.id] = contact, view
    return contact


def demand_empty(survey: Survey, contact: Contact) -> None:
    """UserError if the newcomer knows a node that is not of the cluster, or has slots, or keys."""
    view = survey.views[contact.id]
    ours = {node for other, seen in survey.views.items() if other != contact.id for node in seen.nodes}
    strangers = [node for node in view.nodes.values() if node.id not in ours and node.id != contact.id]
    if strangers:
        raise UserError(f"{contact.address} is not empty: it knows other nodes, {strangers[0].ip}:{strangers[0].port}")
    if contact.id in view.owners:
        raise UserError(f"{contact.address} is not empty: it has slots")
    if view.myself.is_primary and contact.client.ask("DBSIZE"):
        raise UserError(f"{contact.address} is not empty: it has keys")
