"""Codat's keys on the settings page: checked and stored as over the API, and shown by their last four characters."""

from __future__ import annotations

from feedlane.credentials.vault import SecretSlot
from feedlane.settings import codat_keys
from feedlane.settings.settings import Settings
from feedlane.settings.shapes import masked
from feedlane.web.request import Request
from feedlane.web.site import Site

# The id and the label of each field, by the API's name for it.
FIELDS = {
    "apiKey": ("codat_key", "Codat’s API key"),
    "webhookSecret": ("codat_webhook_secret", "Codat’s webhook secret"),
}


def save(site: Site, request: Request) -> bool:
    """Saves what was entered; what was left empty stays. Whether Codat could not be reached to check the key.

    Raises `Invalid`, `Unavailable`.
    """
    is_unchecked = False
    if key := request.field("codat_key"):
        _, check = codat_keys.change_key(site.ports, site.vault, site.clock(), key)
        is_unchecked = check.ok is None
    if secret := request.field("codat_webhook_secret"):
        codat_keys.change_webhook_secret(site.ports, site.vault, site.clock(), secret)
    return is_unchecked


def drop(site: Site, which: str) -> None:
    """Removes one of two keys, if Codat accepts the other. Raises as `save` does."""
    slot = SecretSlot.SECOND if which == SecretSlot.SECOND else SecretSlot.FIRST
    codat_keys.drop_key(site.ports, site.vault, site.clock(), slot)


def shown(settings: Settings) -> dict[str, str]:
    endings = (settings.codat.ending, settings.codat.second_ending, settings.codat.webhook_ending)
    names = ("masked_codat_key", "masked_second_codat_key", "masked_codat_webhook_secret")
    return {name: masked(ending) or "" for name, ending in zip(names, endings, strict=True)}
