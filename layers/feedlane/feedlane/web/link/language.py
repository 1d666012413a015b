"""The customer's language: as the address says, as it said before, or as the browser prefers."""

from __future__ import annotations

from datetime import timedelta

from feedlane.web.cookies import LANGUAGE, Cookie, value_in
from feedlane.web.request import Request
from feedlane.web.texts import accepted_language, chosen_language

PARAMETER = "lang"
# As long as a link with a one-time password: whoever comes back from Xero reads the same language.
_KEPT = timedelta(days=1)


def customer_language(request: Request) -> str:
    chosen = chosen_language(request.query.get(PARAMETER, "")) or chosen_language(value_in(request, LANGUAGE))
    return chosen or accepted_language(request.headers.get("accept-language", ""))


def language_cookies(request: Request) -> list[Cookie]:
    """Keeps what the address says for the pages that follow, also beyond Xero."""
    chosen = chosen_language(request.query.get(PARAMETER, ""))
    return [Cookie(LANGUAGE, chosen, _KEPT)] if chosen and value_in(request, LANGUAGE) != chosen else []
