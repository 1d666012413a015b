"""The customer's language: as the address says, as it said before, or as the browser prefers."""

from __future__ import annotations

import re
from datetime import timedelta

from feedlane.texts import DEFAULT_LANGUAGE, LANGUAGES
from feedlane.web.cookies import LANGUAGE, Cookie, value_in
from feedlane.web.request import Request

PARAMETER = "lang"
# As long as a link with a one-time password: whoever comes back from Xero reads the same language.
_KEPT = timedelta(days=1)
_WEIGHT = re.compile(r"q=(0(\.\d{1,3})?|1(\.0{1,3})?)")


def customer_language(request: Request) -> str:
    chosen = chosen_language(request.query.get(PARAMETER, "")) or chosen_language(value_in(request, LANGUAGE))
    return chosen or accepted_language(request.headers.get("accept-language", ""))


def language_cookies(request: Request) -> list[Cookie]:
    """Keeps what the address says for the pages that follow, also beyond Xero."""
    chosen = chosen_language(request.query.get(PARAMETER, ""))
    return [Cookie(LANGUAGE, chosen, _KEPT)] if chosen and value_in(request, LANGUAGE) != chosen else []


def chosen_language(text: str) -> str:
    """One of ours, if the text is one: `fr`, `fr-CA`. Otherwise nothing."""
    primary = text.strip().lower().partition("-")[0]
    return primary if primary in LANGUAGES else ""


def accepted_language(header: str) -> str:
    """The first of ours in the order that the browser's `Accept-Language` prefers; English if there is none."""
    wanted = []
    for place, entry in enumerate(header[:1000].split(",")):
        tag, _, parameter = (part.strip() for part in entry.partition(";"))
        weight = _WEIGHT.fullmatch(parameter.replace(" ", ""))
        quality = float(weight[1]) if weight else 0.0 if parameter else 1.0
        if quality and (known := chosen_language(tag)):
            wanted.append((-quality, place, known))
    return min(wanted)[2] if wanted else DEFAULT_LANGUAGE
