"""Changes to the app's keys: checked with Xero, kept by the vault, shown by their last four characters only.

The vault's version of the keys says which change was the last. The settings show that one, in whatever order changes
are recorded. Holds are released before the change is recorded, so that `finish_interrupted_change` finds what a crash
has left undone.
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

# Problems that held the app, of which a check of the keys can say whether Xero would report them again.
_CHECKABLE_PROBLEMS = frozenset({"invalid_client", KEYS_NOT_SET})


def change_keys(
    ports: Ports, vault: Vault, now: datetime, client_id: str, client_secret: str
) -> tuple[Settings, KeysCheck]:
    """Stores the app's keys in the vault once Xero accepts them. Raises `Invalid` with the part that is wrong.

    A former secret of the same app stays as the second. If Xero cannot be reached, the keys are stored unchecked and
    `keys_checked` is False. Accepted keys release the hold that rejected ones have placed.
    """
    return _apply_check(ports, now, _require_accepted(vault.save_app_keys(client_id, client_secret)))


def add_second_secret(ports: Ports, vault: Vault, now: datetime, client_secret: str) -> tuple[Settings, KeysCheck]:
    """Stores a secret that is tried when Xero rejects the first, so that keys rotate without an outage.

    Raises `Invalid` with what is wrong.
    """
    _require_keys(settings_items.settings(ports.store))
    return _apply_check(ports, now, _require_accepted(vault.add_app_secret(client_secret)))


def drop_secret(ports: Ports, vault: Vault, now: datetime, which: SecretSlot) -> Settings:
    """Deletes one of two secrets; the other becomes the first. Raises `Invalid` unless Xero accepts the other."""
    _require_keys(settings_items.settings(ports.store))
    return _apply_check(ports, now, vault.drop_app_secret(which))[0]


def finish_interrupted_change(ports: Ports, vault: Vault, now: datetime) -> bool:
    """Finishes a change that a crash has interrupted, and releases a hold whose cause is gone.

    Returns whether there was anything to do. Raises `Unavailable`.
    """
    is_held = any(hold.problem.type in _CHECKABLE_PROBLEMS for hold in rejected_keys_holds(ports.store))
    check, before = vault.app_keys(check=is_held), settings_items.settings(ports.store)
    if check.version <= before.keys_version and not (is_held and check.ok):
        return False
    _apply_check(ports, now, check)
    return True


def _require_keys(settings: Settings) -> None:
    if not settings.has_keys:
        rule = "needs a client id and a first secret; set them with PUT /integrations/gbol/credentials first"
        raise Invalid.field("clientSecret", rule, "Keys")


def _require_accepted(check: KeysCheck) -> KeysCheck:
    if check.ok is False:
        raise Invalid.field(check.field or "clientSecret", check.message or "is not recognised by Xero", "AppKeys")
    return check


def _apply_check(ports: Ports, now: datetime, check: KeysCheck) -> tuple[Settings, KeysCheck]:
    """Releases what accepted keys allow, and records in the settings what may be known of the keys."""
    if check.ok:
        for hold in rejected_keys_holds(ports.store):
            # Either it is released already, or its feeds keep changing: then `finish_interrupted_change` retries.
            with suppress(NotFound, Conflict):
                hold_release.release(ports, now, hold)
    for attempt in attempts("the settings"):
        before = settings_items.settings(ports.store)
        if check.version < before.keys_version:
            return before, check  # a later change is recorded already
        with attempt:
            stored = store_with_event(ports, now, before, _with_key_facts(before, check))
    return stored, check


def _with_key_facts(before: Settings, check: KeysCheck) -> Settings:
    first, second = (*check.endings, "", "")[:2]
    after = before.but(
        client_id=check.client_id, client_secret_ending=first, second_secret_ending=second, keys_version=check.version
    )
    # If Xero could not be reached, its earlier answer about the same keys still counts.
    was_checked = before.keys_checked and after == before.but(keys_version=check.version)
    return after.but(keys_checked=check.ok is True or (check.ok is None and was_checked))


def rejected_keys_holds(store: Store) -> list[Hold]:
    return [hold for hold in hold_items.holds_on(store, [(Scope.APP, APP_SUBJECT)]) if hold.reason == APP_KEYS_REJECTED]
