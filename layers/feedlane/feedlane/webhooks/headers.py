"""Headers of a platform's own on its webhooks: an Authorization, say. Which there may be. Pure.

Their values may be keys: the vault has them, and nothing shows them.
"""

from __future__ import annotations

import re
from collections.abc import Mapping

from feedlane.errors import Invalid

HEADERS_MAX = 10
HEADER_NAME_LENGTH_MAX = 64
# Names and values together: all consumers' fit into one secret.
HEADERS_LENGTH_MAX = 2_000
_NAME = re.compile(r"[A-Za-z0-9!#$%&'*+.^_`|~-]+")
_VALUE = re.compile(r"[!-~](?:[ -~]*[!-~])?")
# What the sender sets itself, or what would change how the message is read on its way.
_RESERVED_NAMES = frozenset(
    (
        "accept-encoding", "connection", "content-encoding", "content-length", "content-type", "date", "expect", "host",
        "keep-alive", "te", "trailer", "transfer-encoding", "upgrade", "user-agent", "via",
    )
)  # fmt: skip
_RESERVED_PREFIXES = ("webhook-", "svix-", "proxy-")


def check_headers(given: Mapping[str, str]) -> dict[str, str]:
    """The headers as they were given. Raises `Invalid` with the field and the rule; never with a value."""
    if len(given) > HEADERS_MAX:
        raise Invalid.field("headers", f"a consumer has at most {HEADERS_MAX} headers", "MaximumCount")
    for name, value in given.items():
        _check_header(name, value)
    if len({name.lower() for name in given}) < len(given):
        raise Invalid.field("headers", "must not name a header twice; upper and lower case are the same", "Unique")
    if sum(len(name) + len(value) for name, value in given.items()) > HEADERS_LENGTH_MAX:
        rule = f"must have at most {HEADERS_LENGTH_MAX:,} characters together, names and values"
        raise Invalid.field("headers", rule, "MaximumLength")
    return dict(given)


def _check_header(name: str, value: str) -> None:
    if len(name) > HEADER_NAME_LENGTH_MAX or not _NAME.fullmatch(name):
        rule = f"a name must have 1 to {HEADER_NAME_LENGTH_MAX} letters, digits or any of !#$%&'*+.^_`|~-"
        raise Invalid.field("headers", rule, "HeaderName")
    if name.lower() in _RESERVED_NAMES or name.lower().startswith(_RESERVED_PREFIXES):
        raise Invalid.field(f"headers.{name}", "is set by Feedlane, and cannot be replaced", "ReservedHeader")
    if not _VALUE.fullmatch(value):
        rule = "a value must be visible ASCII characters, with spaces only between them"
        raise Invalid.field(f"headers.{name}", rule, "HeaderValue")
