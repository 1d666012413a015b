"""The guard at the API's door: what no route accepts, whatever it does. Bodies are checked where they are parsed."""

from __future__ import annotations

from typing import Any

from api.paths import with_one_segment
from feedlane.doors import path_in, require_path_length, require_text, require_texts


def method_of(event: dict[str, Any]) -> str:
    return str(event["requestContext"]["http"]["method"]).upper()


def headers_of(event: dict[str, Any]) -> dict[str, str]:
    """By their names in lower case."""
    return {str(name).lower(): str(value) for name, value in (event.get("headers") or {}).items()}


def address_of(event: dict[str, Any]) -> str:
    """The caller's, as the gateway saw it."""
    return str(event["requestContext"]["http"].get("sourceIp", ""))


def admit(event: dict[str, Any]) -> dict[str, Any]:
    """The event with the path that is routed. Raises `Invalid` with the part of the request and the rule."""
    method, parameters = method_of(event), event.get("queryStringParameters") or {}
    require_text("method", method)
    raw_path = str(event.get("rawPath") or "/")
    require_path_length(raw_path)
    path = with_one_segment(method, raw_path)
    path_in(path)
    require_texts({str(name): str(value or "") for name, value in parameters.items()})
    require_texts(headers_of(event))
    return event | {"rawPath": path}
