"""The forms of the guide where new connections go through Codat: its key, its webhooks, bank feeds, enabling."""

from __future__ import annotations

from feedlane.errors import Invalid
from feedlane.settings import codat_keys, guide
from feedlane.settings import items as settings_items
from feedlane.settings.guide import UPSTREAM
from feedlane.upkeep.codat_checks import CodatAnswer, ask_codat
from feedlane.web.form_errors import Words
from feedlane.web.link import paths
from feedlane.web.portal.set_up import set_up_forms as forms
from feedlane.web.request import Request
from feedlane.web.site import Site

_WORDS = Words(
    # The access is Xero's, and this guide has no field for it.
    {**forms.WORDS.fields, "access": forms.WORDS.fields["bankFeeds"]},
    {
        **forms.WORDS.sentences,
        ("apiKey", "Required"): "Enter Codat’s API key.",
        ("webhookSecret", "Required"): "Enter the signing secret, as Codat’s portal shows it for the endpoint.",
        ("access", "BankFeeds"): (
            "One-off access was chosen for connections to Xero, and it excludes bank feeds. Choose continuous access "
            "in the settings, under “Access and partner status”."
        ),
        ("bankFeeds", "Keys"): "Codat can only be asked with its API key. Enter it in step 1.",
        ("bankFeeds", "Key"): "Codat does not accept the API key. Make a new one there, and enter it in step 1.",
        ("bankFeeds", "Integration"): (
            "Xero is not switched on at Codat, so your customers could not choose it. Switch it on in Codat’s portal: "
            "Settings, Integrations, Accounting."
        ),
        ("bankFeeds", "NoRedirect"): (
            "Codat has no redirect URL yet, so your customers would not come back. Set the one that step 2 shows."
        ),
        ("bankFeeds", "Redirect"): (
            "Codat’s redirect URL does not lead back to this deployment, or not with all that it needs. Set the one "
            "that step 2 shows, to the letter."
        ),
        ("enabled", "CodatKey"): "Enabling needs Codat’s API key. Enter it in step 1.",
    },
)


def _save_key(site: Site, request: Request) -> str:
    key = request.field("codat_key")
    if not key:
        raise Invalid.field("apiKey", "is required", "Required")
    _, check = codat_keys.change_key(site.ports, site.vault, site.clock(), key)
    return "codat-unchecked" if check.ok is None else "codat-key"


def _save_side(site: Site, request: Request) -> str:
    secret = request.field("codat_webhook_secret")
    if not secret:
        raise Invalid.field("webhookSecret", "is required", "Required")
    codat_keys.change_webhook_secret(site.ports, site.vault, site.clock(), secret)
    return "codat-side"


def _save_bank_feeds(site: Site, request: Request) -> str:
    granted = forms.save_bank_feeds(site, request, _is_ready)
    return {None: "off", True: "codat-granted", False: "codat-unasked"}[granted]


def _save_enabled(site: Site, request: Request) -> str:
    """Keys of an app at Xero do not help those who go through Codat."""
    switches_on = forms.entered_values(request, "enable")["enabled"]
    if switches_on and not settings_items.settings(site.store).codat.ending:
        raise Invalid.field("enabled", "needs Codat's API key", "CodatKey")
    return forms.save_enabled(site, request)


def _is_ready(site: Site, request: Request) -> bool:
    """Whether Codat says that a customer could connect. Raises `Invalid` if it says what keeps them from it."""
    settings = settings_items.settings(site.store)
    if not settings.codat.ending:
        raise Invalid.field("bankFeeds", "needs Codat's API key", "Keys")
    answer = ask_codat(settings, site.outside, paths.redirect_uri(request))
    guide.remember(site.store, codat_ready=answer.is_ready, codat_asked_on=site.clock())
    if fault := _fault(answer):
        raise Invalid.field("bankFeeds", "would not work at Codat", fault)
    return answer.is_ready is True


def _fault(answer: CodatAnswer) -> str:
    """The first thing that is missing there; empty if Codat names nothing."""
    if answer.accepts_key is False:
        return "Key"
    if answer.offers_xero is False:
        return "Integration"
    if answer.redirects_here is False:
        return "Redirect" if answer.redirect_url else "NoRedirect"
    return ""


CODAT = forms.Forms(
    _WORDS,
    {
        UPSTREAM: forms.save_upstream,
        "codat-key": _save_key,
        "codat-side": _save_side,
        "face": forms.save_face,
        "bank-feeds": _save_bank_feeds,
        "enable": _save_enabled,
    },
)
