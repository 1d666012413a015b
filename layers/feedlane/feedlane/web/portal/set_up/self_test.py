"""Test your integration: begins a test, and shows how the last one stands."""

from __future__ import annotations

from feedlane.settings import items as settings_items
from feedlane.upkeep import self_test
from feedlane.upkeep.check import Check, Outcome
from feedlane.upkeep.self_test import Subject
from feedlane.web.link import paths
from feedlane.web.portal.session import portal_page, require_operator
from feedlane.web.portal.states import State, Tone
from feedlane.web.request import Request
from feedlane.web.response import Response, see_other
from feedlane.web.site import Site

_PILLS = {
    Outcome.OK: State("ok", "ok", Tone.GOOD),
    Outcome.FAILED: State("failed", "failed", Tone.BAD),
    Outcome.SKIPPED: State("skipped", "skipped", Tone.PLAIN),
    Outcome.RUNNING: State("running", "under way", Tone.WARN),
}
# Where a check that is not well is mended, by how its title begins.
_PLACES = {
    "Keys": ("/portal/set-up/keys#step-keys", "Open step 2"),
    "Redirect URI": ("/portal/set-up/app#step-app", "Open step 1"),
    "Scopes": ("/portal/set-up/bank-feeds#step-bank-feeds", "Open step 5"),
    "Webhook": ("/portal/webhooks", "Open Webhooks"),
}


def show(site: Site, request: Request) -> Response:
    operator = require_operator(site, request)
    test = self_test.last_test(site.store)
    entries = self_test.results(site.store, test, site.clock()) if test else []
    return portal_page(
        site,
        operator,
        "set_up/self_test",
        title="Test your integration",
        section="set-up",
        test=test,
        listed=entries,
        pills=_PILLS,
        places={check.title: _place(check) for check in entries if check.remedy},
        is_over=self_test.is_over(entries),
        failed=sum(check.outcome is Outcome.FAILED for check in entries),
    )


def _place(check: Check) -> tuple[str, str] | None:
    return next((place for start, place in _PLACES.items() if check.title.startswith(start)), None)


def run(site: Site, request: Request) -> Response:
    require_operator(site, request)
    redirect_uri = paths.redirect_uri(request, settings_items.settings(site.store))
    self_test.run(Subject(site.ports, site.vault, site.outside, redirect_uri, paths.redirect_uri(request)))
    return see_other(request.url("/portal/set-up/test"))
