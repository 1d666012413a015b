"""The form that adds a source account to a connection."""

from __future__ import annotations

import re
from collections.abc import Sequence
from decimal import Decimal
from typing import Any

from feedlane.companies import items as company_items
from feedlane.companies import source_accounts
from feedlane.companies.connection import Connection
from feedlane.errors import Invalid, require_all
from feedlane.money import amount
from feedlane.web.form_errors import FormError, Words, form_errors
from feedlane.web.portal.feeds.feeds import feed_path
from feedlane.web.portal.session import Operator, portal_page, require_operator
from feedlane.web.request import Request
from feedlane.web.response import Response, see_other
from feedlane.web.site import Site

# The kinds of accounts, by the words of Codat's second vocabulary.
TYPES = {
    "checking": "Current account",
    "savings": "Savings account",
    "creditCard": "Credit card",
    "prepaidCard": "Prepaid card",
    "loan": "Loan",
}
_FIELDS = ("id", "name", "type", "number", "sort_code", "currency", "balance")
_THOUSANDS = re.compile(r"[+-]?\d{1,3}(,\d{3})+(\.\d*)?")
_WORDS = Words(
    {
        "id": ("id", "Account id"),
        "accountName": ("name", "Name"),
        "accountType": ("type", "Kind"),
        "accountNumber": ("number", "Account number"),
        "currency": ("currency", "Currency"),
        "balance": ("balance", "Balance at the start"),
    },
    {
        ("accountName", "Length"): "Enter a name of 1 to 255 characters.",
        ("accountType", "Enum"): "Choose the kind of account.",
        ("accountNumber", "Length"): "Enter an account number of 1 to 40 characters.",
        ("currency", "Currency"): "Enter a currency as three capital letters, such as GBP.",
        ("balance", "Money"): "Enter the balance as a number, such as 1250.00 or -80.5.",
    },
)


def show(site: Site, request: Request, company_id: str, connection_id: str) -> Response:
    operator = require_operator(site, request)
    connection = company_items.connection(site.store, company_id, connection_id)
    entered = {name: request.field(name) for name in _FIELDS}
    if not request.form and connection.tenant:
        entered["currency"] = connection.tenant.base_currency
    return _page(site, operator, connection, entered)


def add(site: Site, request: Request, company_id: str, connection_id: str) -> Response:
    """Without an id, the account gets one. Its page shows both ids that a producer needs."""
    operator = require_operator(site, request)
    connection = company_items.connection(site.store, company_id, connection_id)
    entered = {name: request.field(name) for name in _FIELDS}
    fields: dict[str, Any] = {
        "id": entered["id"] or site.ports.new_id(),
        "account_name": entered["name"],
        "account_type": entered["type"],
        "account_number": entered["number"],
        "currency": entered["currency"].upper(),
    }
    try:
        require_all(lambda: source_accounts.check(**fields), lambda: _balance(entered["balance"]))
        account = source_accounts.create(
            site.store, site.clock(), connection, **fields, balance=_balance(entered["balance"]),
            sort_code=entered["sort_code"] or None, given={},
        )  # fmt: skip
    except Invalid as error:
        return _page(site, operator, connection, entered, form_errors(error, _WORDS), 422)
    return see_other(request.url(f"{feed_path(connection.id, account.id)}?done=added"))


def _balance(text: str) -> Decimal:
    """Nothing is no money. Raises `Invalid`, also for a decimal comma: without it, 1,50 would be 150."""
    if _THOUSANDS.fullmatch(text):
        text = text.replace(",", "")
    try:
        return amount(text) if text else Decimal(0)
    except ValueError as error:
        raise Invalid.field("balance", str(error), "Money") from None


def _page(
    site: Site,
    operator: Operator,
    connection: Connection,
    entered: dict[str, str],
    errors: Sequence[FormError] = (),
    status: int = 200,
) -> Response:
    return portal_page(
        site,
        operator,
        "companies/account_form",
        status,
        title="Add a source account",
        section="companies",
        company=company_items.company(site.store, connection.company_id),
        connection=connection,
        entered=entered,
        types=TYPES,
        errors=errors,
    )
