"""The app's keys in both places: the real vault over memory, and the settings that describe them."""

from __future__ import annotations

import itertools

from feedlane.credentials.vault import KeysCheck, SecretSlot
from feedlane.holds.hold import Hold
from feedlane.problem import Problem
from feedlane.settings import app_keys
from feedlane.settings import items as settings_items
from feedlane.settings.settings import Settings
from feedlane.vault.app_keys import StoredKeys
from tests.rights import acting_as
from tests.worlds import vault
from tests.worlds.vault import SECRET, Crash

UNKNOWN_KEYS = Problem(type="invalid_client", title="Invalid client", status=401)
NOT_ALLOWED = Problem(type="unauthorized_client", title="Unauthorised client", status=400)

DOORS = ("public_api", "portal")


class World(vault.World):
    def __init__(self) -> None:
        super().__init__()
        self.server.secrets = [SECRET]

    def save(self, client_id: str, secret: str) -> tuple[Settings, KeysCheck]:
        with acting_as(*DOORS):
            return app_keys.change_keys(self.ports, self.vault(), self.now, client_id, secret)

    def add(self, secret: str) -> tuple[Settings, KeysCheck]:
        with acting_as(*DOORS):
            return app_keys.add_second_secret(self.ports, self.vault(), self.now, secret)

    def drop(self, which: SecretSlot) -> Settings:
        with acting_as(*DOORS):
            return app_keys.drop_secret(self.ports, self.vault(), self.now, which)

    def finish_interrupted_change(self) -> bool:
        vault = self.restart()
        with acting_as("tend_connections"):
            return app_keys.finish_interrupted_change(self.ports, vault, self.now)

    def hold(self, problem: Problem = UNKNOWN_KEYS, reason: str = "app-keys-rejected") -> Hold:
        return self.add_hold(reason=reason, problem=problem)

    @property
    def stored_keys(self) -> StoredKeys:
        secret = self.secrets.stored("app-keys", self.lease("app-keys").get("version_id", ""))
        assert secret is not None
        return StoredKeys.model_validate_json(secret.text)

    def settings_match_vault(self) -> bool:
        """Whether the settings describe the keys that the vault has."""
        settings, keys = settings_items.settings(self.store), self.stored_keys
        endings = tuple(filter(None, (settings.client_secret_ending, settings.second_secret_ending)))
        return (settings.client_id, endings) == (keys.client_id, keys.endings)

    def crash_at(self, commit: int) -> None:
        """Crashes just before the commit with this number, counted from now. Nothing is written after it."""
        commits = itertools.count(1)

        def crash() -> None:
            if next(commits) == commit:
                self.table.dead = True
                raise Crash

        self.table.on_commit = crash
