"""Asks Xero, without a customer, whether it would let one authorise: the app, its redirect URI and its scopes.

Xero has no endpoint that lists what an app may request: with its own keys, a web app gets no scope of customers'
data. But the page of the consent checks client id, redirect URI and scopes before it asks anybody anything.
`prompt=none` (OpenID Connect) forbids it to ask: then it says that nobody is signed in, or shows where to sign in.
Whatever cannot be understood is no answer: nothing is called granted unless Xero goes on.
"""

from __future__ import annotations

import re
from collections.abc import Callable
from datetime import UTC, datetime
from email.utils import parsedate_to_datetime
from urllib.parse import parse_qs, urljoin, urlsplit

import httpx

from feedlane.credentials.authorization import Authorization, Verdict
from feedlane.errors import NotSent, Unanswered
from feedlane.http import Http
from feedlane.xero.identity import authorize_url

# From the request to the page that says no, Xero goes over two or three addresses of its own.
REDIRECTS_MAX = 4
_TEXT_MAX = 200_000
# With nobody signed in, a valid request that may not ask ends with one of these (OpenID Connect Core, 3.1.2.6).
_WOULD_ASK = frozenset(
    {"login_required", "interaction_required", "consent_required", "account_selection_required", "access_denied"}
)
_SIGN_IN = re.compile(r"log ?in|sign ?in|password", re.IGNORECASE)


# What Xero's page says, in the order in which it checks.
_WORDS = (
    (re.compile(r"unauthorized_client|unknown client", re.IGNORECASE), Verdict.WRONG_CLIENT),
    (re.compile(r"invalid[ _]redirect[ _]uri", re.IGNORECASE), Verdict.WRONG_REDIRECT),
    (re.compile(r"invalid[ _]scope", re.IGNORECASE), Verdict.WRONG_SCOPE),
)


def ask(http: Http, login_url: str, client_id: str, redirect_uri: str, scopes: tuple[str, ...]) -> Authorization:
    """`http` has the login URL as its base. Never raises for what Xero answers, or does not."""
    url = authorize_url(login_url, client_id, redirect_uri, scopes, "check") + "&prompt=none"
    try:
        return _follow(lambda address: http.send("GET", address, headers={"Accept": "text/html"}), url, redirect_uri)
    except (NotSent, Unanswered) as error:
        return Authorization(Verdict.UNKNOWN, reason=f"Xero could not be reached ({error})")


def _follow(get: Callable[[str], httpx.Response], url: str, redirect_uri: str) -> Authorization:
    host, answered_at = urlsplit(url).netloc, None
    for _ in range(REDIRECTS_MAX + 1):
        answer = get(url)
        answered_at = answered_at or _date(answer)
        if not answer.has_redirect_location:
            return Authorization(_verdict_of_page(url, answer), answered_at, f"Xero answered {answer.status_code}")
        url = urljoin(url, answer.headers["location"])
        if url.partition("?")[0] == redirect_uri:
            # Never followed: it is Link's, and belongs to a customer.
            return Authorization(_verdict_of_return(url), answered_at, "Xero’s answer could not be understood")
        if urlsplit(url).netloc != host:
            return Authorization(Verdict.UNKNOWN, answered_at, "Xero sent on to another host")
    return Authorization(Verdict.UNKNOWN, answered_at, "Xero sent on again and again")


def _verdict_of_return(url: str) -> Verdict:
    error = parse_qs(urlsplit(url).query).get("error", [""])[0]
    if error in _WOULD_ASK:
        return Verdict.ACCEPTED
    return _verdict_of_words(error) or Verdict.UNKNOWN


def _verdict_of_page(url: str, answer: httpx.Response) -> Verdict:
    text = answer.text[:_TEXT_MAX]
    if verdict := _verdict_of_words(text):
        return verdict
    is_sign_in = answer.status_code == 200 and "error" not in urlsplit(url).path.lower() and _SIGN_IN.search(text)
    return Verdict.ACCEPTED if is_sign_in else Verdict.UNKNOWN


def _verdict_of_words(text: str) -> Verdict | None:
    return next((verdict for words, verdict in _WORDS if words.search(text)), None)


def _date(answer: httpx.Response) -> datetime | None:
    try:
        return parsedate_to_datetime(answer.headers["date"]).astimezone(UTC)
    except (KeyError, ValueError):
        return None
