"""API keys."""

from __future__ import annotations

from aws_lambda_powertools.event_handler import Response

from api.answers import created, no_content, ok
from api.authentication import forget_all
from api.parts import current_parts
from api.requests import Routes
from feedlane.codat.bodies import ApiKeyBody, parse_body
from feedlane.settings import api_keys
from feedlane.settings import items as settings_items
from feedlane.settings.shapes import api_key_json

router = Routes()


@router.get("/apiKeys")
def list_api_keys() -> Response[str]:
    return ok({"results": [api_key_json(record) for record in settings_items.api_keys(current_parts().store)]})


@router.post("/apiKeys")
def create_api_key() -> Response[str]:
    body = parse_body(ApiKeyBody, router.body)
    parts = current_parts()
    record, key = api_keys.create(parts.store, parts.clock(), parts.ports.new_id, body.name)
    return created(api_key_json(record, key))


@router.delete("/apiKeys/<api_key_id>")
def delete_api_key(api_key_id: str) -> Response[str]:
    """204, as Codat documents, although the SDKs treat every answer to this as an error."""
    api_keys.delete(current_parts().store, api_key_id)
    forget_all()
    return no_content()
