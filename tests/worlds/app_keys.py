"""The app's keys in both places: the real vault over memory, and the settings, which show what may be known of them."""

from __future__ import annotations

import itertools
from datetime import datetime

from feedlane import key_changes
from feedlane.hold import Hold
from feedlane.ids import NewId
from feedlane.problem import Problem
from feedlane.settings import Settings
from feedlane.store.store import Store
from feedlane.vault import KeysCheck, Secret
from feedlane.vault_keys import StoredKeys
from feedlane.vault_service import VaultService
from tests.fakes.queues import FakeQueues
from tests.worlds import vault
from tests.worlds.vault import SECRET, Crash

UNKNOWN_KEYS = Problem(type="invalid_client", title="Invalid client", status=401)
NOT_ALLOWED = Problem(type="unauthorized_client", title="Unauthorised client", status=400)


class World(vault.World):
    def __init__(self) -> None:
        super().__init__()
        self.server.secrets = [SECRET]

    def save(self, client_id: str, secret: str) -> tuple[Settings, KeysCheck]:
        return key_changes.change_keys(*self._ports(), client_id, secret)

    def add(self, secret: str) -> tuple[Settings, KeysCheck]:
        return key_changes.add_second_secret(*self._ports(), secret)

    def drop(self, which: Secret) -> Settings:
        return key_changes.drop_secret(*self._ports(), which)

    def settle(self) -> bool:
        return key_changes.settle(self.store, self.queues, self.reborn(), self.now, self.new_id)

    def _ports(self) -> tuple[Store, FakeQueues, VaultService, datetime, NewId]:
        return self.store, self.queues, self.vault(), self.now, self.new_id

    def hold(self, problem: Problem = UNKNOWN_KEYS, reason: str = "app-keys-rejected") -> Hold:
        return self.add_hold(reason=reason, problem=problem)

    @property
    def kept(self) -> StoredKeys:
        found = self.secrets.current("app-keys")
        assert found is not None
        return StoredKeys.model_validate_json(found.text)

    def agree(self) -> bool:
        """Whether the settings show what the vault has."""
        settings, kept = self.store.settings(), self.kept
        shown = tuple(filter(None, (settings.client_secret_ending, settings.second_secret_ending)))
        return (settings.client_id, shown) == (kept.client_id, kept.endings)

    def crash_at(self, commit: int) -> None:
        """Just before the commit of this number, counted from now; nothing is written after it."""
        commits = itertools.count(1)

        def crash() -> None:
            if next(commits) == commit:
                self.table.dead = True
                raise Crash

        self.table.on_commit = crash
