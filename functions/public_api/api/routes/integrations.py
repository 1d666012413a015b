"""The Xero integration: Codat's view of it, and Feedlane's settings and app keys."""

from __future__ import annotations

from aws_lambda_powertools.event_handler import Response

from api import parts
from api.answers import ok
from api.requests import Routes
from feedlane.codat.bodies import CredentialsBody, SecretBody, SettingsBody, parse_body
from feedlane.codat.paging import page_of, page_request
from feedlane.companies.connection import PLATFORM_KEY
from feedlane.credentials.vault import SecretSlot
from feedlane.errors import NotFound
from feedlane.settings import app_keys
from feedlane.settings import changes as settings_changes
from feedlane.settings import items as settings_items
from feedlane.settings.settings import Settings
from feedlane.settings.shapes import INTEGRATION_FIELDS, branding_json, integration_json, settings_json

router = Routes()


@router.get("/integrations")
def list_integrations() -> Response[str]:
    request = page_request(router.parameters, INTEGRATION_FIELDS, "Integration")
    return ok(page_of(request, "/integrations", [integration_json(settings_items.settings(parts.current.store))]))


@router.get("/integrations/<platform_key>")
def get_integration(platform_key: str) -> Response[str]:
    _require_xero(platform_key)
    return ok(integration_json(settings_items.settings(parts.current.store)))


@router.get("/integrations/<platform_key>/branding")
def get_branding(platform_key: str) -> Response[str]:
    _require_xero(platform_key)
    return ok(branding_json())


@router.get("/integrations/<platform_key>/settings")
def get_settings(platform_key: str) -> Response[str]:
    _require_xero(platform_key)
    return _answer(settings_items.settings(parts.current.store))


@router.put("/integrations/<platform_key>/settings")
def change_settings(platform_key: str) -> Response[str]:
    """Changes only the fields in the body."""
    _require_xero(platform_key)
    current = parts.current
    changes = parse_body(SettingsBody, router.body).model_dump(exclude_unset=True)
    nullable = {"connection_limit"}
    changes = {name: value for name, value in changes.items() if value is not None or name in nullable}
    return _answer(settings_changes.change_settings(current.ports, current.clock(), changes))


@router.put("/integrations/<platform_key>/credentials")
def change_credentials(platform_key: str) -> Response[str]:
    _require_xero(platform_key)
    body, current = parse_body(CredentialsBody, router.body), parts.current
    settings, check = app_keys.change_keys(
        current.ports,
        current.vault,
        current.clock(),
        body.client_id,
        body.client_secret,
    )
    return _keys_answer(settings, check.message)


@router.put("/integrations/<platform_key>/credentials/secondSecret")
def add_second_secret(platform_key: str) -> Response[str]:
    _require_xero(platform_key)
    body, current = parse_body(SecretBody, router.body), parts.current
    settings, check = app_keys.add_second_secret(current.ports, current.vault, current.clock(), body.client_secret)
    return _keys_answer(settings, check.message)


@router.delete("/integrations/<platform_key>/credentials/<secret>")
def drop_secret(platform_key: str, secret: str) -> Response[str]:
    _require_xero(platform_key)
    which, current = _SECRETS.get(secret), parts.current
    if which is None:
        raise NotFound("secret", secret)
    settings = app_keys.drop_secret(current.ports, current.vault, current.clock(), which)
    return _keys_answer(settings, "")


_SECRETS = {"firstSecret": SecretSlot.FIRST, "secondSecret": SecretSlot.SECOND}


def _keys_answer(settings: Settings, message: str) -> Response[str]:
    view = settings_json(settings, "")
    names = ("clientId", "clientSecret", "secondClientSecret", "keysChecked")
    return ok({name: view[name] for name in names} | {"message": message})


def _answer(settings: Settings) -> Response[str]:
    return ok(settings_json(settings, f"{parts.current.public_url}/oauth/callback"))


def _require_xero(platform_key: str) -> None:
    if platform_key != PLATFORM_KEY:
        raise NotFound("integration", platform_key)
