"""The store: everything Feedlane keeps, by what it is. Reads answer records, writes are data for `commit`."""

from __future__ import annotations

from feedlane.store.table import Table, Write


class Store:
    def __init__(self, table: Table) -> None:
        self.table = table

    def commit(self, *writes: Write) -> None:
        """All of it or nothing. Raises `ConditionFailed`."""
        self.table.commit(*writes)
