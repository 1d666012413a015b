"""The second half of the demonstration: an organisation without bank feeds, the alert, and the release."""

from __future__ import annotations

import json

from local.demo import ledgers
from local.demo.platform import Customer, Platform, Row, Simulator, wait_for
from local.demo.receiver import Receiver
from local.progress import Failure, step

TYPE = "invalid-organisation-bank-feeds"
DETAIL = "The organisation does not support automated bank feeds."
ACCOUNT = {
    "id": "till",
    "account_name": "Till account",
    "account_type": "checking",
    "account_number": "30014321",
    "currency": "GBP",
    "balance": 0,
}


def tell(platform: Platform, simulator: Simulator, receiver: Receiver) -> None:
    rows = ledgers.year_until(ledgers.yesterday())["current"][-60:]
    with step("link an organisation without bank feeds"):
        organisation = simulator.create_organisation(
            name="Northwind Joinery Ltd", country="GB", currency="GBP", demo=False, bankFeeds=False, accounts=[]
        )
        tenant = organisation["tenantId"]
        simulator.consent_to(tenant)
        company, connection, link = platform.create_connection("Northwind Joinery Ltd", [ACCOUNT])
        Customer().authorise(link)
        account = platform.map_account(company, connection, "till", None)
    with step("the push meets Xero's 403: it fails, and a signed webhook says why") as notes:
        pushed, _ = platform.push(account, rows[:40])
        alert = wait_for(lambda: next(iter(receiver.of_type("bankFeeds.held", company)), None), "the alert", 30)
        failed = platform.ended(company, pushed.push_operation_key)
        if failed.status_code != 403 or DETAIL not in (failed.error_message or ""):
            raise Failure(f"The push operation ended with {failed.status_code}: {failed.error_message}")
        problem = alert["payload"]["problem"]
        if (problem["type"], problem["detail"], problem["status"]) != (TYPE, DETAIL, 403):
            raise Failure(f"The alert carries another problem: {problem}")
        notes.append(f"{alert['payload']['waiting']} waiting")
    print(f"    {json.dumps(problem)}")
    with step("the next push is refused at once with 403"):
        refused = platform.refusal(account, rows[40:50])
        if refused.status_code != 403 or DETAIL not in refused.data.error:
            raise Failure(f"It was refused with {refused.status_code}: {refused.body}")
    with step("a message on the queue is kept behind the hold"):
        platform.queue(account, rows[40:])
        wait_for(lambda: _waiting(platform, company) == len(rows) or None, "the message to be recorded")
    with step("the organisation gets bank feeds, the hold is released: all arrives in order, once") as notes:
        simulator.change_organisation(tenant, bankFeeds=True)
        [hold] = platform.holds(company)
        released = platform.http.post(f"/holds/{hold['id']}/release")
        if released.status_code != 200:
            raise Failure(f"The release answers {released.status_code}: {released.text[:300]}")
        wait_for(lambda: _all_there(simulator, tenant, rows), "the held transactions to arrive")
        found = ledgers.arrived("till", rows, simulator.statements(tenant))
        wait_for(lambda: receiver.of_type("bankFeeds.released", company) or None, "the webhook of the release")
        notes.append(f"{found.delivered} of {found.sent} in {found.statements} statement(s)")
    if len(receiver.of_type("bankFeeds.held", company)) != 1 or receiver.refused:
        raise Failure("The alert did not come exactly once, rightly signed.")


def _waiting(platform: Platform, company_id: str) -> int:
    return sum(hold["waiting"] for hold in platform.holds(company_id))


def _all_there(simulator: Simulator, tenant_id: str, rows: list[Row]) -> bool | None:
    delivered = [one for one in simulator.statements(tenant_id) if one["status"] == "DELIVERED"]
    return sum(len(statement["lines"]) for statement in delivered) >= len(rows) or None
