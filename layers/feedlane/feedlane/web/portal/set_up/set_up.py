"""The set-up guide: its steps, each with what Xero or Codat asks for and what to enter. Facts say which are done."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from feedlane.companies import connection_limit
from feedlane.companies.hosted_link import redirect_template
from feedlane.errors import AppKeysRejected, Invalid, Unavailable
from feedlane.settings import app_keys, codat_keys, guide
from feedlane.settings import changes as settings_changes
from feedlane.settings import items as settings_items
from feedlane.settings.guide import Step
from feedlane.settings.settings import Settings, limit_of
from feedlane.settings.shapes import masked
from feedlane.store.table import ConditionFailed
from feedlane.upkeep import self_test
from feedlane.web.error_pages import NoSuchPage
from feedlane.web.form_errors import FormError, form_errors, whole_form
from feedlane.web.link import paths
from feedlane.web.portal.session import Operator, portal_page, require_operator
from feedlane.web.portal.set_up import codat_forms
from feedlane.web.portal.set_up import set_up_forms as forms
from feedlane.web.portal.set_up.set_up_forms import Forms
from feedlane.web.portal.settings import codat_keys as codat_key_fields
from feedlane.web.portal.settings import xero_keys
from feedlane.web.portal.troubles import troubles
from feedlane.web.request import Request
from feedlane.web.response import Response, see_other
from feedlane.web.site import Site

_SAVED_MESSAGES = {
    "app": "The app’s name and address are saved.",
    "keys": "Xero knows these keys. They are saved.",
    "access": "The access is saved.",
    "face": "Your name and look are saved.",
    "granted": "Bank feeds are on: Xero grants your app their scope.",
    "unasked": "Bank feeds are on.",
    "off": "Bank feeds are off.",
    "partner": "The partner status is saved.",
    "enabled": "The integration is enabled. Now test it.",
    "disabled": "The integration is disabled: customers cannot connect, and nothing is sent.",
    "xero": "New connections go straight to Xero. Existing ones keep their way.",
    "codat": "New connections go through Codat. Existing ones keep their way.",
    "codat-key": "Codat accepts this key. It is saved.",
    "codat-side": "The secret of Codat’s webhooks is saved.",
    "codat-granted": "Bank feeds are on: Xero is switched on at Codat, and customers come back here.",
    "codat-unasked": "Bank feeds are on.",
}
_WARNINGS = {
    "unnamed": "Your look is saved. The name is still Feedlane: enter your platform’s, and this step is done.",
    "unchecked": "The keys are saved, but Xero could not be reached to check them. Test the integration in a while.",
    "unasked": "Xero did not say whether it grants your app their scope. The test of the integration asks again.",
    "xero-unkeyed": (
        "New connections go straight to Xero, and cannot connect until the keys of your Xero app are entered."
    ),
    "codat-unkeyed": "New connections go through Codat, and cannot connect until its API key is entered.",
    "codat-unchecked": (
        "The key is saved, but Codat could not be reached to check it. Test the integration in a while."
    ),
    "codat-unasked": (
        "Codat did not answer whether your customers could connect. The test of the integration asks again."
    ),
    "elsewhere": (
        "Nothing was saved: that step is not one of these. Somebody has chosen another way to Xero meanwhile, or you "
        "came by an old link."
    ),
}


def show(site: Site, request: Request) -> Response:
    return _page(site, request, require_operator(site, request), "", saved=request.query.get("saved", ""))


def show_step(site: Site, request: Request, step: str) -> Response:
    operator = require_operator(site, request)
    if _known(step) not in _forms(settings_items.settings(site.store)).saves:
        return _elsewhere(request)
    return _page(site, request, operator, step)


def save_step(site: Site, request: Request, step: str) -> Response:
    operator = require_operator(site, request)
    listed = _forms(settings_items.settings(site.store))
    if _known(step) not in listed.saves:
        return _elsewhere(request)
    try:
        saved = listed.saves[step](site, request)
    except Invalid as error:
        return _page(site, request, operator, step, form_errors(error, listed.words), 422)
    except (Unavailable, AppKeysRejected):
        return _page(site, request, operator, step, whole_form(xero_keys.UNAVAILABLE), 503)
    except ConditionFailed as error:
        return _page(site, request, operator, step, *troubles(error))
    return see_other(request.url(f"/portal/set-up?saved={saved}"))


def current_steps(site: Site) -> list[Step]:
    """The steps of the guide as they stand. A bounded number of reads."""
    store, settings = site.store, settings_items.settings(site.store)
    rejected = app_keys.rejected_keys_holds if settings.is_direct else codat_keys.rejected_key_holds
    return guide.steps(
        settings,
        settings_items.profile(store),
        guide.guide(store),
        bool(rejected(store)),
        _has_passed(site, settings),
    )


def _forms(settings: Settings) -> Forms:
    return forms.XERO if settings.is_direct else codat_forms.CODAT


def _elsewhere(request: Request) -> Response:
    return see_other(request.url("/portal/set-up?saved=elsewhere"))


def _has_passed(site: Site, settings: Settings) -> bool | None:
    """A test of another way to Xero says nothing about this one."""
    test = self_test.last_test(site.store)
    if test is None or test.upstream != settings.upstream:
        return None
    entries = self_test.results(site.store, test, site.clock())
    return self_test.has_passed(entries) if self_test.is_over(entries) else None


def _known(step: str) -> str:
    if step not in guide.STEP_NAMES:
        raise NoSuchPage
    return step


def _page(
    site: Site,
    request: Request,
    operator: Operator,
    opened: str,
    errors: Sequence[FormError] = (),
    status: int = 200,
    saved: str = "",
) -> Response:
    """`opened`: the step that is open; without one it is the next."""
    settings, profile = settings_items.settings(site.store), settings_items.profile(site.store)
    steps = current_steps(site)
    next_step = guide.next_step(steps)
    entered: dict[str, Any] = forms.stored_values(settings, profile)
    if request.form and opened:
        entered |= forms.entered_values(request, opened)
    return portal_page(
        site,
        operator,
        "set_up/set_up",
        status,
        title="Set-up",
        section="set-up",
        steps=steps,
        done_count=sum(step.is_done for step in steps),
        next_step=next_step,
        opened=opened or (next_step.name if next_step else ""),
        # At the very beginning the choice comes first.
        is_choosing=opened == guide.UPSTREAM or not (opened or settings.is_startable),
        entered=entered,
        guide=guide.guide(site.store),
        settings=settings,
        redirect_uri=paths.redirect_uri(request, settings),
        masked_id=masked(settings.client_id[-4:]) or "",
        masked_secret=masked(settings.client_secret_ending) or "",
        redirect_url=redirect_template(paths.redirect_uri(request)),
        webhook_url=request.url(paths.CODAT_WEBHOOKS_PATH),
        **codat_key_fields.shown(settings),
        limit=limit_of(settings),
        connection_limits=settings_changes.CONNECTION_LIMITS,
        used=connection_limit.taken_places(site.store),
        developer_url=site.developer_url,
        has_simulator=site.has_simulator,
        done=_SAVED_MESSAGES.get(saved, ""),
        warning=_WARNINGS.get(saved, ""),
        errors=errors,
    )
