"""The portal's settings: a page for each section, saved on its own."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from typing import Any

from feedlane.errors import AppKeysRejected, Invalid, Unavailable
from feedlane.settings import changes as settings_changes
from feedlane.settings import items as settings_items
from feedlane.settings.settings import Settings
from feedlane.store.table import ConditionFailed
from feedlane.web.error_pages import NoSuchPage
from feedlane.web.form_errors import FormError, form_errors, whole_form
from feedlane.web.link import paths
from feedlane.web.portal.session import Operator, portal_page, require_operator
from feedlane.web.portal.settings import bank_feeds, codat_keys, xero_keys
from feedlane.web.portal.settings.settings_sections import (
    APP,
    SECTIONS,
    WORDS,
    Section,
    changes_in,
    shown_before,
    states,
)
from feedlane.web.portal.troubles import troubles
from feedlane.web.request import Request
from feedlane.web.response import Response, see_other
from feedlane.web.site import Site

_DONE = {
    "yes": "Saved.",
    "unchecked": "Saved.",
    "granted": "Saved. Bank feeds are on: Xero grants your app their scope.",
    "unasked": "Saved. Bank feeds are on.",
    "dropped": "It has been removed. The other one is in use.",
}
_WARNINGS = {
    ("app", "unchecked"): "The keys were saved, but Xero could not be reached to check them.",
    ("codat", "unchecked"): "The key was saved, but Codat could not be reached to check it.",
    ("access", "unasked"): (
        "Xero did not say whether it grants your app their scope. The test of the integration asks again."
    ),
}
_UNAVAILABLE = "The settings could not be saved. Please try again in a minute."
# How the sections with keys save those: whether they could not be checked.
_SAVES_KEYS: Mapping[str, Callable[[Site, Request], bool]] = {"app": xero_keys.save, "codat": codat_keys.save}
_DROPS_KEYS: Mapping[str, Callable[[Site, str], None]] = {"app": xero_keys.drop, "codat": codat_keys.drop}


def show(site: Site, request: Request) -> Response:
    """The first section."""
    return show_section(site, request, APP.name)


def show_section(site: Site, request: Request, section: str) -> Response:
    operator = require_operator(site, request)
    shown = _known(section)
    return _page(site, request, operator, shown, request.form, saved=request.query.get("saved", ""))


def save(site: Site, request: Request, section: str) -> Response:
    """Saves one section. Whatever another operator saves of the others at the same time stays."""
    operator, saved = require_operator(site, request), _known(section)
    try:
        outcome = _save(site, request, saved)
    except Invalid as error:
        return _page(site, request, operator, saved, request.form, _errors(error, saved), 422)
    except (Unavailable, AppKeysRejected):
        why = xero_keys.UNAVAILABLE if saved.secrets else _UNAVAILABLE
        return _page(site, request, operator, saved, request.form, whole_form(why), 503)
    except ConditionFailed as error:
        return _page(site, request, operator, saved, request.form, *troubles(error))
    return see_other(request.url(f"{saved.path}?saved={outcome}"))


def drop_secret(site: Site, request: Request, section: str) -> Response:
    """Removes one of two secrets or keys, if the other one is accepted."""
    operator, shown = require_operator(site, request), _known(section)
    if shown.name not in _DROPS_KEYS:
        raise NoSuchPage
    try:
        _DROPS_KEYS[shown.name](site, request.field("which"))
    except Invalid as error:
        return _page(site, request, operator, shown, {}, _errors(error, shown), 422)
    except (Unavailable, AppKeysRejected):
        return _page(site, request, operator, shown, {}, whole_form(xero_keys.UNAVAILABLE), 503)
    except ConditionFailed as error:
        return _page(site, request, operator, shown, {}, *troubles(error))
    return see_other(request.url(f"{shown.path}?saved=dropped"))


def _known(name: str) -> Section:
    if name not in SECTIONS:
        raise NoSuchPage
    return SECTIONS[name]


def _save(site: Site, request: Request, section: Section) -> str:
    """What came of it, one of `_DONE`. Raises `Invalid` with all that is wrong of the section's settings, or its keys.

    Keys first: they decide whether the integration can be enabled. But a form that breaks a rule has saved none.
    """
    changes, outcome, saves_keys = _changes(request, section), "yes", _SAVES_KEYS.get(section.name)
    broken = settings_changes.rules_broken_by(site.ports, changes)
    if saves_keys is not None:
        broken = [one for one in broken if one.validator != "Keys"]
    if broken:
        raise Invalid("The settings were not saved", broken)
    if saves_keys is not None and saves_keys(site, request):
        outcome = "unchecked"
    before = settings_items.settings(site.store)
    if changes.get("bank_feeds") and not before.bank_feeds and before.asks_xero:
        outcome = "granted" if bank_feeds.ask_xero(site, request) else "unasked"
    settings_changes.change_settings(site.ports, site.clock(), changes)
    return outcome


def _changes(request: Request, section: Section) -> dict[str, Any]:
    """Without a redirect URI of its own, the deployment keeps its default, also when its address changes."""
    changes = changes_in(section, request)
    if changes.get("redirect_uri") == paths.redirect_uri(request):
        changes["redirect_uri"] = ""
    return changes


def _errors(error: Invalid, section: Section) -> list[FormError]:
    """Of what another section is to blame for, the page says where it is."""
    return [_placed(one, section) for one in form_errors(error, WORDS)]


def _placed(error: FormError, section: Section) -> FormError:
    for other in SECTIONS.values():
        if other is not section and error.field in other.fields:
            return FormError("", f"{error.sentence} It is under “{other.title}”.")
    return error


def _page(
    site: Site,
    request: Request,
    operator: Operator,
    section: Section,
    form: Mapping[str, Any],
    errors: Sequence[FormError] = (),
    status: int = 200,
    saved: str = "",
) -> Response:
    """`form` is what was entered; empty: the page shows what is stored."""
    settings = settings_items.settings(site.store)
    stored = _stored_values(request, settings)
    return portal_page(
        site,
        operator,
        "settings/settings",
        status,
        title=f"{section.title} · Settings",
        section="settings",
        shown=section,
        sections=[(one, states(settings)[one.name]) for one in SECTIONS.values()],
        entered=stored | (_entered_values(request, section) if form else {}),
        was=shown_before(section, request, stored),
        connection_limits=settings_changes.CONNECTION_LIMITS,
        done=_DONE.get(saved, ""),
        warning=_WARNINGS.get((section.name, saved), ""),
        **xero_keys.shown(settings),
        **codat_keys.shown(settings),
        developer_url=site.developer_url,
        errors=errors,
    )


def _stored_values(request: Request, settings: Settings) -> dict[str, Any]:
    numbers = {name: str(getattr(settings, name)) for one in SECTIONS.values() for name in one.numbers}
    return settings.model_dump() | numbers | {"redirect_uri": paths.redirect_uri(request, settings), "client_id": ""}


def _entered_values(request: Request, section: Section) -> dict[str, Any]:
    """As `changes_in`, but as texts, and with the client id."""
    names = (*section.texts, *section.numbers, *section.secrets)
    texts = {name: request.field(name) for name in names if name in request.form}
    return texts | {name: request.field(name) == "yes" for name in section.switches}
