"""The template of the address to which Link sends the customer at the end, with placeholders in braces."""

from __future__ import annotations

import re
from collections.abc import Mapping
from urllib.parse import quote

from feedlane.web_address import is_safe_address, origin_of

CODAT_PLACEHOLDERS = frozenset(
    ["clientId", "companyId", "connectionId", "integrationId", "sourceId", "platform", "platformName", "sourceType"]
) | {"statusCode", "errorMessage", "statusText", "data.company.companyName"}
_PLACEHOLDER = re.compile(r"\{([^{}]*)\}")
_AUTHORITY = re.compile(r"[^/?#]*(//[^/?#]*)?")


def rule_broken_by(template: str, allowed: tuple[str, ...]) -> str:
    """The rule that a template breaks, with `allowed` as the white list; empty if it breaks none."""
    sample = _PLACEHOLDER.sub("x", template)
    if "{" in sample or "}" in sample:
        return "must have its placeholders in pairs of braces, such as {companyId}"
    if not is_safe_address(sample):
        return "must be an https URL (http only for localhost)"
    names = _placeholders_in_host(template)
    if names & CODAT_PLACEHOLDERS:
        return "may have only placeholders of your own in its host"
    if names and not allowed:
        return "has a placeholder in its host; list every possible host in whiteListUrls"
    return ""


def fill(template: str, values: Mapping[str, str], allowed: tuple[str, ...]) -> str | None:
    """The address; an unknown placeholder becomes empty. None if the result is not allowed.

    Placeholders in the host could lead anywhere, so each resulting origin must be listed, scheme included.
    """
    filled = _PLACEHOLDER.sub(lambda match: quote(values.get(match[1], ""), safe=""), template)
    origin = origin_of(filled)
    if not origin:
        return None
    names = _placeholders_in_host(template)
    if names and (names & CODAT_PLACEHOLDERS or origin not in {origin_of(url) for url in allowed}):
        return None
    return filled


def _placeholders_in_host(template: str) -> set[str]:
    authority = _AUTHORITY.match(template)
    return set(_PLACEHOLDER.findall(authority[0])) if authority else set()
