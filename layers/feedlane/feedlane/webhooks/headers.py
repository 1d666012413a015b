"""Custom headers of a consumer's webhooks, such as Authorization: which are allowed. Pure.

Their values may be keys: the vault keeps them, and nothing shows them.
"""

from __future__ import annotations

import re
from collections.abc import Mapping

from feedlane.errors import Invalid

HEADERS_MAX = 10
HEADER_NAME_LENGTH_MAX = 64
# Names and values together, so that the headers of all consumers fit into one secret.
HEADERS_LENGTH_MAX = 2_000
_NAME = re.compile(r"[A-Za-z0-9!#$%&'*+.^_`|~-]+")
_VALUE = re.compile(r"[!-~](?:[ -~]*[!-~])?")
# Set by the sender itself, or would change how the request is read on its way.
_RESERVED_NAMES = frozenset(
    (
        "accept-encoding", "connection", "content-encoding", "content-length", "content-type", "date", "expect", "host",
        "keep-alive", "te", "trailer", "transfer-encoding", "upgrade", "user-agent", "via",
    )
)  # fmt: skip
_RESERVED_PREFIXES = ("webhook-", "svix-", "proxy-")


def check_headers(headers: Mapping[str, str]) -> dict[str, str]:
    """The headers, unchanged. Raises `Invalid` with the field and the rule, never with a value."""
    if len(headers) > HEADERS_MAX:
        raise Invalid.field("headers", f"a consumer can have at most {HEADERS_MAX} headers", "MaximumCount")
    for name, value in headers.items():
        _check_header(name, value)
    if len({name.lower() for name in headers}) < len(headers):
        raise Invalid.field("headers", "must not name a header twice; names are not case-sensitive", "Unique")
    if sum(len(name) + len(value) for name, value in headers.items()) > HEADERS_LENGTH_MAX:
        rule = f"must have at most {HEADERS_LENGTH_MAX:,} characters, names and values together"
        raise Invalid.field("headers", rule, "MaximumLength")
    return dict(headers)


def _check_header(name: str, value: str) -> None:
    if len(name) > HEADER_NAME_LENGTH_MAX or not _NAME.fullmatch(name):
        rule = f"a name must be 1 to {HEADER_NAME_LENGTH_MAX} characters: letters, digits or any of !#$%&'*+.^_`|~-"
        raise Invalid.field("headers", rule, "HeaderName")
    if name.lower() in _RESERVED_NAMES or name.lower().startswith(_RESERVED_PREFIXES):
        raise Invalid.field(f"headers.{name}", "is set by Feedlane and cannot be replaced", "ReservedHeader")
    if not _VALUE.fullmatch(value):
        rule = "the value must be visible ASCII characters, with spaces only between them"
        raise Invalid.field(f"headers.{name}", rule, "HeaderValue")
