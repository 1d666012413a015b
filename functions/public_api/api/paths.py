"""Paths that contain an account id.

An id may contain slashes, and some gateways decode `%2F` while others do not. Therefore the id is encoded as one
segment before routing.
"""

from __future__ import annotations

import re
from urllib.parse import quote, unquote

_CONNECTION = r"/companies/[^/]+/connections/[^/]+"
_ID = r"(?P<id>.+)"
# Methods, and the parts of the path before and after the account id. The first match counts.
_PATTERNS = [
    (methods, re.compile(rf"(?P<before>.*?{before}){_ID}(?P<after>{after})"))
    for methods, before, after in (
        ("PATCH DELETE", rf"{_CONNECTION}/connectionInfo/bankFeedAccounts/", ""),
        ("POST", rf"{_CONNECTION}/push/bankAccounts/", "/bankTransactions/validate"),
        ("POST", rf"{_CONNECTION}/push/bankAccounts/", "/bankTransactions"),
        ("GET", rf"{_CONNECTION}/options/bankAccounts/", "/bankTransactions"),
        ("GET POST", rf"{_CONNECTION}/bankFeedAccounts/", r"/managedBankFeeds/syncs(?:/[^/]+)?"),
        ("POST", r"/feeds/[0-9a-fA-F-]{36}(?:/|%2[Ff])", "/release"),
        ("POST", r"/feeds/[0-9a-fA-F-]{36}(?:/|%2[Ff])", r"/statements/[0-9]+/resolve"),
        ("POST", r"/holes/[0-9a-fA-F-]{36}(?:/|%2[Ff])", r"/[0-9a-fA-F-]{36}/close"),
        ("PATCH", r"/feeds/[0-9a-fA-F-]{36}(?:/|%2[Ff])", ""),
        ("GET", r"/(?:feeds|setAside|holes)/[0-9a-fA-F-]{36}(?:/|%2[Ff])", ""),
        ("POST", r"/setAside/[0-9a-fA-F-]{36}(?:/|%2[Ff])", ""),
    )
]


def with_one_segment(method: str, path: str) -> str:
    """The path with its account id, if any, as a single percent-encoded segment."""
    for methods, pattern in _PATTERNS:
        match = pattern.fullmatch(path) if method in methods.split() else None
        if match:
            before = re.sub("%2[Ff]$", "/", match["before"])
            return before + quote(unquote(match["id"]), safe="") + match["after"]
    return path


def account_id_in(segment: str) -> str:
    """The account id in a segment. An id contains no percent sign, so decoding twice is safe."""
    return unquote(segment)
