"""Certification: Xero's checkpoints against this deployment, as a page and as files for the review form."""

from __future__ import annotations

import json
from collections.abc import Sequence

from feedlane.clock import iso
from feedlane.upkeep import certification
from feedlane.upkeep.certification import Checkpoint, Facts, Verdict
from feedlane.web.portal.session import portal_page, require_operator
from feedlane.web.portal.states import State, Tone
from feedlane.web.request import Request
from feedlane.web.response import Response, download
from feedlane.web.site import Site

_PILLS = {
    Verdict.SHOWN: State("shown", "shown", Tone.GOOD),
    Verdict.MISSING: State("missing", "something is missing", Tone.BAD),
    Verdict.BY_HAND: State("by-hand", "attach something", Tone.WARN),
}


def show(site: Site, request: Request) -> Response:
    operator = require_operator(site, request)
    checkpoints = certification.checkpoints(certification.facts(site.store, site.clock()))
    return portal_page(
        site,
        operator,
        "set_up/certification",
        title="Certification",
        section="set-up",
        checkpoints=checkpoints,
        pills=_PILLS,
        shown=sum(point.verdict is not Verdict.MISSING for point in checkpoints),
    )


def as_json(site: Site, request: Request) -> Response:
    require_operator(site, request)
    facts = certification.facts(site.store, site.clock())
    content = {
        "made": iso(facts.now),
        "deployment": site.public_url,
        "appName": facts.settings.app_name,
        "checkpoints": [
            {
                "number": point.number,
                "title": point.title,
                "asks": point.asks,
                "verdict": point.verdict,
                "evidence": point.evidence,
                "missing": point.missing,
                "attach": point.attach,
            }
            for point in certification.checkpoints(facts)
        ],
    }
    text = json.dumps(content, indent=2, ensure_ascii=False) + "\n"
    return download(text, "application/json", "xero-certification.json")


def as_text(site: Site, request: Request) -> Response:
    require_operator(site, request)
    facts = certification.facts(site.store, site.clock())
    text = _text(site.public_url, facts, certification.checkpoints(facts))
    return download(text, "text/plain", "xero-certification.txt")


def _text(deployment: str, facts: Facts, checkpoints: Sequence[Checkpoint]) -> str:
    lines = [
        f"{facts.settings.app_name or 'The app'}: Xero's checkpoints for bank feeds",
        f"{deployment}, {iso(facts.now)}",
    ]
    for point in checkpoints:
        lines += ["", f"{point.number}. {point.title}: {point.verdict}", f"   {point.asks}"]
        for heading, listed in (("Evidence", point.evidence), ("Missing", point.missing), ("Attach", point.attach)):
            lines += [f"   {heading}: {line}" for line in listed]
    return "\n".join(lines) + "\n"
