"""Try it with a test company: its pages in the portal."""

from __future__ import annotations

from collections.abc import Sequence

from feedlane.companies.page_links import connection_link
from feedlane.errors import Conflict, FeedlaneError, Invalid, NotFound, ReconnectionNeeded, Refused, Unavailable
from feedlane.link import passwords as link_passwords
from feedlane.settings import items as settings_items
from feedlane.settings.settings import Settings
from feedlane.upkeep import trial
from feedlane.upkeep.trial import Progress
from feedlane.web.form_errors import FormError, Words, form_errors, whole_form
from feedlane.web.portal.session import Operator, portal_page, require_operator
from feedlane.web.request import Request
from feedlane.web.response import Response, see_other
from feedlane.web.site import Site

PATH = "/portal/set-up/try"
_WORDS = Words(
    {"currency": ("currency", "Currency")},
    {("currency", "Currency"): "Enter the currency as three capital letters, such as GBP."},
)
_DONE_MESSAGES = {
    "made": "The test company is there. Send its link to yourself.",
    "removed": "The test company is removed. What it sent to Xero stays there: delete it in Xero.",
}
_NOT_REMOVED = (
    "{place} or a part of Feedlane cannot be reached, so the connection could not be ended. Try again in a minute."
)


def show(site: Site, request: Request) -> Response:
    operator = require_operator(site, request)
    return _page(site, request, operator, done=_DONE_MESSAGES.get(request.query.get("done", ""), ""))


def begin(site: Site, request: Request) -> Response:
    operator = require_operator(site, request)
    try:
        trial.begin(site.ports, site.clock(), request.field("currency"))
    except Invalid as error:
        return _page(site, request, operator, form_errors(error, _WORDS), 422)
    return see_other(request.url(f"{PATH}?done=made"))


def new_link(site: Site, request: Request) -> Response:
    """A link with a one-time password: it is only shown now."""
    operator = require_operator(site, request)
    progress = trial.find(site.store)
    if progress is None:
        raise NotFound("test company", trial.COMPANY_NAME)
    connection = progress.connection
    issued = link_passwords.issue_connection_passwords(site.store, site.clock(), site.new_secret, [connection])
    return _page(site, request, operator, password=issued[connection.id])


def send(site: Site, request: Request) -> Response:
    operator = require_operator(site, request)
    try:
        trial.send(site.ports, site.clock())
    except Refused as error:
        return _page(site, request, operator, whole_form(f"It was refused: {error.problem.detail}"), 422)
    except (Conflict, Invalid, NotFound, ReconnectionNeeded) as error:
        return _page(site, request, operator, whole_form(_sentence(error)), 409)
    return see_other(request.url(PATH))


def remove(site: Site, request: Request) -> Response:
    operator = require_operator(site, request)
    try:
        trial.remove(site.ports, site.upstream, site.disconnect, site.clock())
    except Unavailable:
        place = _place(settings_items.settings(site.store), trial.find(site.store))
        return _page(site, request, operator, whole_form(_NOT_REMOVED.format(place=place)), 503)
    return see_other(request.url(f"{PATH}?done=removed"))


def _place(settings: Settings, progress: Progress | None) -> str:
    """Where its customer consents: it keeps the way that it was made for."""
    is_direct = progress.connection.is_direct if progress else settings.is_direct
    return "Xero" if is_direct else "Codat"


def _sentence(error: FeedlaneError) -> str:
    return f"{str(error).rstrip('.')}."


def _page(
    site: Site,
    request: Request,
    operator: Operator,
    errors: Sequence[FormError] = (),
    status: int = 200,
    done: str = "",
    password: str = "",
) -> Response:
    settings, progress = settings_items.settings(site.store), trial.find(site.store)
    return portal_page(
        site,
        operator,
        "set_up/trial",
        status,
        title="Try it with a test company",
        section="set-up",
        settings=settings,
        progress=progress,
        place=_place(settings, progress),
        account_name=trial.ACCOUNT_NAME,
        link=_link(request, progress, settings.link_passwords, password),
        has_password=bool(password),
        currency=request.field("currency") or "GBP",
        done=done,
        errors=errors,
    )


def _link(request: Request, progress: Progress | None, needs_password: bool, password: str) -> str:
    """Empty if only the button makes one."""
    if progress is None or (needs_password and not password):
        return ""
    connection = progress.connection
    return connection_link(request.base_url, connection.company_id, connection.id, password)
