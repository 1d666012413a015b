"""The Xero integration: Codat's view of it, and Feedlane's settings and app keys."""

from __future__ import annotations

from aws_lambda_powertools.event_handler import Response

from api.answers import ok
from api.parts import current_parts
from api.requests import Routes
from feedlane.codat.bodies import (
    CodatKeyBody,
    CodatWebhookSecretBody,
    CredentialsBody,
    SecretBody,
    SettingsBody,
    parse_body,
)
from feedlane.codat.paging import page_of, page_request
from feedlane.companies.connection import PLATFORM_KEY
from feedlane.credentials.vault import SecretSlot
from feedlane.errors import NotFound
from feedlane.settings import app_keys, codat_keys
from feedlane.settings import changes as settings_changes
from feedlane.settings import items as settings_items
from feedlane.settings.settings import Settings
from feedlane.settings.shapes import INTEGRATION_FIELDS, branding_json, integration_json, settings_json

_NULLABLE_FIELDS = frozenset({"connection_limit"})
_KEYS_FIELDS = ("clientId", "clientSecret", "secondClientSecret", "keysChecked")
_CODAT_FIELDS = ("codatKey", "secondCodatKey", "codatKeyChecked", "codatWebhookSecret")
_CODAT_SLOTS = {"firstCodatKey": SecretSlot.FIRST, "secondCodatKey": SecretSlot.SECOND}
_SECRET_SLOTS = {"firstSecret": SecretSlot.FIRST, "secondSecret": SecretSlot.SECOND}

router = Routes()


@router.get("/integrations")
def list_integrations() -> Response[str]:
    request = page_request(router.parameters, INTEGRATION_FIELDS, "Integration")
    return ok(page_of(request, "/integrations", [integration_json(settings_items.settings(current_parts().store))]))


@router.get("/integrations/<platform_key>")
def get_integration(platform_key: str) -> Response[str]:
    _require_xero(platform_key)
    return ok(integration_json(settings_items.settings(current_parts().store)))


@router.get("/integrations/<platform_key>/branding")
def get_branding(platform_key: str) -> Response[str]:
    _require_xero(platform_key)
    return ok(branding_json())


@router.get("/integrations/<platform_key>/settings")
def get_settings(platform_key: str) -> Response[str]:
    _require_xero(platform_key)
    return _answer(settings_items.settings(current_parts().store))


@router.put("/integrations/<platform_key>/settings")
def change_settings(platform_key: str) -> Response[str]:
    """Changes only the fields in the body."""
    _require_xero(platform_key)
    fields = parse_body(SettingsBody, router.body).model_dump(exclude_unset=True)
    changes = {name: value for name, value in fields.items() if value is not None or name in _NULLABLE_FIELDS}
    parts = current_parts()
    return _answer(settings_changes.change_settings(parts.ports, parts.clock(), changes))


@router.put("/integrations/<platform_key>/credentials")
def change_credentials(platform_key: str) -> Response[str]:
    _require_xero(platform_key)
    body = parse_body(CredentialsBody, router.body)
    parts = current_parts()
    settings, check = app_keys.change_keys(parts.ports, parts.vault, parts.clock(), body.client_id, body.client_secret)
    return _keys_answer(settings, check.message)


@router.put("/integrations/<platform_key>/credentials/secondSecret")
def add_second_secret(platform_key: str) -> Response[str]:
    _require_xero(platform_key)
    body = parse_body(SecretBody, router.body)
    parts = current_parts()
    settings, check = app_keys.add_second_secret(parts.ports, parts.vault, parts.clock(), body.client_secret)
    return _keys_answer(settings, check.message)


@router.put("/integrations/<platform_key>/credentials/codatKey")
def change_codat_key(platform_key: str) -> Response[str]:
    _require_xero(platform_key)
    body = parse_body(CodatKeyBody, router.body)
    parts = current_parts()
    settings, check = codat_keys.change_key(parts.ports, parts.vault, parts.clock(), body.api_key)
    return _codat_answer(settings, check.message)


@router.put("/integrations/<platform_key>/credentials/codatWebhookSecret")
def change_codat_webhook_secret(platform_key: str) -> Response[str]:
    _require_xero(platform_key)
    body = parse_body(CodatWebhookSecretBody, router.body)
    parts = current_parts()
    return _codat_answer(
        codat_keys.change_webhook_secret(parts.ports, parts.vault, parts.clock(), body.webhook_secret), ""
    )


@router.delete("/integrations/<platform_key>/credentials/<secret>")
def drop_secret(platform_key: str, secret: str) -> Response[str]:
    _require_xero(platform_key)
    if (codat_slot := _CODAT_SLOTS.get(secret)) is not None:
        parts = current_parts()
        return _codat_answer(codat_keys.drop_key(parts.ports, parts.vault, parts.clock(), codat_slot), "")
    slot = _SECRET_SLOTS.get(secret)
    if slot is None:
        raise NotFound("secret", secret)
    parts = current_parts()
    return _keys_answer(app_keys.drop_secret(parts.ports, parts.vault, parts.clock(), slot), "")


def _codat_answer(settings: Settings, message: str) -> Response[str]:
    view = settings_json(settings, "")
    return ok({name: view[name] for name in _CODAT_FIELDS} | {"message": message})


def _keys_answer(settings: Settings, message: str) -> Response[str]:
    view = settings_json(settings, "")
    return ok({name: view[name] for name in _KEYS_FIELDS} | {"message": message})


def _answer(settings: Settings) -> Response[str]:
    return ok(settings_json(settings, f"{current_parts().public_url}/oauth/callback"))


def _require_xero(platform_key: str) -> None:
    if platform_key != PLATFORM_KEY:
        raise NotFound("integration", platform_key)
