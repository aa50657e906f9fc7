"""Snapshots of a database that see its present contents although it changes, and what they keep when it is emptied.

The database tells its open views of every change just before it happens (``Database.views``); what they do then is
``snapshot.py``. Contents that are dropped as a whole belong to the views alone, and are freed when the last one ends.
"""

from mypy_extensions import mypyc_attr

from gossamer.node.engine.data.changes import Changes
from gossamer.node.store.table import Table


class Remains:
    """``parts`` of a database that was emptied while ``views`` snapshots were being given out."""

    def __init__(self, parts: list[Table], views: int) -> None:
        assert views > 0
        self.parts: list[Table] = parts
        self.views: int = views


@mypyc_attr(allow_interpreted_subclasses=True)
class View:
    def __init__(self) -> None:
        self.remains: Remains | None = None
        """The contents are gone for everybody else."""

    def before_change(self, part: int, key: bytes) -> None:
        """``key`` of ``part`` is about to be set, changed, removed, or given another expire time. It need not exist."""

    def before_release(self, part: int) -> None:
        """All keys of ``part`` are about to leave the database at once."""

    def end(self, changes: Changes) -> None:
        """Nothing more is asked of it. What only it has held is freed in pieces."""
        remains = self.remains
        if remains is None:
            return
        self.remains = None
        remains.views -= 1
        assert remains.views >= 0
        if not remains.views:
            changes.discard(remains.parts)
