"""Test your integration: begins a test, and shows how the last one stands."""

from __future__ import annotations

from feedlane.companies.connection import UpstreamName
from feedlane.settings import guide
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
# The step that mends a check that is not well, by how the check's title begins.
_STEPS = {
    "Keys": "keys",
    "Redirect URI": "app",
    "Scopes": "bank-feeds",
    "Codat’s API key": "codat-key",
    "Redirect URL": "codat-side",
    "Codat’s webhooks": "codat-side",
    "Xero at Codat": "bank-feeds",
}
_WEBHOOK = "Webhook"


def show(site: Site, request: Request) -> Response:
    operator = require_operator(site, request)
    test, upstream = self_test.last_test(site.store), UpstreamName(settings_items.settings(site.store).upstream)
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
        places={check.title: _place(check, upstream) for check in entries if check.remedy},
        is_over=self_test.is_over(entries),
        failed=sum(check.outcome is Outcome.FAILED for check in entries),
    )


def _place(check: Check, upstream: UpstreamName) -> tuple[str, str] | None:
    """Where it is mended, and what the link says. A step of the other way to Xero is in the settings."""
    if check.title.startswith(_WEBHOOK):
        return "/portal/webhooks", "Open Webhooks"
    step = next((step for start, step in _STEPS.items() if check.title.startswith(start)), "")
    if step in guide.step_names(upstream):
        return f"/portal/set-up/{step}#step-{step}", "Open the step"
    return ("/portal/settings", "Open the settings") if step else None


def run(site: Site, request: Request) -> Response:
    require_operator(site, request)
    redirect_uri = paths.redirect_uri(request, settings_items.settings(site.store))
    self_test.run(Subject(site.ports, site.vault, site.outside, redirect_uri, paths.redirect_uri(request)))
    return see_other(request.url("/portal/set-up/test"))
