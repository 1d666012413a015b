"""The Xero integration: Codat's view of it, and Feedlane's settings and app keys."""

from __future__ import annotations

from aws_lambda_powertools.event_handler import Response

from api import parts
from api.answers import ok
from api.requests import Routes
from feedlane import key_changes, settings_changes
from feedlane.codat.bodies import CredentialsBody, SecretBody, SettingsBody, parsed
from feedlane.codat.integration import INTEGRATION_FIELDS, branding_json, integration_json, settings_json
from feedlane.codat.paging import page_of, page_request
from feedlane.connection import PLATFORM_KEY
from feedlane.errors import NotFound
from feedlane.settings import Settings
from feedlane.vault import Secret

router = Routes()


@router.get("/integrations")
def list_integrations() -> Response[str]:
    request = page_request(router.parameters, INTEGRATION_FIELDS, "Integration")
    return ok(page_of(request, "/integrations", [integration_json(parts.current.store.settings())]))


@router.get("/integrations/<platform_key>")
def get_integration(platform_key: str) -> Response[str]:
    _require_xero(platform_key)
    return ok(integration_json(parts.current.store.settings()))


@router.get("/integrations/<platform_key>/branding")
def get_branding(platform_key: str) -> Response[str]:
    _require_xero(platform_key)
    return ok(branding_json())


@router.get("/integrations/<platform_key>/settings")
def get_settings(platform_key: str) -> Response[str]:
    _require_xero(platform_key)
    return _answer(parts.current.store.settings())


@router.put("/integrations/<platform_key>/settings")
def change_settings(platform_key: str) -> Response[str]:
    """Changes only the fields in the body."""
    _require_xero(platform_key)
    current = parts.current
    changes = parsed(SettingsBody, router.body).model_dump(exclude_unset=True)
    nullable = {"connection_limit"}
    changes = {name: value for name, value in changes.items() if value is not None or name in nullable}
    return _answer(settings_changes.change_settings(current.store, current.queues, current.clock(), current.new_id, changes))


@router.put("/integrations/<platform_key>/credentials")
def change_credentials(platform_key: str) -> Response[str]:
    _require_xero(platform_key)
    body, current = parsed(CredentialsBody, router.body), parts.current
    settings, check = key_changes.change_keys(
        current.store, current.queues, current.vault, current.clock(), current.new_id, body.client_id, body.client_secret
    )
    return _keys_answer(settings, check.message)


@router.put("/integrations/<platform_key>/credentials/secondSecret")
def add_second_secret(platform_key: str) -> Response[str]:
    _require_xero(platform_key)
    body, current = parsed(SecretBody, router.body), parts.current
    settings, check = key_changes.add_second_secret(
        current.store, current.queues, current.vault, current.clock(), current.new_id, body.client_secret
    )
    return _keys_answer(settings, check.message)


@router.delete("/integrations/<platform_key>/credentials/<secret>")
def drop_secret(platform_key: str, secret: str) -> Response[str]:
    _require_xero(platform_key)
    which, current = _SECRETS.get(secret), parts.current
    if which is None:
        raise NotFound("secret", secret)
    settings = key_changes.drop_secret(current.store, current.queues, current.vault, current.clock(), current.new_id, which)
    return _keys_answer(settings, "")


_SECRETS = {"firstSecret": Secret.FIRST, "secondSecret": Secret.SECOND}


def _keys_answer(settings: Settings, message: str) -> Response[str]:
    view = settings_json(settings, "")
    names = ("clientId", "clientSecret", "secondClientSecret", "keysChecked")
    return ok({name: view[name] for name in names} | {"message": message})


def _answer(settings: Settings) -> Response[str]:
    return ok(settings_json(settings, f"{parts.current.public_url}/oauth/callback"))


def _require_xero(platform_key: str) -> None:
    if platform_key != PLATFORM_KEY:
        raise NotFound("integration", platform_key)
