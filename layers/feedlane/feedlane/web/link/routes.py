"""The routes of the `link` and `oauth_callback` functions."""

from __future__ import annotations

from feedlane.settings.changes import CALLBACK_PATH
from feedlane.web.link import accounts as link_accounts
from feedlane.web.link import callback as link_callback
from feedlane.web.link import codat_webhooks
from feedlane.web.link import finish as link_finish
from feedlane.web.link import start as link_start
from feedlane.web.routing import Route

CODAT_WEBHOOKS_PATH = "/codat/webhooks"
_CONNECTION = "/link/companies/{company_id}/connections/{connection_id}"

LINK = (
    Route("GET", "/link/company/{company_id}", link_start.company_page),
    Route("POST", "/link/company/{company_id}", link_start.first_connection),
    Route("GET", f"{_CONNECTION}/start", link_start.start),
    Route("GET", f"{_CONNECTION}/organisation", link_finish.organisations),
    Route("POST", f"{_CONNECTION}/organisation", link_finish.choose),
    Route("GET", f"{_CONNECTION}/accounts", link_accounts.show),
    Route("POST", f"{_CONNECTION}/accounts", link_accounts.change),
    Route("GET", f"{_CONNECTION}/finish", link_finish.finish),
)
CALLBACK = (
    Route("GET", CALLBACK_PATH, link_callback.callback),
    Route("POST", CODAT_WEBHOOKS_PATH, codat_webhooks.receive),
)
