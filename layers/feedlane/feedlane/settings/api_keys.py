"""Creates and deletes API keys. The key itself is shown once, when it is created.

Each change also writes the list's revision, which it read first: two changes at once cannot exceed the limit together,
or delete the last two keys.
"""

from __future__ import annotations

from datetime import datetime

from feedlane.errors import Conflict, Invalid, NotFound
from feedlane.ids import NewId, fingerprint
from feedlane.settings import items as settings_items
from feedlane.settings.api_key import API_KEY_NAME_LENGTH_MAX, API_KEYS_MAX, ApiKey, new_key
from feedlane.store.attempts import attempts
from feedlane.store.store import Store

_CHANGING = "The API keys are changing right now; try again."


def create(store: Store, now: datetime, new_id: NewId, name: str) -> tuple[ApiKey, str]:
    """The stored record, and the key itself. Raises `Invalid`, and `Conflict` if there are ten keys already."""
    if not 1 <= len(name.strip()) <= API_KEY_NAME_LENGTH_MAX:
        raise Invalid.field("name", f"must have 1 to {API_KEY_NAME_LENGTH_MAX} characters", "MaximumLength")
    key = new_key()
    record = ApiKey(id=new_id(), name=name.strip(), fingerprint=fingerprint(key), ending=key[-4:], created=now)
    for attempt in attempts("the API keys", otherwise=Conflict(_CHANGING)):
        revision = settings_items.api_keys_revision(store)
        if len(settings_items.api_keys(store)) >= API_KEYS_MAX:
            raise Conflict(f"There are {API_KEYS_MAX} API keys already; delete one first.")
        with attempt:
            store.commit(settings_items.add_api_key(record), settings_items.put_api_keys_revision(revision))
    return record, key


def delete(store: Store, key_id: str) -> None:
    """Raises `NotFound`, and `Conflict` for the last key: without one, no call could be authenticated."""
    for attempt in attempts("the API keys", otherwise=Conflict(_CHANGING)):
        revision = settings_items.api_keys_revision(store)
        keys = settings_items.api_keys(store)
        key = next((key for key in keys if key.id == key_id), None)
        if key is None:
            raise NotFound("API key", key_id)
        if len(keys) == 1:
            raise Conflict("The last API key cannot be deleted; create another one first.")
        with attempt:
            store.commit(settings_items.remove_api_key(key), settings_items.put_api_keys_revision(revision))
