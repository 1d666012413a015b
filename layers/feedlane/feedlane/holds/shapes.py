"""Holds as the API shows them."""

from __future__ import annotations

from typing import Any

from feedlane.clock import iso
from feedlane.codat.errors import problem_json
from feedlane.holds.held_feeds import WaitingCount
from feedlane.holds.hold import Hold


def hold_json(hold: Hold, waiting: WaitingCount) -> dict[str, Any]:
    body: dict[str, Any] = {
        "id": hold.id,
        "scope": hold.scope,
        "reason": hold.reason,
        "problem": problem_json(hold.problem),
        "since": iso(hold.since),
        "waiting": waiting.number,
    }
    flags = ({} if waiting.is_complete else {"moreWaiting": True}) | ({"releasing": True} if hold.releasing else {})
    ids = {"companyId": hold.company_id, "connectionId": hold.connection_id, "accountId": hold.account_id}
    if hold.line is not None:
        body |= {"line": hold.line, "transactionId": hold.transaction_id}
    return body | flags | {name: id for name, id in ids.items() if id is not None}
