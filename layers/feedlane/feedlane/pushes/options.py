"""The fields of a push of bank transactions, in the shape of Codat's push options."""

from __future__ import annotations

from typing import Any

from feedlane.pushes.transaction import TRANSACTION_TYPES


def bank_transactions_option() -> dict[str, Any]:
    account_id = _option("String", "Account ID", "The id of the source account, as in the path.")
    return {
        "type": "Object",
        "displayName": "Bank transactions",
        "description": "Transactions of one source account, which must be connected to a Xero bank account.",
        "required": True,
        "properties": {
            "accountId": account_id,
            "transactions": _option(
                "Array",
                "Transactions",
                "1 to 1,000 transactions, the oldest first.",
                properties=_transaction_properties(),
                information=["transactions|Dates must ascend, and must not be before the latest date already pushed."],
            ),
        },
    }


def _transaction_properties() -> dict[str, Any]:
    types = [
        {"value": name, "type": "String", "displayName": name, "required": False} for name in sorted(TRANSACTION_TYPES)
    ]
    return {
        "id": _option(
            "String",
            "Identifier",
            "Your id for the transaction, at most 255 characters.",
            information=["id|A transaction that was pushed before, with the same content, is skipped with a warning."],
        ),
        "date": _option(
            "DateTime",
            "Date",
            "The local calendar date; a time and an offset are ignored.",
            information=["date|Not in the future, and not more than a year in the past."],
        ),
        "amount": _option("Number", "Amount", "Positive for money coming in, negative for money going out."),
        "balance": _option("Number", "Balance", "The account's balance after the transaction."),
        "description": _option("String", "Description", "At most 2,000 characters.", required=False),
        "counterparty": _option("String", "Counterparty", "The payee, at most 255 characters.", required=False),
        "reference": _option("String", "Reference", "At most 255 characters.", required=False),
        "reconciled": _option("Boolean", "Reconciled", "Accepted but ignored: Xero reconciles.", required=False),
        "transactionType": _option(
            "String",
            "Transaction type",
            "The kind of transaction.",
            required=False,
            options=types,
            warnings=["transactionType|If the type contradicts the sign of the amount, the sign decides."],
        ),
    }


def _option(
    type: str,
    name: str,
    description: str,
    required: bool = True,
    properties: dict[str, Any] | None = None,
    options: list[dict[str, Any]] | None = None,
    information: list[str] | None = None,
    warnings: list[str] | None = None,
) -> dict[str, Any]:
    option: dict[str, Any] = {"type": type, "displayName": name, "description": description, "required": required}
    if properties:
        option["properties"] = properties
    if options:
        option["options"] = options
    if information or warnings:
        option["validation"] = {"information": _remarks(information), "warnings": _remarks(warnings)}
    return option


def _remarks(texts: list[str] | None) -> list[dict[str, str]]:
    """Each text is "field|details"."""
    pairs = [text.split("|", 1) for text in texts or []]
    return [{"field": field, "details": details} for field, details in pairs]
