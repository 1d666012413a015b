"""The second part of the demo: an organisation without bank feeds, the alert, and the release."""

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
    "sort_code": "040004",
    "currency": "GBP",
    "balance": 0,
}


def run(platform: Platform, simulator: Simulator, receiver: Receiver) -> None:
    rows = ledgers.year_until(ledgers.yesterday())["current"][-60:]
    with step("link an organisation without bank feeds", "Xero takes a second for each new feed"):
        organisation = simulator.create_organisation(
            name="Northwind Joinery Ltd", country="GB", currency="GBP", demo=False, bankFeeds=False, accounts=[]
        )
        tenant = organisation["tenantId"]
        simulator.consent_to(tenant)
        company, connection, link = platform.create_connection("Northwind Joinery Ltd", [ACCOUNT])
        Customer().authorise(link)
        account = platform.map_account(company, connection, "till", None)
    with step(
        "push: Xero refuses with 403, the push operation fails, a signed webhook says why",
        "the push, its refusal and the webhook pass through three queues and as many functions",
    ) as notes:
        pushed, _ = platform.push(account, rows[:40])
        alert = wait_for(lambda: next(iter(receiver.of_type("bankFeeds.held", company)), None), "the alert", 30)
        failed = platform.wait_until_ended(company, pushed.push_operation_key)
        if failed.status_code != 403 or DETAIL not in (failed.error_message or ""):
            raise Failure(
                f"The push operation failed with an unexpected error, {failed.status_code}: {failed.error_message}"
            )
        problem = alert["payload"]["problem"]
        if (problem["type"], problem["detail"], problem["status"]) != (TYPE, DETAIL, 403):
            raise Failure(f"The alert has an unexpected problem: {problem}")
        notes.append(f"{alert['payload']['waiting']} waiting")
    print(f"    {json.dumps(problem)}")
    with step("push again: refused at once with the same 403"):
        refused = platform.push_refused(account, rows[40:50])
        if refused.status_code != 403 or DETAIL not in refused.data.error:
            raise Failure(f"The push was refused with an unexpected error, {refused.status_code}: {refused.body}")
    with step("send a message to the queue: it is kept behind the hold"):
        platform.queue(account, rows[40:])
        wait_for(lambda: _waiting(platform, company) == len(rows) or None, "the message to be recorded")
    with step(
        "enable bank feeds, release the hold: everything arrives in order, exactly once",
        "Xero takes a second for each statement, and the next one waits for it",
    ) as notes:
        simulator.change_organisation(tenant, bankFeeds=True)
        [hold] = platform.holds(company)
        answer = platform.http.post(f"/holds/{hold['id']}/release")
        if answer.status_code != 200:
            raise Failure(f"The release answered {answer.status_code}: {answer.text[:300]}")
        wait_for(lambda: _is_delivered(simulator, tenant, rows), "the held transactions to arrive")
        arrival = ledgers.verify_arrival("till", rows, simulator.statements(tenant))
        wait_for(lambda: receiver.of_type("bankFeeds.released", company) or None, "the webhook of the release")
        notes.append(f"{arrival.delivered} of {arrival.sent} transactions, statements: {arrival.statements}")
    if len(receiver.of_type("bankFeeds.held", company)) != 1 or receiver.refused:
        raise Failure("The alert did not arrive exactly once with a valid signature.")


def _waiting(platform: Platform, company_id: str) -> int:
    return sum(hold["waiting"] for hold in platform.holds(company_id))


def _is_delivered(simulator: Simulator, tenant_id: str, rows: list[Row]) -> bool | None:
    statements = [statement for statement in simulator.statements(tenant_id) if statement["status"] == "DELIVERED"]
    return sum(len(statement["lines"]) for statement in statements) >= len(rows) or None
