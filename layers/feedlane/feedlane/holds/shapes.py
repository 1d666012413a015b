"""Holds as the API shows them."""

from __future__ import annotations

from typing import Any

from feedlane.clock import iso
from feedlane.codat.errors import problem_json
from feedlane.holds.hold import Hold
from feedlane.holds.placement import WaitingCount


def hold_json(hold: Hold, waiting: WaitingCount) -> dict[str, Any]:
    body = {
        "id": hold.id,
        "scope": hold.scope,
        "reason": hold.reason,
        "problem": problem_json(hold.problem),
        "since": iso(hold.since),
        "waiting": waiting.number,
    }
    told = {"companyId": hold.company_id, "connectionId": hold.connection_id, "accountId": hold.account_id}
    more = ({} if waiting.is_complete else {"moreWaiting": True}) | ({"releasing": True} if hold.releasing else {})
    return body | more | {name: value for name, value in told.items() if value is not None}
