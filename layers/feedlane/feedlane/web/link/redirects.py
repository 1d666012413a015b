"""Where Link sends the customer at the end: the platform's redirect URL with its placeholders filled in.

Placeholders and status codes are Codat's, so that a platform's redirect page needs no change.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass
from urllib.parse import quote, urlsplit

from feedlane.companies.connection import INTEGRATION_ID, PLATFORM_KEY, PLATFORM_NAME, SOURCE_ID
from feedlane.settings.changes import LOCAL_HOSTS
from feedlane.settings.settings import Profile

_PLACEHOLDER = re.compile(r"\{([^{}]*)\}")
_CODAT_PLACEHOLDERS = frozenset(
    ["clientId", "companyId", "connectionId", "integrationId", "sourceId", "platform", "platformName", "sourceType"]
) | {"statusCode", "errorMessage", "statusText", "data.company.companyName"}

PARAMETERS_MAX = 20
PARAMETER_NAME_LENGTH_MAX = 64
PARAMETER_VALUE_LENGTH_MAX = 512


@dataclass(frozen=True)
class RedirectResult:
    """How Link ended. `error_message` is one of Codat's texts, `status_text` our own explanation."""

    status_code: int
    error_message: str = ""
    status_text: str = ""


DONE = RedirectResult(200)
CANCELLED = RedirectResult(403, "User cancelled", "User cancelled linking")


def not_supported(status_text: str) -> RedirectResult:
    return RedirectResult(501, "Not supported", status_text)


def failed(status_text: str) -> RedirectResult:
    return RedirectResult(500, "Unknown error occurred", status_text)


def platform_parameters(query: Mapping[str, str]) -> dict[str, str]:
    """The parameters of a Link URL that the redirect URL may use; Link's own are left out."""
    allowed = {
        name: value
        for name, value in query.items()
        if not name.startswith("link.")
        and name != "otp"
        and len(name) <= PARAMETER_NAME_LENGTH_MAX
        and len(value) <= PARAMETER_VALUE_LENGTH_MAX
    }
    return dict(list(allowed.items())[:PARAMETERS_MAX])


def destination_url(
    profile: Profile,
    outcome: RedirectResult,
    company_id: str,
    connection_id: str,
    organisation: str = "",
    parameters: Mapping[str, str] | None = None,
) -> str | None:
    """The redirect URL, or None if none is set or the result is not allowed."""
    template = profile.redirect_url
    if not template:
        return None
    values = {
        "companyId": company_id,
        "connectionId": connection_id,
        "integrationId": INTEGRATION_ID,
        "sourceId": SOURCE_ID,
        "platform": PLATFORM_KEY,
        "platformName": PLATFORM_NAME,
        "sourceType": "Accounting",
        "statusCode": str(outcome.status_code),
        "errorMessage": outcome.error_message,
        "statusText": outcome.status_text,
        "data.company.companyName": organisation,
    }
    custom = {name: value for name, value in (parameters or {}).items() if name not in _CODAT_PLACEHOLDERS}
    filled = _fill_placeholders(template, custom | values)
    return filled if _is_allowed(template, filled, profile.white_list_urls) else None


def _fill_placeholders(template: str, values: Mapping[str, str]) -> str:
    """An unknown placeholder becomes empty."""
    return _PLACEHOLDER.sub(lambda match: quote(values.get(match[1], ""), safe=""), template)


def _is_allowed(template: str, filled: str, allowed: tuple[str, ...]) -> bool:
    """Placeholders in the host could lead anywhere, so each resulting origin must be listed, scheme included."""
    if any(character.isspace() or ord(character) < 32 for character in filled):
        return False
    origin = _origin(filled)
    if origin is None:
        return False
    authority = re.match(r"[^/?#]*(//[^/?#]*)?", template)
    names = set(_PLACEHOLDER.findall(authority[0])) if authority else set()
    if not names:
        return True
    return not names & _CODAT_PLACEHOLDERS and origin in {_origin(url) for url in allowed}


def _origin(url: str) -> tuple[str, str] | None:
    """Scheme, and host with port. None unless the scheme is https, or http on this machine."""
    try:
        parts = urlsplit(url)
        host, _ = parts.hostname or "", parts.port
    except ValueError:
        return None
    if not host or not (parts.scheme == "https" or (parts.scheme == "http" and host in LOCAL_HOSTS)):
        return None
    return parts.scheme, parts.netloc.lower()
