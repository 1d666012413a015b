"""Where Link sends the customer at the end: the platform's redirect URL with its placeholders filled in.

Placeholders and status codes are Codat's, so that a platform's redirect page needs no change.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

from feedlane.companies.connection import INTEGRATION_ID, PLATFORM_KEY, PLATFORM_NAME, SOURCE_ID
from feedlane.settings import redirect_template
from feedlane.settings.redirect_template import CODAT_PLACEHOLDERS
from feedlane.settings.settings import Profile

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
    custom = {name: value for name, value in (parameters or {}).items() if name not in CODAT_PLACEHOLDERS}
    return redirect_template.fill(template, custom | values, profile.white_list_urls)
