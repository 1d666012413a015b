"""Changes to Codat's API keys and to its webhooks' secret: kept by the vault, shown by their last four characters only.

As with the app's keys, the vault's version says which change was the last, and holds are released before the change is
recorded.
"""

from __future__ import annotations

from contextlib import suppress
from datetime import datetime

from feedlane.credentials.vault import CODAT_KEY_NOT_SET, CODAT_KEY_REJECTED, CodatCheck, SecretSlot, Vault
from feedlane.errors import Conflict, Invalid, NotFound
from feedlane.holds import items as hold_items
from feedlane.holds import release as hold_release
from feedlane.holds.hold import Hold
from feedlane.ports import Ports
from feedlane.scope import CODAT_SUBJECT, Scope
from feedlane.settings import items as settings_items
from feedlane.settings.changes import store_with_event
from feedlane.settings.settings import CodatFacts, Settings
from feedlane.store.attempts import attempts
from feedlane.store.store import Store

_CHECKABLE_PROBLEMS = frozenset({CODAT_KEY_REJECTED, CODAT_KEY_NOT_SET})


def change_key(ports: Ports, vault: Vault, now: datetime, api_key: str) -> tuple[Settings, CodatCheck]:
    """Stores the key in the vault unless Codat rejects it; the former one stays as the second. Raises `Invalid`.

    If Codat cannot be reached, the key is stored unchecked. An accepted key releases the hold that a rejected one has
    placed.
    """
    check = vault.save_codat_key(api_key)
    if check.ok is False:
        raise Invalid.field("apiKey", check.message, "AppKeys")
    return _apply_check(ports, now, check), check


def drop_key(ports: Ports, vault: Vault, now: datetime, which: SecretSlot) -> Settings:
    """Deletes one of two keys; the other becomes the first. Raises `Invalid` unless Codat accepts the other."""
    return _apply_check(ports, now, vault.drop_codat_key(which))


def change_webhook_secret(ports: Ports, vault: Vault, now: datetime, secret: str) -> Settings:
    """Stores the secret of Codat's webhooks. The former one counts for another day. Raises `Invalid`."""
    return _apply_check(ports, now, vault.save_codat_webhook_secret(secret))


def finish_interrupted_change(ports: Ports, vault: Vault, now: datetime) -> bool:
    """As for the app's keys: finishes a change that a crash has interrupted, and releases a hold without a cause."""
    before, holds = settings_items.settings(ports.store), rejected_key_holds(ports.store)
    if not holds and not before.codat.version:
        return False
    check = vault.codat_keys(check=bool(holds))
    if check.version <= before.codat.version and not (holds and check.ok):
        return False
    _apply_check(ports, now, check)
    return True


def rejected_key_holds(store: Store) -> list[Hold]:
    holds = hold_items.holds_on(store, [(Scope.APP, CODAT_SUBJECT)])
    return [hold for hold in holds if hold.problem.type in _CHECKABLE_PROBLEMS]


def _apply_check(ports: Ports, now: datetime, check: CodatCheck) -> Settings:
    if check.ok:
        for hold in rejected_key_holds(ports.store):
            # Either it is released already, or its feeds keep changing: then `finish_interrupted_change` retries.
            with suppress(NotFound, Conflict):
                hold_release.release(ports, now, hold)
    for attempt in attempts("the settings"):
        before = settings_items.settings(ports.store)
        if check.version < before.codat.version:
            return before  # a later change is recorded already
        with attempt:
            return store_with_event(ports, now, before, before.but(codat=_facts(before.codat, check)))
    raise AssertionError("unreachable: the last attempt raises")


def _facts(before: CodatFacts, check: CodatCheck) -> CodatFacts:
    first, second = (*check.endings, "", "")[:2]
    is_same = (before.ending, before.second_ending) == (first, second)
    return CodatFacts(
        ending=first,
        second_ending=second,
        webhook_ending=check.webhook_ending,
        # If Codat could not be reached, its earlier answer about the same key still counts.
        checked=check.ok is True or (check.ok is None and is_same and before.checked),
        version=check.version,
    )
