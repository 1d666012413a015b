"""The store: the table with everything Feedlane keeps. The wings' `items.py` read it, and make writes for `commit`."""

from __future__ import annotations

from feedlane.store.table import Table, Write


class Store:
    def __init__(self, table: Table) -> None:
        self.table = table

    def commit(self, *writes: Write) -> None:
        """All writes or none. Raises `ConditionFailed`."""
        self.table.commit(*writes)
