"""Changes to the app's keys: checked with Xero, kept by the vault, shown by their last four characters only."""

from __future__ import annotations

from datetime import datetime

from feedlane.errors import Invalid
from feedlane.ids import NewId
from feedlane.settings import Settings
from feedlane.settings_changes import stored_with_event
from feedlane.store.store import Store
from feedlane.vault import KeysCheck, Secret, Vault


def change_keys(
    store: Store, vault: Vault, now: datetime, new_id: NewId, client_id: str, client_secret: str
) -> tuple[Settings, KeysCheck]:
    """Stores the app's keys in the vault once Xero knows them. Raises `Invalid` saying which part is wrong.

    A former secret of the same app stays as the second. If Xero cannot be asked now they are stored all the same, and
    `keys_checked` is False.
    """
    return _noted(store, now, new_id, _right(vault.save_app_keys(client_id, client_secret)), client_id)


def add_second_secret(
    store: Store, vault: Vault, now: datetime, new_id: NewId, client_secret: str
) -> tuple[Settings, KeysCheck]:
    """A secret that is tried when Xero does not know the first, so that keys rotate without an outage.

    Raises `Invalid` saying what is wrong.
    """
    _require_keys(store.settings())
    return _noted(store, now, new_id, _right(vault.add_app_secret(client_secret)))


def drop_secret(store: Store, vault: Vault, now: datetime, new_id: NewId, which: Secret) -> Settings:
    """Forgets one of two secrets; the other is the first from then on. Raises `Invalid` unless Xero knows the other."""
    _require_keys(store.settings())
    return _noted(store, now, new_id, vault.drop_app_secret(which))[0]


def _require_keys(settings: Settings) -> None:
    if not settings.has_keys:
        rule = "needs the client id and a first secret before: PUT /integrations/gbol/credentials"
        raise Invalid.field("clientSecret", rule, "Keys")


def _right(check: KeysCheck) -> KeysCheck:
    if check.ok is False:
        raise Invalid.field(check.field or "clientSecret", check.message or "is not known to Xero", "AppKeys")
    return check


def _noted(
    store: Store, now: datetime, new_id: NewId, check: KeysCheck, client_id: str | None = None
) -> tuple[Settings, KeysCheck]:
    """In the settings, what may be known of the keys outside the vault."""
    before = store.settings()
    first, second = (*check.endings, "", "")[:2]
    after = before.but(
        client_id=client_id or before.client_id,
        client_secret_ending=first,
        second_secret_ending=second,
        keys_checked=check.ok is True,
    )
    return stored_with_event(store, now, new_id, before, after), check
