"""A request for a page, parsed from the HTTP API's event (payload format 2.0)."""

from __future__ import annotations

import base64
import re
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any
from urllib.parse import parse_qsl, quote, urlencode

from feedlane.doors import path_in, require_text, require_texts
from feedlane.errors import Invalid

# What a form brings must fit into one item of the table.
FORM_BYTES_MAX = 100_000
FORM_FIELDS_MAX = 500
# Far more than a webhook of Codat's has.
JSON_BYTES_MAX = 100_000
_FORM, _JSON = "application/x-www-form-urlencoded", "application/json"
# The headers in which browsers and previews say that nobody has opened the page: the standard one, and older ones.
_PURPOSE_HEADERS = ("sec-purpose", "purpose", "x-purpose", "x-moz")
_PURPOSES_AHEAD = ("prefetch", "prerender", "preview")


@dataclass(frozen=True)
class Request:
    """`base_url` is our public address, without a trailing slash.

    `query` has the first value of each parameter, the last parameter first.
    """

    method: str
    path: str
    base_url: str
    query: Mapping[str, str] = field(default_factory=dict)
    cookies: Mapping[str, str] = field(default_factory=dict)
    headers: Mapping[str, str] = field(default_factory=dict)
    form: Mapping[str, list[str]] = field(default_factory=dict)
    body: bytes = field(default=b"", repr=False)
    """The bytes of a JSON body, as they came: a signature is about these."""
    address: str = ""
    """The caller's, as the gateway saw it."""
    is_head: bool = False
    """Whether only the headers are asked for: `method` is GET, and nothing may change."""
    note: str = ""
    """Why a form is shown again, where it is: then `method` is GET, and `form` has what was entered."""
    id: str = ""
    """The gateway's, which its log and ours have too: whoever reports trouble can name it."""

    @property
    def is_ahead(self) -> bool:
        """Whether a browser loads the page in case somebody opens it."""
        purposes = " ".join(self.headers.get(name, "") for name in _PURPOSE_HEADERS).lower()
        return any(purpose in purposes for purpose in _PURPOSES_AHEAD)

    @property
    def is_secure(self) -> bool:
        return self.base_url.startswith("https:")

    @property
    def is_cross_site(self) -> bool:
        """Whether the browser reports that another site initiated this request."""
        return self.headers.get("sec-fetch-site", "same-origin") not in {"same-origin", "none"}

    @property
    def accepts_gzip(self) -> bool:
        codings = (coding.partition(";") for coding in self.headers.get("accept-encoding", "").lower().split(","))
        weights = {name.strip(): weight.replace(" ", "") for name, _, weight in codings}
        return "gzip" in weights and not re.fullmatch(r"q=0(\.0*)?", weights["gzip"])

    @property
    def own_address(self) -> str:
        """Path and query, as a link to this page has them."""
        return quote(self.path) + (f"?{urlencode(list(self.query.items())[::-1])}" if self.query else "")

    def field(self, name: str) -> str:
        """The first value of a form field, stripped."""
        return (self.form.get(name) or [""])[0].strip()

    def url(self, path: str) -> str:
        return self.base_url + path


def request_in(event: Mapping[str, Any], public_url: str) -> Request:
    """`public_url` may be empty: then the gateway's own domain is used.

    Raises `Invalid` for what no page accepts: text that is not Unicode or too long, and a malformed form.
    """
    context = event["requestContext"]
    headers = _headers(event)
    method = str(context["http"]["method"]).upper()
    require_text("method", method)
    require_texts(headers)
    cookies = _cookies(event.get("cookies") or headers.get("cookie", "").split(";"))
    require_texts(cookies)
    return Request(
        method="GET" if method == "HEAD" else method,
        path=_path(str(event.get("rawPath") or "/"), str(context.get("stage") or "$default")),
        base_url=_base_url(context, public_url),
        query=_query(str(event.get("rawQueryString") or "")),
        cookies=cookies,
        headers=headers,
        form=_form(event, headers),
        body=_json_body(event, headers),
        address=str(context["http"].get("sourceIp", "")),
        is_head=method == "HEAD",
        id=str(context.get("requestId", "")),
    )


def refused_request_in(event: Mapping[str, Any], public_url: str) -> Request:
    """As much of a request that `request_in` refuses as its error page needs."""
    context = event["requestContext"]
    return Request(
        method="GET", path="/", base_url=_base_url(context, public_url), id=str(context.get("requestId", ""))
    )


def _base_url(context: Mapping[str, Any], public_url: str) -> str:
    return (public_url or f"https://{context.get('domainName', 'localhost')}").rstrip("/")


def _headers(event: Mapping[str, Any]) -> dict[str, str]:
    return {str(name).lower(): str(value) for name, value in (event.get("headers") or {}).items()}


def _path(raw_path: str, stage: str) -> str:
    """Decoded, without the stage that some gateways put in front, and without a trailing slash."""
    path = raw_path.removeprefix(f"/{stage}") if raw_path.startswith(f"/{stage}/") else raw_path
    return path_in(path).rstrip("/") or "/"


def _query(text: str) -> dict[str, str]:
    """The first value of each parameter."""
    require_text("query", text)
    try:
        pairs = parse_qsl(text, keep_blank_values=True, max_num_fields=FORM_FIELDS_MAX, errors="strict")
    except ValueError:
        raise Invalid.field("query", "must be percent-encoded UTF-8", "Unicode") from None
    parameters = dict(reversed(pairs))
    require_texts(parameters)
    return parameters


def _cookies(texts: list[str]) -> dict[str, str]:
    pairs = (text.partition("=") for text in map(str, texts))
    return {name.strip(): value.strip().strip('"') for name, equals_sign, value in pairs if equals_sign}


def _json_body(event: Mapping[str, Any], headers: Mapping[str, str]) -> bytes:
    """Raises `Invalid` if it is too large or not what it is said to be."""
    body = str(event.get("body") or "")
    if not body or headers.get("content-type", "").split(";")[0].strip().lower() != _JSON:
        return b""
    is_encoded = bool(event.get("isBase64Encoded"))
    if len(body) > JSON_BYTES_MAX * (4 / 3 if is_encoded else 1):
        raise Invalid(f"The body is too large: at most {JSON_BYTES_MAX:,} bytes are accepted.")
    try:
        return base64.b64decode(body, validate=True) if is_encoded else body.encode()
    except ValueError:
        raise Invalid("The body could not be read.") from None


def _form(event: Mapping[str, Any], headers: Mapping[str, str]) -> dict[str, list[str]]:
    body = event.get("body")
    if not body or headers.get("content-type", "").split(";")[0].strip().lower() != _FORM:
        return {}
    if len(body) > FORM_BYTES_MAX * (4 / 3 if event.get("isBase64Encoded") else 1):
        raise Invalid(f"The form is too large: at most {FORM_BYTES_MAX:,} bytes are accepted.")
    try:
        text = base64.b64decode(body, validate=True).decode() if event.get("isBase64Encoded") else str(body)
        pairs = parse_qsl(text, keep_blank_values=True, max_num_fields=FORM_FIELDS_MAX, errors="strict")
    except ValueError:
        raise Invalid("The form could not be read.") from None
    form: dict[str, list[str]] = {}
    for name, value in pairs:
        require_text(name, name)
        require_text(name, value)
        form.setdefault(name, []).append(value)
    return form
