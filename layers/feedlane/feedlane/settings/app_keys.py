"""Changes to the app's keys: checked with Xero, kept by the vault, shown by their last four characters only.

The vault's version of the keys says which change was the last: the settings show that one, whoever comes first to note
it. What right keys mend is released before it is noted, so that a crash anywhere leaves something for `settle` to find.
"""

from __future__ import annotations

from contextlib import suppress
from datetime import datetime

from feedlane.credentials.vault import KEYS_NOT_SET, KeysCheck, SecretSlot, Vault
from feedlane.errors import APP_KEYS_REJECTED, Conflict, Invalid, NotFound
from feedlane.holds import items as hold_items
from feedlane.holds import release as hold_release
from feedlane.holds.hold import Hold
from feedlane.ports import Ports
from feedlane.scope import APP_SUBJECT, Scope
from feedlane.settings import items as settings_items
from feedlane.settings.changes import store_with_event
from feedlane.settings.settings import Settings
from feedlane.store.attempts import attempts
from feedlane.store.store import Store

# What Xero said when it held the app, where a check of the keys tells whether it would say so again.
_CHECKABLE_PROBLEMS = frozenset({"invalid_client", KEYS_NOT_SET})


def change_keys(
    ports: Ports, vault: Vault, now: datetime, client_id: str, client_secret: str
) -> tuple[Settings, KeysCheck]:
    """Stores the app's keys in the vault once Xero knows them. Raises `Invalid` saying which part is wrong.

    A former secret of the same app stays as the second. If Xero cannot be asked now they are stored all the same, and
    `keys_checked` is False. Right keys release what wrong ones have held.
    """
    return _apply_check(ports, now, _require_accepted(vault.save_app_keys(client_id, client_secret)))


def add_second_secret(ports: Ports, vault: Vault, now: datetime, client_secret: str) -> tuple[Settings, KeysCheck]:
    """A secret that is tried when Xero does not know the first, so that keys rotate without an outage.

    Raises `Invalid` saying what is wrong.
    """
    _require_keys(settings_items.settings(ports.store))
    return _apply_check(ports, now, _require_accepted(vault.add_app_secret(client_secret)))


def drop_secret(ports: Ports, vault: Vault, now: datetime, which: SecretSlot) -> Settings:
    """Forgets one of two secrets; the other is the first from then on. Raises `Invalid` unless Xero knows the other."""
    _require_keys(settings_items.settings(ports.store))
    return _apply_check(ports, now, vault.drop_app_secret(which))[0]


def finish_interrupted_change(ports: Ports, vault: Vault, now: datetime) -> bool:
    """Finishes a change that a crash has interrupted, and releases a hold that has no cause any more.

    Answers whether there was anything to do. Raises `Unavailable`.
    """
    held = any(hold.problem.type in _CHECKABLE_PROBLEMS for hold in _rejected_keys_holds(ports.store))
    check, before = vault.app_keys(check=held), settings_items.settings(ports.store)
    if check.version <= before.keys_version and not (held and check.ok):
        return False
    _apply_check(ports, now, check)
    return True


def _require_keys(settings: Settings) -> None:
    if not settings.has_keys:
        rule = "needs the client id and a first secret before: PUT /integrations/gbol/credentials"
        raise Invalid.field("clientSecret", rule, "Keys")


def _require_accepted(check: KeysCheck) -> KeysCheck:
    if check.ok is False:
        raise Invalid.field(check.field or "clientSecret", check.message or "is not known to Xero", "AppKeys")
    return check


def _apply_check(ports: Ports, now: datetime, check: KeysCheck) -> tuple[Settings, KeysCheck]:
    """In the settings, what may be known of the keys outside the vault."""
    if check.ok:
        for hold in _rejected_keys_holds(ports.store):
            # Somebody else was faster; or the feeds change at this moment, and `settle` goes on with the hold.
            with suppress(NotFound, Conflict):
                hold_release.release(ports, now, hold)
    for attempt in attempts("the settings"):
        before = settings_items.settings(ports.store)
        if check.version < before.keys_version:
            return before, check  # a later change has been noted already
        with attempt:
            noted = store_with_event(ports, now, before, _with_key_facts(before, check))
    return noted, check


def _with_key_facts(before: Settings, check: KeysCheck) -> Settings:
    first, second = (*check.endings, "", "")[:2]
    after = before.but(
        client_id=check.client_id, client_secret_ending=first, second_secret_ending=second, keys_version=check.version
    )
    # Nobody could ask: what Xero has said of the very same keys before still counts.
    was_checked = before.keys_checked and after == before.but(keys_version=check.version)
    return after.but(keys_checked=check.ok is True or (check.ok is None and was_checked))


def _rejected_keys_holds(store: Store) -> list[Hold]:
    return [hold for hold in hold_items.holds_on(store, [(Scope.APP, APP_SUBJECT)]) if hold.reason == APP_KEYS_REJECTED]
