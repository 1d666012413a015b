"""The pages that only say something: what will be there, and how to do it today."""

from __future__ import annotations

import shlex
from decimal import Decimal

from feedlane.settings import items as settings_items
from feedlane.web.portal.laid_out import laid_out
from feedlane.web.portal.session import portal_page, require_operator
from feedlane.web.request import Request
from feedlane.web.response import Response, see_other, static
from feedlane.web.site import Site
from feedlane.web.templates import ICON

_CURL = """\
curl -X POST {url}/companies/COMPANY_ID/connections/CONNECTION_ID/push/bankAccounts/ACCOUNT_ID/bankTransactions \\
  -H "Authorization: Basic $(printf %s "$API_KEY" | base64)" \\
  -H 'Content-Type: application/json' \\
  -d '{body}'
"""


def home(site: Site, request: Request) -> Response:
    """The address without a path: what an operator types."""
    return see_other(request.url("/portal"))


def icon(site: Site, request: Request) -> Response:
    return static(ICON, "image/svg+xml")


def push_command(company_id: str, connection_id: str, account_id: str) -> str:
    """What pushes a file to the feed, but for the address and the key, which are in the environment."""
    ids = (f"--company {company_id}", f"--connection {connection_id}", f"--account {shlex.quote(account_id)}")
    return " ".join(("python -m cli push transactions.csv", *ids))


def files(site: Site, request: Request) -> Response:
    """Samples of what a producer sends instead."""
    operator = require_operator(site, request)
    today = site.clock().date().isoformat()
    line = {
        "id": "tx-1",
        "date": today,
        "amount": Decimal("-12.50"),
        "balance": Decimal("87.50"),
        "description": "Card purchase",
    }
    ids = {"companyId": "COMPANY_ID", "connectionId": "CONNECTION_ID", "accountId": "ACCOUNT_ID"}
    pushed = {"accountId": ids["accountId"], "transactions": [line]}
    return portal_page(
        site,
        operator,
        "files",
        title="Files",
        section="files",
        command=push_command(*ids.values()) + " --check",
        curl=_CURL.format(url=site.ports.public_url, body=laid_out(pushed)),
        message=laid_out({"version": 1, **ids, "transactions": [line]}),
    )


def api_keys(site: Site, request: Request) -> Response:
    operator = require_operator(site, request)
    keys = sorted(settings_items.api_keys(site.store), key=lambda key: key.created)
    return portal_page(site, operator, "settings/keys", title="Keys", section="keys", keys=keys)
