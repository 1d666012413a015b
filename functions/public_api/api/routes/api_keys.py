"""API keys."""

from __future__ import annotations

from aws_lambda_powertools.event_handler import Response

from api import parts
from api.answers import created, no_content, ok
from api.authentication import forget_all
from api.requests import Routes
from feedlane import api_keys
from feedlane.codat.bodies import ApiKeyBody, parsed
from feedlane.codat.integration import api_key_json

router = Routes()


@router.get("/apiKeys")
def list_api_keys() -> Response[str]:
    return ok({"results": [api_key_json(key) for key in parts.current.store.api_keys()]})


@router.post("/apiKeys")
def create_api_key() -> Response[str]:
    body, current = parsed(ApiKeyBody, router.body), parts.current
    key, clear = api_keys.create(current.store, current.clock(), current.new_id, body.name)
    return created(api_key_json(key, clear))


@router.delete("/apiKeys/<api_key_id>")
def delete_api_key(api_key_id: str) -> Response[str]:
    """204, as Codat documents, although the SDKs treat every answer to this as an error."""
    api_keys.delete(parts.current.store, api_key_id)
    forget_all()
    return no_content()
