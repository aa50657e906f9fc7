"""Promises that are checked over the history of any run, simulated or real; each file holds one.

They promise no more than the protocol does. A checker sees the records of the kinds it names, in order, and raises
Violation.
"""

from tests.sim.checkers.agreement import EveryoneAgrees
from tests.sim.checkers.checker import Checker
from tests.sim.checkers.conviction import FailNeedsAQuorum
from tests.sim.checkers.durability import OnDiskBeforeSaid
from tests.sim.checkers.elections import OneWinnerAnEpoch
from tests.sim.checkers.epochs import EpochsNeverGoBack
from tests.sim.checkers.identity import OneIdentityATable
from tests.sim.checkers.ownership import OneOwnerPerSlotAndEpoch
from tests.sim.checkers.quiet import SettledIsQuiet
from tests.sim.checkers.strangers import StrangersNeverServe
from tests.sim.checkers.suspicion import SuspicionNeedsSilenceOrDeath

__all__ = [
    "Checker", "EpochsNeverGoBack", "EveryoneAgrees", "FailNeedsAQuorum", "OnDiskBeforeSaid", "OneIdentityATable",
    "OneOwnerPerSlotAndEpoch", "OneWinnerAnEpoch", "SettledIsQuiet", "StrangersNeverServe",
    "SuspicionNeedsSilenceOrDeath", "all_checkers",
]  # fmt: skip


def all_checkers() -> list[Checker]:
    return [
        OnDiskBeforeSaid(),
        EpochsNeverGoBack(),
        FailNeedsAQuorum(),
        StrangersNeverServe(),
        EveryoneAgrees(),
        OneOwnerPerSlotAndEpoch(),
        OneWinnerAnEpoch(),
        OneIdentityATable(),
        SettledIsQuiet(),
    ]
