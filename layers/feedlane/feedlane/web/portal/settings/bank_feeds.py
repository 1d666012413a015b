"""Xero is asked before bank feeds are switched on, in the set-up guide and among the settings."""

from __future__ import annotations

from feedlane.credentials.authorization import Verdict
from feedlane.errors import Invalid
from feedlane.settings import guide
from feedlane.settings import items as settings_items
from feedlane.settings.settings import Access
from feedlane.upkeep.xero_checks import ask_about_bank_feeds
from feedlane.web.link import paths
from feedlane.web.request import Request
from feedlane.web.site import Site

# What Xero's answer means. The guide says of some in which of its steps they are mended.
SENTENCES = {
    ("bankFeeds", "Keys"): "Xero can only be asked with the app’s client id. Enter the keys under “Xero app”.",
    ("bankFeeds", Verdict.WRONG_SCOPE): (
        "Xero does not grant your app the scope bankfeeds. Ask Xero for access to the Bank Feeds API for this app, "
        "then switch it on."
    ),
    ("bankFeeds", "Scopes"): (
        "Xero does not grant your app the scopes that every connection needs. Check that it is of the type Web app."
    ),
    ("bankFeeds", Verdict.WRONG_REDIRECT): (
        "The redirect URI is not registered with the Xero app, and Xero looks at it before the scopes. Register the "
        "one under “Xero app” first."
    ),
    ("bankFeeds", Verdict.WRONG_CLIENT): "Xero does not know the client id. Check the keys under “Xero app”.",
}


def ask_xero(site: Site, request: Request) -> bool:
    """Whether Xero says that it grants what bank feeds need. Raises `Invalid` if it says that it does not."""
    settings = settings_items.settings(site.store)
    if not settings.has_keys:
        raise Invalid.field("bankFeeds", "needs the app's keys", "Keys")
    redirect_uri = paths.redirect_uri(request, settings)
    answer = ask_about_bank_feeds(site.outside, settings, redirect_uri)
    guide.remember(site.store, bank_feeds_granted=answer.is_granted, bank_feeds_asked_on=site.clock())
    if answer.verdict in (Verdict.ACCEPTED, Verdict.UNKNOWN):
        return answer.verdict is Verdict.ACCEPTED
    validator = str(answer.verdict)
    if answer.verdict is Verdict.WRONG_SCOPE:
        without = settings.but(bank_feeds=False, access=Access.CONTINUOUS).scopes
        others = site.outside.ask_xero(settings.client_id, redirect_uri, without)
        validator = validator if others.verdict is Verdict.ACCEPTED else "Scopes"
    raise Invalid.field("bankFeeds", "is not granted by Xero", validator)
