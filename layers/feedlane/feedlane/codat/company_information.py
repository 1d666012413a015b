"""What the connected organisation is, in Codat's JSON."""

from __future__ import annotations

from typing import Any

from feedlane.connection import Connection
from feedlane.errors import Invalid


def company_information_json(connection: Connection) -> dict[str, Any]:
    """From what was learnt when the customer authorised. Raises `Invalid` before that."""
    tenant = connection.tenant
    if tenant is None:
        raise Invalid(f"The connection is not linked to a Xero organisation (it is {connection.status}).")
    return {
        "companyName": tenant.name,
        "baseCurrency": tenant.base_currency or None,
        "planType": tenant.plan or None,
        "multicurrencyEnabled": None,
        "currencies": [tenant.base_currency] if tenant.base_currency else [],
    }
