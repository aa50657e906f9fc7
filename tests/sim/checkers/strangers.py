"""A node that knows it is neither owner nor importer of a slot never serves a key of it."""

from tests.sim.checkers.checker import Checker
from tests.sim.history import Record, Replied, Violation


class StrangersNeverServe(Checker):
    kinds = (Replied,)

    def see(self, record: Record) -> None:
        assert isinstance(record, Replied)
        if record.slot is None or record.reply.startswith(b"-"):
            return
        view = record.topology
        if view.owners[record.slot] != view.me and record.slot not in view.importing:
            raise Violation(
                f"{record.host} answered {' '.join(record.request)} with {record.reply!r}, though slot {record.slot} "
                f"is of {view.owners[record.slot]}"
            )
