"""The app's keys where they are all kept: the real vault over memory, and the table with what may be known of them."""

from __future__ import annotations

import itertools

from feedlane import key_changes
from feedlane.event import Event
from feedlane.hold import APP, Hold, Scope
from feedlane.problem import Problem
from feedlane.settings import Settings
from feedlane.store.store import Store
from feedlane.vault import KeysCheck, Secret
from feedlane.vault_keys import StoredKeys
from tests.fakes.queues import FakeQueues
from tests.worlds.vault import SECRET, Crash, World

UNKNOWN_KEYS = Problem(type="invalid_client", title="Invalid client", status=401)
NOT_ALLOWED = Problem(type="unauthorized_client", title="Unauthorised client", status=400)


class Keys(World):
    def __init__(self) -> None:
        super().__init__()
        self.store = Store(self.table)
        self.queues = FakeQueues()
        numbers = itertools.count(1)
        self.new_id = lambda: f"id-{next(numbers)}"
        self.server.secrets = [SECRET]

    def save(self, client_id: str, secret: str) -> tuple[Settings, KeysCheck]:
        ports = (self.store, self.queues, self.vault(), self.time(), self.new_id)
        return key_changes.change_keys(*ports, client_id, secret)

    def add(self, secret: str) -> tuple[Settings, KeysCheck]:
        return key_changes.add_second_secret(self.store, self.queues, self.vault(), self.time(), self.new_id, secret)

    def drop(self, which: Secret) -> Settings:
        return key_changes.drop_secret(self.store, self.queues, self.vault(), self.time(), self.new_id, which)

    def settle(self) -> bool:
        return key_changes.settle(self.store, self.queues, self.reborn(), self.time(), self.new_id)

    def hold(self, problem: Problem = UNKNOWN_KEYS, reason: str = "app-keys-rejected") -> Hold:
        hold = Hold(id="hold-1", scope=Scope.APP, subject=APP, reason=reason, problem=problem, since=self.time())
        self.store.commit(self.store.add_hold(hold))
        return hold

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

    def events(self, type: str) -> list[Event]:
        found = [Event.model_validate(item) for item in self.table.inserted if item["pk"].startswith("EVENT#")]
        return [event for event in found if event.type == type]

    def crash_at(self, commit: int) -> None:
        """At this one of the commits that follow, before it is written; nothing is written after it."""
        commits = itertools.count(1)

        def crash() -> None:
            if next(commits) == commit:
                self.table.dead = True
                raise Crash

        self.table.on_commit = crash
