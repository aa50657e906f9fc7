"""``gossamer cluster check``: is a cluster sound, by the word of all its nodes?"""

import argparse
import json

from gossamer.cluster.checkup import Finding, examine
from gossamer.cluster.topology import NodeId, ranges_by_owner
from gossamer.deploy.cluster.carry_out import access_of, no_options
from gossamer.deploy.cluster.health import keys_of, moving_of, unsynced_of
from gossamer.deploy.cluster.show import findings_list, nodes_table, show
from gossamer.deploy.cluster.survey import Survey, surveyed


def run(args: argparse.Namespace, options: list[str]) -> int:
    no_options(options)
    with surveyed(args.place, access_of(args)) as survey:
        keys, unsynced = keys_of(survey), unsynced_of(survey)
        findings = examine(survey.views, survey.silent, unsynced, moving_of(survey))
        if args.json:
            print(json.dumps(report(survey, keys, findings), indent=2))
        else:
            tell(survey, keys, unsynced, findings)
    return 1 if findings else 0


def tell(survey: Survey, keys: dict[NodeId, int], unsynced: dict[NodeId, str], findings: list[Finding]) -> None:
    show(nodes_table(survey, keys, unsynced))
    if findings:
        show(findings_list(findings))
    else:
        count = len(survey.contacts)
        show(f"[green]✓[/] all 16384 slots have one owner, and {count} nodes agree about everything")


def report(survey: Survey, keys: dict[NodeId, int], findings: list[Finding]) -> dict[str, object]:
    held = ranges_by_owner(survey.first)
    nodes = []
    for node, view in survey.views.items():
        me = view.myself
        nodes.append(
            {
                "id": node,
                "address": survey.address(node),
                "role": "primary" if me.is_primary else "replica",
                "primary": me.primary,
                "slots": held.get(node, []),
                "config_epoch": me.config_epoch if me.is_primary else None,
                "keys": keys[node],
            }
        )
    return {
        "sound": not findings,
        "nodes": nodes,
        "findings": [
            {"kind": finding.kind, "text": finding.text, "nodes": list(finding.nodes)} for finding in findings
        ],
    }
