"""The simulator's own pages for people, at `/` and under `/developer/`: they play Xero Developer.

Plain forms that work without scripts. Everything they show and do is what the control routes show and do.
"""

from __future__ import annotations

import secrets
from collections.abc import Awaitable, Callable
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any
from urllib.parse import parse_qs

from starlette.requests import Request
from starlette.responses import PlainTextResponse, RedirectResponse, Response
from starlette.routing import Route

from local.simulator import developer_forms as forms
from local.simulator import developer_pages as pages
from local.simulator.control_fields import ControlError
from local.simulator.developer_forms import Act, Filled, Notice
from local.simulator.html_pages import render
from local.simulator.state import Simulator

STYLES = (
    Path(__file__).resolve().parents[2] / "layers" / "feedlane" / "feedlane" / "web" / "templates" / "style.css",
    Path(__file__).parent / "pages" / "developer.css",
)
# Not in the simulator's state: a page that was asked for before a reset may still be shown after it.
_notices: dict[str, Notice] = {}
Page = Callable[[Simulator, Request], dict[str, Any]]


@dataclass(frozen=True)
class Returned:
    """A form that was refused: the page shows it again as it was filled in, with its error."""

    path: str = ""
    filled: Filled = field(default_factory=lambda: Filled({}))
    error: ControlError | None = None

    def value(self, path: str, name: str, default: Any) -> Any:
        return self.filled.text(name) if path == self.path else default

    def is_ticked(self, path: str, name: str, default: bool, value: str = "on") -> bool:
        return value in self.filled.texts(name) if path == self.path else default

    def error_of(self, path: str, name: str) -> str:
        is_it = self.error is not None and path == self.path and self.error.field == name
        return f"This {self.error.reason}." if is_it and self.error else ""


def routes() -> list[Route]:
    return [
        Route("/", _page("developer_home.html", pages.home)),
        Route("/favicon.ico", _nothing),
        Route("/developer/style.css", _style),
        *_forms("/", "developer_home.html", pages.home, {"/developer/reset": forms.reset}),
        *_forms(
            "/developer/app",
            "developer_app.html",
            pages.app,
            {
                "/developer/app/details": forms.set_details,
                "/developer/app/secrets": forms.generate_secret,
                "/developer/app/secrets/remove": forms.remove_secret,
                "/developer/app/redirects": forms.add_redirect,
                "/developer/app/redirects/remove": forms.remove_redirect,
                "/developer/app/access": forms.set_access,
            },
        ),
        *_forms(
            "/developer/organisations",
            "developer_organisations.html",
            pages.organisations,
            {
                "/developer/organisations/add": forms.add_organisation,
                "/developer/organisations/{id}": forms.change_organisation,
                "/developer/organisations/{id}/accounts": forms.archive_account,
                "/developer/organisations/{id}/disconnect": forms.disconnect,
                "/developer/feeds/{id}/end": forms.end_feed,
            },
        ),
        *_forms(
            "/developer/faults",
            "developer_faults.html",
            pages.faults,
            {
                "/developer/faults/add": forms.add_fault,
                "/developer/faults/clear": forms.clear_faults,
                "/developer/faults/reject": forms.reject_later,
                "/developer/faults/{id}/clear": forms.clear_fault,
            },
        ),
        *_forms(
            "/developer/behaviour",
            "developer_behaviour.html",
            pages.behaviour,
            {
                "/developer/behaviour/switches": forms.set_behaviour,
                "/developer/behaviour/timing": forms.set_timing,
                "/developer/behaviour/consent": forms.set_consent,
                "/developer/behaviour/clock": forms.advance_clock,
            },
        ),
        Route("/developer/received", _page("developer_received.html", pages.received)),
        Route("/developer/received/{id}", _page("developer_statement.html", pages.statement)),
        Route("/developer/calls", _page("developer_calls.html", pages.calls)),
    ]


def _forms(path: str, template: str, page: Page, acts: dict[str, Act]) -> list[Route]:
    """The page, and the addresses of its forms, each of which leads back to it."""
    shown = [] if path == "/" else [Route(path, _page(template, page))]
    answers = [
        Route(address, _form(path, template, page, act), methods=["GET", "POST"]) for address, act in acts.items()
    ]
    return [*shown, *answers]


def _page(template: str, page: Page) -> Callable[[Request], Awaitable[Response]]:
    async def serve(request: Request) -> Response:
        notice = _notices.pop(request.query_params.get("notice", ""), None)
        return _show(request, template, page, notice=notice)

    return serve


def _form(path: str, template: str, page: Page, act: Act) -> Callable[[Request], Awaitable[Response]]:
    async def serve(request: Request) -> Response:
        if request.method != "POST":
            # A refused form has its own address, at which someone may load the page again.
            return RedirectResponse(path, 303)
        if request.headers.get("sec-fetch-site", "same-origin") not in ("same-origin", "none"):
            return PlainTextResponse("This form was sent from another site.\n", 403)
        body = (await request.body()).decode("utf-8", "replace")
        filled = Filled(parse_qs(body, keep_blank_values=True), request.path_params.get("id", ""))
        try:
            notice = act(request.app.state.simulator, filled)
        except ControlError as error:
            return _show(request, template, page, Returned(request.url.path, filled, error))
        token = secrets.token_urlsafe(9)
        _notices[token] = notice
        return RedirectResponse(f"{path}?notice={token}", 303)

    return serve


def _show(
    request: Request, template: str, page: Page, returned: Returned | None = None, notice: Notice | None = None
) -> Response:
    returned = returned or Returned()
    sim: Simulator = request.app.state.simulator
    try:
        facts = page(sim, request)
    except ControlError as error:
        return render("developer_missing.html", error.status, reason=error.reason, here="")
    status = 200 if returned.error is None else max(returned.error.status, 400)
    answer = render(template, status, returned=returned, notice=notice, **facts)
    answer.headers["Cache-Control"] = "no-store"
    return answer


async def _style(_request: Request) -> Response:
    """Feedlane's own style, with colours of another house, so that nobody takes the one for the other."""
    content = "\n".join(path.read_text() for path in STYLES)
    return Response(content, media_type="text/css", headers={"Cache-Control": "max-age=60"})


async def _nothing(_request: Request) -> Response:
    return Response(status_code=204)
