"""``gossamer cluster create``: make running, empty nodes one cluster."""

import argparse
from collections.abc import Callable, Sequence
from contextlib import ExitStack, closing
from typing import Final

from gossamer.cluster.plan import Follow, Member, Step, contradicts, create, is_done
from gossamer.deploy.cluster.carry_out import access_of, carry_out, no_options, planning
from gossamer.deploy.cluster.orders import establish
from gossamer.deploy.cluster.show import shards_table, show
from gossamer.deploy.cluster.survey import Access, Survey, answered, host_port, reach, wait_for
from gossamer.deploy.form import wait_until_ok
from gossamer.deploy.options import demand_whole_shards
from gossamer.deploy.user_error import UserError

FORM_S: Final = 60.0


def run(args: argparse.Namespace, options: list[str]) -> int:
    no_options(options)
    demand_whole_shards(len(args.places), args.replicas)
    with answered(), ExitStack() as stack:
        survey = gather(args.places, access_of(args))
        stack.enter_context(closing(survey))
        members = [Member(contact.id, contact.host) for contact in survey.contacts.values()]
        with planning():
            steps = create(members, len(members) // (args.replicas + 1))
        demand_empty(survey, steps)
        show(shards_table(steps, members, {node: survey.address(node) for node in survey.contacts}))
        if all(is_done(step, survey.views[step.node]) for step in steps):
            print("they are this cluster already: gossamer cluster check tells whether it is sound")
            return 0
        replicas = sum(isinstance(step, Follow) for step in steps)
        return carry_out(
            args,
            0,
            lambda progress, signals: form(survey, steps, replicas, signals.check),
            lambda: "the same command goes on from here",
        )


def gather(places: list[str], access: Access) -> Survey:
    """The nodes at ``places``. UserError if one cannot be reached, or is named twice."""
    survey = Survey(access)
    try:
        for place in places:
            contact, view = reach(*host_port(place), access)
            if contact.id in survey.contacts:
                contact.client.close()
                raise UserError(f"{place} and {survey.address(contact.id)} are the same node")
            survey.contacts[contact.id], survey.views[contact.id] = contact, view
    except BaseException:
        survey.close()
        raise
    return survey


def demand_empty(survey: Survey, steps: Sequence[Step]) -> None:
    """UserError if a node has anything that this creation, perhaps begun before, would not have given it."""
    for node, contact in survey.contacts.items():
        if why := contradicts(steps, survey.views[node]):
            raise UserError(f"{contact.address} is not empty: it {why}")
        lone = len(survey.views[node].nodes) == 1
        if lone and contact.client.ask("DBSIZE"):
            raise UserError(f"{contact.address} is not empty: it has keys")


def form(survey: Survey, steps: Sequence[Step], replicas: int, alive: Callable[[], None]) -> None:
    contacts = survey.contacts.values()
    clients = {contact.id: contact.client for contact in contacts}
    establish(steps, clients, survey.views, FORM_S, alive)
    wait_until_ok(list(clients.values()), [contact.address for contact in contacts], replicas, FORM_S, alive)
    wait_for(survey, lambda views: all(view.ok for view in views.values()), FORM_S, "who owns what", alive)
