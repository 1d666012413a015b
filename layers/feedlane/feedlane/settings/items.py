"""How the settings, the profile and API keys are kept."""

from __future__ import annotations

from feedlane.settings.api_key import ApiKey, ApiKeysRevision
from feedlane.settings.settings import Profile, Settings
from feedlane.store import keys
from feedlane.store.records import add_record, put_record, record_in
from feedlane.store.store import Store
from feedlane.store.table import Delete, Put


def settings(store: Store) -> Settings:
    return record_in(Settings, store.table.get(keys.SETTINGS)) or Settings()


def put_settings(settings: Settings) -> Put:
    return put_record(keys.SETTINGS, settings)


def profile(store: Store) -> Profile:
    return record_in(Profile, store.table.get(keys.PROFILE)) or Profile()


def put_profile(profile: Profile) -> Put:
    return put_record(keys.PROFILE, profile)


def api_key(store: Store, fingerprint: str) -> ApiKey | None:
    return record_in(ApiKey, store.table.get((keys.API_KEYS, fingerprint)))


def api_keys(store: Store) -> list[ApiKey]:
    return [ApiKey.model_validate(item) for item in store.table.query(keys.API_KEYS)]


def add_api_key(key: ApiKey) -> Put:
    return add_record((keys.API_KEYS, key.fingerprint), key)


def remove_api_key(key: ApiKey) -> Delete:
    return Delete((keys.API_KEYS, key.fingerprint))


def api_keys_revision(store: Store) -> ApiKeysRevision:
    return record_in(ApiKeysRevision, store.table.get(keys.API_KEYS_REVISION)) or ApiKeysRevision()


def put_api_keys_revision(revision: ApiKeysRevision) -> Put:
    """Fails if a key has been created or deleted since the revision was read."""
    return put_record(keys.API_KEYS_REVISION, revision)
