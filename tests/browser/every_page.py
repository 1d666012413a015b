"""Which pages there are: made from the routes, so that none is forgotten.

A new route fails `test_every_page.py` until it is known how to come to its page, or that it has none.
"""

from __future__ import annotations

import os
import re
from collections.abc import Iterable, Iterator, Mapping, Sequence
from itertools import product

from feedlane.companies.connection import UpstreamName
from feedlane.settings.guide import UPSTREAM, step_names
from feedlane.texts import catalogue
from feedlane.web.portal.routes import PORTAL
from feedlane.web.routing import Route
from tests.browser.looks import Fields
from tests.worlds.hard_portal import NAMES, Hard

# Otherwise each page is looked at with one kind of names, and lists in one state: that takes a fifth of the time.
EVERYTHING = bool(os.environ.get("EVERY_VIEW"))
STATES = tuple(NAMES) if EVERYTHING else ("long",)

# These answer with a file, or always lead to another page.
NO_PAGE = {
    ("GET", "/"), ("GET", "/favicon.ico"), ("GET", "/portal/certification.json"), ("GET", "/portal/certification.txt"),
    ("GET", "/portal/holds/release"), ("POST", "/portal/companies/{company_id}/holds/{hold_id}/release"),
    ("POST", "/portal/companies/{company_id}/connections"), ("POST", "/portal/sign-out"),
    ("POST", "/portal/set-up/test"), ("POST", "/portal/set-up/try/remove"),
    ("POST", "/portal/webhooks/{consumer_id}/enable"), ("POST", "/portal/webhooks/{consumer_id}/disable"),
    ("POST", "/portal/webhooks/{consumer_id}/deliveries/{event_id}/replay"),
    ("GET", "/link/from-xero"), ("POST", "/link/company/{company_id}"), ("POST", "/codat/webhooks"),
    ("GET", "/link/companies/{company_id}/connections/{connection_id}/start"),
}  # fmt: skip
# These answer with a page of their own only in a moment that none of the states here is: Xero is away, or somebody else
# changes the same. It is the page at which the form is, with a sentence above it.
NO_PAGE |= {
    ("POST", "/portal/companies/{company_id}/connections/{connection_id}/accounts/disconnect"),
    ("POST", "/portal/companies/{company_id}/connections/{connection_id}/disconnect"),
    ("POST", "/portal/feeds/{connection_id}/{account_id*}"),
    ("POST", "/portal/webhooks/{consumer_id}/test"),
}
# The lists in their other states.
QUERIES = {
    "/portal/search": ("?q=company", "?q=nothing", ""),
    "/portal/companies": ("", "?sort=name", "?q=nothing", "?state=held", "?after=zzz"),
    "/portal/feeds": ("", "?q=nothing", "?state=held"),
    "/portal/feeds/{connection_id}/{account_id*}": (
        "", "?show=transactions", "?show=pushes", "?show=transactions&q=nothing&to=2026-01-01", "?done=added",
    ),
    "/portal/holds": ("", "?q=nothing", "?reason=an-unknown-reason", "?reason=codat-limit-reached", "?released=3"),
    "/portal/companies/{company_id}": ("", "?done=created"),
    "/portal/companies/{company_id}/connections/{connection_id}/accounts/disconnect": ("?account=account-00",),
    "/portal/dead-letters": ("", "?show=checks"),
    "/portal/companies/{company_id}/push-operations": ("", "?status=Pending"),
    "/portal/push-operations/{company_id}/{key}": ("", "?show=transactions"),
    "/portal/webhooks": ("", "?q=nothing"),
    "/portal/webhooks/{consumer_id}": ("", "?state=failed", "?since=never", "?q=nothing"),
}  # fmt: skip
SETTINGS = {
    "app_name": "Xero", "company_url": "nowhere", "client_id": "x", "partner": "yes", "daily_limit": "many",
    "redirect_uri": "nowhere", "access": "none", "changed_transactions": "none", "feed_connections": "3",
}  # fmt: skip
# How each form is sent so that it answers with a page of its own: refused, mostly.
FORMS: Mapping[str, Sequence[Fields]] = {
    "/portal/sign-in": ({"key": "wrong"},),
    "/portal/companies/new": ({"name": ""}, {"name": "x" * 300, "tags": "no tag"}),
    "/portal/companies/{company_id}/edit": ({"name": "", "tags": "no tag"},),
    "/portal/companies/{company_id}/delete": ({"name": "another"},),
    "/portal/companies/{company_id}/connections/{connection_id}/link": ({},),
    "/portal/companies/{company_id}/connections/{connection_id}/accounts/new": ({}, {"currency": "EURO"}),
    "/portal/companies/{company_id}/connections/{connection_id}/delete": ({"name": "another"},),
    "/portal/dead-letters": ({"show": "transactions", "message": ["unknown"]},),
    "/portal/holds/release": ({"hold": [f"hold-{number:02}" for number in range(25)]},),
    "/portal/holds/{hold_id}/release": ({},),
    "/portal/set-up/try": ({"currency": "EURO"}, {"currency": "GBP"}),
    "/portal/set-up/try/link": ({},),
    "/portal/set-up/try/send": ({},),
    "/portal/set-up/{step}": (
        {
            "app_name": "Xero", "company_url": "nowhere", "client_id": "x", "name": "", "logo_url": "nowhere",
            "colour": "yellow", "support_address": "nowhere", "bank_feeds": "yes", "partner": "yes",
            "privacy_policy_url": "nowhere", "terms_url": "nowhere", "connection_limit": "many", "access": "none",
            "enabled": "yes", "upstream": "none",
        },
    ),
    "/portal/settings/{section}": (SETTINGS,),
    "/portal/settings/{section}/secret": ({"which": "first"},),
    "/portal/profile": ({"name": "", "logo_url": "nowhere", "colour": "yellow", "redirect_url": "nowhere"},),
    "/portal/webhooks": ({"url": "no address"}, {"url": "https://platform.example/events"}),
    "/portal/webhooks/{consumer_id}/settings": ({"url": "no address", "headers": "no header"},),
    "/portal/webhooks/{consumer_id}/secret": ({},),
    "/portal/webhooks/{consumer_id}/delete": ({},),
    "/portal/webhooks/{consumer_id}/replays": ({"since": "never"}, {"since": "2026-05-12T08:00"}),
}  # fmt: skip
# Where new connections go through Codat: the steps of that guide, and the pages that it leads to.
THROUGH_CODAT = (
    *(f"/portal/set-up/{step}" for step in (UPSTREAM, *step_names(UpstreamName.CODAT))),
    "/portal/set-up/test", "/portal/set-up/try",
)  # fmt: skip
# The texts of the error pages, without those that only name a button.
_IS_ERROR = re.compile(r"(error|not-linked)\.[\w-]+\.title").fullmatch
ERRORS = tuple(sorted(key.removesuffix(".title") for key in catalogue("en") if _IS_ERROR(key)))


