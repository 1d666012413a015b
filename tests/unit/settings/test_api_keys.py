"""API keys: at most ten, never none, however many people create and delete them at once."""

from __future__ import annotations

from collections.abc import Callable

import pytest
from click.testing import CliRunner

from cli.api_keys import group
from feedlane.errors import Conflict, NotFound
from feedlane.settings import api_keys
from feedlane.settings import items as settings_items
from feedlane.settings.api_key import API_KEYS_MAX
from feedlane.store.store import Store
from feedlane.store.table import Write
from tests.fakes.table import MemoryTable
from tests.worlds.base import NOW


class BusyTable(MemoryTable):
    """Right before the next commit, somebody else is faster."""

    def __init__(self) -> None:
        super().__init__()
        self.before_commit: Callable[[], None] | None = None

    def commit(self, *writes: Write) -> None:
        meanwhile, self.before_commit = self.before_commit, None
        if meanwhile:
            meanwhile()
        super().commit(*writes)


@pytest.fixture
def table() -> BusyTable:
    return BusyTable()


@pytest.fixture
def store(table: BusyTable) -> Store:
    return Store(table)


def create(store: Store, number: int) -> str:
    record, _ = api_keys.create(store, NOW, lambda: f"key-{number}", f"Key {number}")
    return record.id


def ids(store: Store) -> list[str]:
    return sorted(key.id for key in settings_items.api_keys(store))


def test_two_that_create_the_last_allowed_key_at_once_do_not_exceed_the_limit(store: Store, table: BusyTable) -> None:
    for number in range(API_KEYS_MAX - 1):
        create(store, number)
    table.before_commit = lambda: create(store, 100) and None
    with pytest.raises(Conflict, match="10 API keys already"):
        create(store, 101)
    assert len(ids(store)) == API_KEYS_MAX


def test_two_that_delete_the_last_two_keys_at_once_leave_one(store: Store, table: BusyTable) -> None:
    first, second = create(store, 1), create(store, 2)
    table.before_commit = lambda: api_keys.delete(store, first)
    with pytest.raises(Conflict, match="last API key"):
        api_keys.delete(store, second)
    assert ids(store) == [second]


def test_two_that_delete_one_key_at_once_delete_it_once(store: Store, table: BusyTable) -> None:
    first, second, _ = create(store, 1), create(store, 2), create(store, 3)
    table.before_commit = lambda: api_keys.delete(store, first)
    with pytest.raises(NotFound):
        api_keys.delete(store, first)
    assert first not in ids(store)
    assert second in ids(store)


def test_one_that_creates_while_another_deletes_succeeds_at_the_second_attempt(store: Store, table: BusyTable) -> None:
    first, _ = create(store, 1), create(store, 2)
    table.before_commit = lambda: api_keys.delete(store, first)
    create(store, 3)
    assert ids(store) == ["key-2", "key-3"]


def test_the_command_line_deletes_a_key_and_says_why_it_cannot(store: Store, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("cli.api_keys._store", lambda table: store)
    first, second = create(store, 1), create(store, 2)
    run = CliRunner().invoke
    assert run(group, ["delete", "--table", "t", first]).output == f"{first} is deleted.\n"
    assert ids(store) == [second]
    refused = run(group, ["delete", "--table", "t", second])
    assert refused.exit_code == 1
    assert "The last API key cannot be deleted" in refused.output
