"""The routes of the `link` and `oauth_callback` functions."""

from __future__ import annotations

from feedlane.web import link_accounts, link_callback, link_end, link_start
from feedlane.web.cookies import CALLBACK_PATH
from feedlane.web.routing import Route

_CONNECTION = "/link/companies/{company_id}/connections/{connection_id}"

LINK = (
    Route("GET", "/link/company/{company_id}", link_start.company_page),
    Route("POST", "/link/company/{company_id}", link_start.first_connection),
    Route("GET", f"{_CONNECTION}/start", link_start.start),
    Route("GET", f"{_CONNECTION}/organisation", link_end.organisations),
    Route("POST", f"{_CONNECTION}/organisation", link_end.choose),
    Route("GET", f"{_CONNECTION}/accounts", link_accounts.show),
    Route("POST", f"{_CONNECTION}/accounts", link_accounts.change),
    Route("GET", f"{_CONNECTION}/finish", link_end.finish),
)
CALLBACK = (Route("GET", CALLBACK_PATH, link_callback.callback),)
