"""CORS headers for web pages of the origins in `/corsSettings`."""

from __future__ import annotations

from typing import Any

from api.parts import current_parts
from feedlane.settings import items as settings_items

_ALLOWED = {
    "Access-Control-Allow-Headers": "Authorization, Content-Type, Idempotency-Key",
    "Access-Control-Allow-Methods": "GET, POST, PUT, PATCH, DELETE",
    "Access-Control-Max-Age": "600",
    "Vary": "Origin",
}


def preflight() -> dict[str, Any]:
    return {"statusCode": 204, "body": "", "isBase64Encoded": False, "headers": {}}


def headers_for(origin: str | None) -> dict[str, str]:
    """Empty for calls without an Origin header, such as the SDKs'."""
    if origin is None or origin not in settings_items.profile(current_parts().store).allowed_origins:
        return {}
    return {"Access-Control-Allow-Origin": origin} | _ALLOWED
