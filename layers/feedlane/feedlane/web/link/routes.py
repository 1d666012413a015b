"""The routes of the `link` and `oauth_callback` functions."""

from __future__ import annotations

from feedlane.settings.changes import CALLBACK_PATH
from feedlane.web.link import accounts as link_accounts
from feedlane.web.link import callback as link_callback
from feedlane.web.link import codat_webhooks, disconnecting, from_xero
from feedlane.web.link import company as link_company
from feedlane.web.link import finish as link_finish
from feedlane.web.link import start as link_start
from feedlane.web.link.paths import CODAT_WEBHOOKS_PATH
from feedlane.web.routing import Route

_CONNECTION = "/link/companies/{company_id}/connections/{connection_id}"

LINK = (
    Route("GET", "/link/from-xero", from_xero.arrive),
    Route("GET", "/link/company/{company_id}", link_company.show),
    Route("POST", "/link/company/{company_id}", link_company.first_connection),
    Route("GET", f"{_CONNECTION}/start", link_start.start),
    Route("GET", f"{_CONNECTION}/organisation", link_finish.organisations),
    Route("POST", f"{_CONNECTION}/organisation", link_finish.choose),
    Route("GET", f"{_CONNECTION}/accounts", link_accounts.show),
    Route("POST", f"{_CONNECTION}/accounts", link_accounts.connect),
    Route("GET", f"{_CONNECTION}/accounts/disconnect", disconnecting.ask_about_account),
    Route("POST", f"{_CONNECTION}/accounts/disconnect", disconnecting.disconnect_account),
    Route("GET", f"{_CONNECTION}/disconnect", disconnecting.ask_about_connection),
    Route("POST", f"{_CONNECTION}/disconnect", disconnecting.disconnect_connection),
    Route("GET", f"{_CONNECTION}/finish", link_finish.finish),
)
CALLBACK = (
    Route("GET", CALLBACK_PATH, link_callback.callback),
    Route("POST", CODAT_WEBHOOKS_PATH, codat_webhooks.receive),
)