def values_of(hard: Hard) -> dict[str, Sequence[str]]:
    """What the placeholders of the routes stand for."""
    return {
        "company_id": (hard.company_id,),
        "connection_id": (hard.connection_id,),
        "account_id": (hard.account_id, "account-02", "account-04"),
        "hold_id": (hard.hold_id,),
        "consumer_id": (hard.consumer_id, "consumer-01"),
        "event_id": (hard.event_id,),
        "event_type": ("bankTransactions.write.unsuccessful",),
        "key": (hard.push_key,),
        "step": (UPSTREAM, *step_names(UpstreamName.XERO)),
        "section": ("app", "access", "sending", "links", "codat"),
    }


def paths_of(route: Route, values: Mapping[str, Sequence[str]]) -> list[str]:
    """Its paths, with each of the values of its placeholders; none if there is no value for one of them."""
    names = re.findall(r"\{(\w+)\*?\}", route.path)
    chosen = product(*(values.get(name, ()) for name in names))
    paths = [re.sub(r"\{\w+\*?\}", "{}", route.path).format(*each) for each in chosen]
    return paths if EVERYTHING else paths[:1]


def pages_of_portal(values: Mapping[str, Sequence[str]]) -> Iterator[str]:
    """The addresses of all pages, with those of the lists in other states."""
    for route in PORTAL:
        if route.method == "GET" and ("GET", route.path) not in NO_PAGE:
            for path in paths_of(route, values):
                queries = QUERIES.get(route.path, ("",))
                yield from (path + query for query in queries[: None if EVERYTHING else 1])


def forms_of_portal(values: Mapping[str, Sequence[str]]) -> Iterator[tuple[str, Fields]]:
    """The addresses of all forms, each with what is sent."""
    for route in PORTAL:
        if route.method == "POST" and ("POST", route.path) not in NO_PAGE:
            for path in paths_of(route, values):
                sent = FORMS.get(route.path, ())
                yield from ((path, fields) for fields in sent[: None if EVERYTHING else 1])


def not_shown(routes: Iterable[Route], shown: Iterable[tuple[str, str]]) -> set[tuple[str, str]]:
    """The routes whose pages nobody has looked at."""
    missing = {(route.method, route.path) for route in routes} - NO_PAGE
    for method, path in shown:
        # The first that fits is the one that answers.
        found = next((one for one in routes if one.method == method and one.arguments(path) is not None), None)
        missing -= {(method, found.path)} if found else set()
    return missing
