"""A request for a page, parsed from the HTTP API's event (payload format 2.0)."""

from __future__ import annotations

import base64
import binascii
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any
from urllib.parse import parse_qsl, unquote, urlsplit

from feedlane.errors import Invalid

FORM_FIELDS_MAX = 500
_FORM = "application/x-www-form-urlencoded"


@dataclass(frozen=True)
class Request:
    """`base_url` is our public address, without a trailing slash. `query` has the first value of each parameter."""

    method: str
    path: str
    base_url: str
    query: Mapping[str, str] = field(default_factory=dict)
    cookies: Mapping[str, str] = field(default_factory=dict)
    headers: Mapping[str, str] = field(default_factory=dict)
    form: Mapping[str, list[str]] = field(default_factory=dict)

    @property
    def is_secure(self) -> bool:
        return self.base_url.startswith("https:")

    @property
    def base_path(self) -> str:
        return urlsplit(self.base_url).path.rstrip("/")

    @property
    def is_cross_site(self) -> bool:
        """Whether the browser reports that another site initiated this request."""
        return self.headers.get("sec-fetch-site", "same-origin") not in {"same-origin", "none"}

    def field(self, name: str) -> str:
        """The first value of a form field, stripped."""
        return (self.form.get(name) or [""])[0].strip()

    def url(self, path: str) -> str:
        return self.base_url + path


def request_in(event: Mapping[str, Any], public_url: str) -> Request:
    """`public_url` may be empty: then the gateway's own domain is used. Raises `Invalid` for a malformed form."""
    context = event["requestContext"]
    headers = {str(name).lower(): str(value) for name, value in (event.get("headers") or {}).items()}
    return Request(
        method=str(context["http"]["method"]).upper().replace("HEAD", "GET"),
        path=_path(str(event.get("rawPath") or "/"), str(context.get("stage") or "$default")),
        base_url=(public_url or f"https://{context.get('domainName', 'localhost')}").rstrip("/"),
        query=_first_values(parse_qsl(str(event.get("rawQueryString") or ""), keep_blank_values=True)),
        cookies=_cookies(event.get("cookies") or headers.get("cookie", "").split(";")),
        headers=headers,
        form=_form(event, headers),
    )


def _path(raw_path: str, stage: str) -> str:
    """Decoded, without the stage that some gateways put in front, and without a trailing slash."""
    path = raw_path.removeprefix(f"/{stage}") if raw_path.startswith(f"/{stage}/") else raw_path
    return unquote(path).rstrip("/") or "/"


def _first_values(pairs: list[tuple[str, str]]) -> dict[str, str]:
    return dict(reversed(pairs))


def _cookies(texts: list[str]) -> dict[str, str]:
    pairs = (text.partition("=") for text in texts)
    return {name.strip(): value.strip().strip('"') for name, equals_sign, value in pairs if equals_sign}


def _form(event: Mapping[str, Any], headers: Mapping[str, str]) -> dict[str, list[str]]:
    body = event.get("body")
    if not body or headers.get("content-type", "").split(";")[0].strip().lower() != _FORM:
        return {}
    try:
        text = base64.b64decode(body, validate=True).decode() if event.get("isBase64Encoded") else str(body)
        pairs = parse_qsl(text, keep_blank_values=True, max_num_fields=FORM_FIELDS_MAX, errors="strict")
    except (binascii.Error, ValueError):
        raise Invalid("The form could not be read.") from None
    form: dict[str, list[str]] = {}
    for name, value in pairs:
        form.setdefault(name, []).append(value)
    return form
