"""The catalogue of events: what each says, with a sample and its schema."""

from __future__ import annotations

import json
from collections.abc import Mapping
from functools import cache
from pathlib import Path
from typing import Any

from feedlane.errors import NotFound
from feedlane.events.event import ALL_TYPES
from feedlane.web.portal.laid_out import laid_out
from feedlane.web.portal.session import portal_page, require_operator
from feedlane.web.portal.webhooks.event_words import type_groups
from feedlane.web.request import Request
from feedlane.web.response import Response
from feedlane.web.site import Site

# Written by `checks/event_catalogue.py`.
_SCHEMAS = Path(__file__).parents[2] / "templates" / "event_schemas.json"
_TIME, _ID = "2026-05-20T09:30:00.000Z", "3f8a6c1e-5d0b-4c55-9b7a-2e6f1d4c8a90"
_TEXTS = {
    "currency": "GBP", "companyName": "Harbour Bakery Ltd", "name": "Harbour Bakery Ltd", "detail": "What Xero says.",
    "title": "What Xero says, in short", "url": "https://platform.example.com/webhooks",
}  # fmt: skip
_FORMATS = {"date-time": _TIME, "date": "2026-05-20", "uri": _TEXTS["url"], "uuid": _ID}
Schema = Mapping[str, Any]


def show(site: Site, request: Request) -> Response:
    operator = require_operator(site, request)
    return portal_page(
        site,
        operator,
        "webhooks/events",
        title="Event catalogue",
        section="webhooks",
        groups=type_groups(ALL_TYPES),
        descriptions={type: schemas()[type].get("description", "") for type in ALL_TYPES},
    )


def show_type(site: Site, request: Request, event_type: str) -> Response:
    operator = require_operator(site, request)
    schema = schemas().get(event_type)
    if schema is None:
        raise NotFound("event type", event_type)
    return portal_page(
        site,
        operator,
        "webhooks/event",
        title=event_type,
        section="webhooks",
        event_type=event_type,
        description=schema.get("description", ""),
        sample=laid_out(sample_of(schema)),
        schema=laid_out(schema),
    )


@cache
def schemas() -> dict[str, Schema]:
    """By event type."""
    read: dict[str, Schema] = json.loads(_SCHEMAS.read_text())
    return read


def sample_of(schema: Schema) -> Any:
    """An event that the schema allows, with every field that it describes."""
    return _sample(schema, schema, "")


def _sample(schema: Schema, root: Schema, name: str) -> Any:
    if "$ref" in schema:
        referred: Schema = root["$defs"][str(schema["$ref"]).rpartition("/")[2]]
        return _sample(referred, root, name)
    for words in ("anyOf", "oneOf", "allOf"):
        if words in schema:
            return _sample(schema[words][0], root, name)
    if "const" in schema:
        return schema["const"]
    if "enum" in schema:
        return schema["enum"][0]
    return _sample_of_type(schema, root, name)


def _sample_of_type(schema: Schema, root: Schema, name: str) -> Any:
    types = schema.get("type", "object")
    match types if isinstance(types, str) else types[0]:
        case "object":
            return {field: _sample(part, root, field) for field, part in schema.get("properties", {}).items()}
        case "array":
            return [] if schema.get("maxItems") == 0 else [_sample(schema.get("items", {}), root, name)]
        case "integer":
            return max(1, int(schema.get("minimum", 1)))
        case "number":
            return 125.5
        case "boolean":
            return True
        case "string":
            return _FORMATS.get(schema.get("format", "")) or _TEXTS.get(name) or (_ID if _is_id(name) else name)
    return None


def _is_id(name: str) -> bool:
    return name == "id" or name.endswith(("Id", "Key"))
