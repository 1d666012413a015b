"""The address that Xero sends people to who look for the platform among the banks: it leads to the platform's sign-in.

Xero cannot say which company they are, and neither can their browser. So nothing is passed on that would have to be
believed: whoever signs in at the platform is known there, and the platform leads them to the link of their own company.
"""

from __future__ import annotations

from urllib.parse import parse_qsl, urlencode, urlsplit, urlunsplit

from feedlane.settings import items as settings_items
from feedlane.web.error_pages import explained
from feedlane.web.link.language import customer_language
from feedlane.web.request import Request
from feedlane.web.response import Response, redirect
from feedlane.web.site import Site

SOURCE = "xero"


def arrive(site: Site, request: Request) -> Response:
    """Leads to the sign-in URL of the profile, with where they come from and their language. Raises `ErrorPage`."""
    profile = settings_items.profile(site.store)
    if not profile.sign_in_url:
        raise explained(404, "start-at-platform", name=profile.name)
    return redirect(_with(profile.sign_in_url, {"source": SOURCE, "lang": customer_language(request)}))


def _with(url: str, parameters: dict[str, str]) -> str:
    """The URL with these parameters, in the place of its own of the same names."""
    parts = urlsplit(url)
    own = [pair for pair in parse_qsl(parts.query, keep_blank_values=True) if pair[0] not in parameters]
    return urlunsplit(parts._replace(query=urlencode([*own, *parameters.items()])))
