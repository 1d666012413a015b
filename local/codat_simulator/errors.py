"""Codat's error envelope, and the error that endpoints raise to answer with it."""

import secrets
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import Any

from local.simulator.answers import Answer

Json = dict[str, Any]

TEXTS = {
    400: "Bad request.",
    401: "Unauthorized",
    402: "Company limit exceeded. Upgrade your plan to create more companies.",
    403: "Forbidden",
    404: "Not found",
    405: "Method not allowed",
    409: "The resource is not ready.",
    422: "The idempotency key was used with another request.",
    429: "You have made too many requests in a given amount of time; please retry later.",
    503: "The service is offline for maintenance.",
}


@dataclass(frozen=True)
class Finding:
    """One entry of `validation`: about which item, what is wrong, and who says so."""

    item_id: str
    message: str
    validator: str

    def json(self) -> Json:
        return {"itemId": self.item_id, "message": self.message, "validatorName": self.validator}


class CodatError(Exception):
    """Codat's refusal of a call."""

    def __init__(self, status: int, text: str = "", findings: Iterable[Finding] = ()) -> None:
        super().__init__(text)
        self.status = status
        self.text = text or TEXTS.get(status, "Unknown error occurred")
        self.findings = tuple(findings)

    def answer(self) -> Answer:
        return refusal(self.status, self.text, self.findings)


def refusal(
    status: int, text: str = "", findings: Iterable[Finding] = (), headers: Mapping[str, str] | None = None
) -> Answer:
    """An error as Codat words it. `canBeRetried` is a text: its SDKs refuse a boolean."""
    body = {
        "statusCode": status,
        "service": "PublicApi",
        "error": text or TEXTS.get(status, "Unknown error occurred"),
        "correlationId": secrets.token_hex(16),
        "canBeRetried": "Unknown",
        "detailedErrorCode": 0,
        "validation": {"errors": [finding.json() for finding in findings], "warnings": []},
    }
    return Answer(status, body, headers=headers or {})
