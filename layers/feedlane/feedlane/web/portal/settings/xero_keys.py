"""The Xero app's keys on the settings page: checked and stored as over the API, shown by their last four characters."""

from __future__ import annotations

from feedlane.credentials.vault import SecretSlot
from feedlane.errors import Invalid, require_all
from feedlane.settings import app_keys
from feedlane.settings import items as settings_items
from feedlane.settings.settings import Settings
from feedlane.settings.shapes import masked
from feedlane.web.request import Request
from feedlane.web.site import Site

# The id and the label of each field, by the API's name for it.
FIELDS = {
    "clientId": ("client_id", "Client ID"),
    "clientSecret": ("client_secret", "Client secret"),
    "secondSecret": ("second_secret", "Second secret"),
}
SENTENCES = {
    ("clientSecret", "Required"): "Enter the secret that belongs to this client ID.",
    ("clientSecret", "Changed"): (
        "The secret was not saved: someone else has just changed the keys. Enter it again if it belongs to the client "
        "ID that is shown now."
    ),
}
UNAVAILABLE = "The keys could not be checked or saved. Please try again in a minute."


def save(site: Site, request: Request) -> bool:
    """Saves what was entered; what was left empty stays. Whether Xero could not be reached to check it.

    Raises `Invalid` with all that is wrong, `Unavailable`, `AppKeysRejected`.
    """
    _require_current(request, settings_items.settings(site.store))
    unchecked: list[bool] = []
    require_all(
        lambda: unchecked.append(save_keys(site, request.field("client_id"), request.field("client_secret"))),
        lambda: unchecked.append(_save_second_secret(site, request.field("second_secret"))),
    )
    return any(unchecked)


def save_keys(site: Site, client_id: str, client_secret: str) -> bool:
    """Saves the keys that were entered. Whether Xero could not be reached to check them."""
    if not client_id and not client_secret:
        return False
    if not client_secret:
        raise Invalid.field("clientSecret", "enter the secret that belongs to this client ID", "Required")
    client_id = client_id or settings_items.settings(site.store).client_id
    _, check = app_keys.change_keys(site.ports, site.vault, site.clock(), client_id, client_secret)
    return check.ok is None


def drop(site: Site, which: str) -> None:
    """Removes one of two secrets, if Xero accepts the other. Raises as `save` does."""
    slot = SecretSlot.SECOND if which == SecretSlot.SECOND else SecretSlot.FIRST
    app_keys.drop_secret(site.ports, site.vault, site.clock(), slot)


def shown(settings: Settings) -> dict[str, str | int]:
    return {
        "keys_version": settings.keys_version,
        "masked_id": masked(settings.client_id[-4:]) or "",
        "masked_secret": masked(settings.client_secret_ending) or "",
        "masked_second": masked(settings.second_secret_ending) or "",
    }


def _require_current(request: Request, settings: Settings) -> None:
    """A secret entered without a client ID belongs to the client ID that the page showed, and to no other."""
    secrets = request.field("client_secret") or request.field("second_secret")
    version_shown = request.field("keys_version")
    has_changed = bool(version_shown) and version_shown != str(settings.keys_version)
    if secrets and not request.field("client_id") and has_changed:
        rule = "was not saved: someone else has just changed the keys. Review them and try again"
        raise Invalid.field("clientSecret", rule, "Changed")


def _save_second_secret(site: Site, client_secret: str) -> bool:
    """As `save_keys`, for the second secret, whose findings name its own field."""
    if not client_secret:
        return False
    try:
        _, check = app_keys.add_second_secret(site.ports, site.vault, site.clock(), client_secret)
    except Invalid as error:
        raise Invalid(error.message, [finding.but(item_id="secondSecret") for finding in error.findings]) from None
    return check.ok is None
