"""`python -m local.demo`: starts a system of its own, runs the main job on it, verifies what came of it, stops it."""

from __future__ import annotations

import random
import signal
import sys
import time
from collections.abc import Iterator

from local import system
from local.demo import ledgers, refused
from local.demo.platform import Account, Customer, Platform, Row, Simulator, status_of, wait_for
from local.demo.receiver import Receiver
from local.instance import ROOT, Instance
from local.progress import Failure, step, stop

SEED = 7
MOST_IN_PUSH = 1000
MOST_IN_MESSAGE = 50
DELIVERED_WITHIN = 120
ACCOUNTS = {
    "current": {
        "id": "current",
        "account_name": "Current account",
        "account_type": "checking",
        "account_number": "20011234",
        "sort_code": "040004",
        "currency": "GBP",
        "balance": 0,
    },
    "card": {
        "id": "card",
        "account_name": "Business card",
        "account_type": "creditCard",
        "account_number": "4471",
        "currency": "GBP",
        "balance": 0,
    },
}


def main() -> None:
    instance = Instance.named("demo")
    began = time.monotonic()
    try:
        described = system.start(instance)
        platform, simulator, receiver = Platform(described), Simulator(described["simulatorUrl"]), Receiver()
        print("\nThe main job:", flush=True)
        with step("a webhook consumer for all events"):
            platform.subscribe(receiver)
        deliver_a_year(platform, simulator, receiver)
        refused.tell(platform, simulator, receiver)
        receiver.close()
        record = instance.folder / "statements.json"
        record.write_bytes(simulator.record())
        print(f"  What Xero received, statement by statement: {record.relative_to(ROOT)}\n")
    finally:
        with step("stop what was started"):
            system.stop(instance)
    print(f"\nEverything above was verified. It took {time.monotonic() - began:.0f} s.")


def deliver_a_year(platform: Platform, simulator: Simulator, receiver: Receiver) -> None:
    """A year of two accounts, half through the SDK and half through the queue, interleaved."""
    year = ledgers.year_until(ledgers.yesterday())
    with step("link an organisation, map one account to an existing and one to a new Xero account"):
        organisation = simulator.create_organisation(
            name="Harbour Bakery Ltd",
            country="GB",
            currency="GBP",
            demo=False,
            bankFeeds=True,
            accounts=[{"name": "Business Current", "type": "BANK", "number": "04000420011234", "currency": "GBP"}],
        )
        simulator.consent_to(organisation["tenantId"])
        company, connection, link = platform.create_connection("Harbour Bakery Ltd", list(ACCOUNTS.values()))
        Customer().authorise(link)
        target = platform.targets(company, connection, "current")["Business Current"]
        accounts = {
            "current": platform.map_account(company, connection, "current", target),
            "card": platform.map_account(company, connection, "card", None),
        }
    total = sum(map(len, year.values()))
    with step(f"push {total} transactions: half through the SDK, half through the queue") as notes:
        counts = push_interleaved(platform, accounts, year)
        notes.append(f"{counts['api']} in {counts['calls']} pushes, {counts['queue']} in {counts['messages']} messages")
    with step(f"all {total} delivered at Xero") as notes:
        started = time.monotonic()
        wait_for(lambda: is_delivered(simulator, organisation["tenantId"], total), "delivery", DELIVERED_WITHIN)
        notes.append(f"{time.monotonic() - started:.1f} s after the last push")
        wait_for(lambda: all_succeeded(platform, company), "the push operations to succeed")
        successes = len(platform.operations(company))
        wait_for(lambda: len(receiver.of_type("bankTransactions.write.successful")) >= successes or None, "webhooks")
    show(simulator, organisation["tenantId"], year, successes)


def push_interleaved(platform: Platform, accounts: dict[str, Account], year: dict[str, list[Row]]) -> dict[str, int]:
    """Each account's rows in order, now through one door, now through the other; the accounts take turns."""
    chance = random.Random(SEED)
    counts = {"api": 0, "calls": 0, "queue": 0, "messages": 0}
    turns = {name: turns_of(rows, chance) for name, rows in year.items()}
    while turns:
        for name in list(turns):
            turn = next(turns[name], None)
            if turn is None:
                del turns[name]
                continue
            door, rows = turn
            counts[door] += len(rows)
            if door == "api":
                counts["calls"] += 1
                platform.push(accounts[name], rows)
            else:
                counts["messages"] += 1
                platform.queue(accounts[name], rows)
    return counts


def turns_of(rows: list[Row], chance: random.Random) -> Iterator[tuple[str, list[Row]]]:
    """Half of the rows in pushes of up to 1,000, the other half in messages of 1 to 50, in the order of the rows."""
    at = 0
    while at < len(rows):
        size = min(chance.randint(100, MOST_IN_PUSH) // 2, (len(rows) - at + 1) // 2)
        yield "api", rows[at : at + size]
        at, end = at + size, min(len(rows), at + 2 * size)
        while at < end:
            size = min(chance.randint(1, MOST_IN_MESSAGE), end - at)
            yield "queue", rows[at : at + size]
            at += size


def is_delivered(simulator: Simulator, tenant_id: str, total: int) -> bool | None:
    delivered = [one for one in simulator.statements(tenant_id) if one["status"] == "DELIVERED"]
    return sum(len(statement["lines"]) for statement in delivered) >= total or None


def all_succeeded(platform: Platform, company_id: str) -> bool | None:
    statuses = {status_of(one) for one in platform.operations(company_id)}
    if statuses - {"Pending", "Success"}:
        raise Failure(f"Push operations ended as {', '.join(sorted(statuses))}.")
    return statuses == {"Success"} or None


def show(simulator: Simulator, tenant_id: str, year: dict[str, list[Row]], operations: int) -> None:
    """Prints what the other side holds, after checking it."""
    statements = simulator.statements(tenant_id)
    print(
        f"\n  {'account':<16}{'sent':>6}{'delivered':>11}{'in order':>10}"
        f"{'statements':>12}{'opening':>13}{'closing':>13}"
    )
    for name, rows in year.items():
        own = [one for one in statements if one["lines"][0]["transactionId"] in {row["id"] for row in rows}]
        found = ledgers.arrived(name, rows, own)
        print(
            f"  {ACCOUNTS[name]['account_name']!s:<16}{found.sent:>6}{found.delivered:>11}{'yes':>10}"
            f"{found.statements:>12}{found.opening:>13,.2f}{found.closing:>13,.2f}"
        )
    calls = simulator.calls(tenant_id)
    posts = [call for call in calls if call["method"] == "POST" and call["path"].endswith("/Statements")]
    print(
        f"  Xero calls made: {len(calls)}, of them {len(posts)} statements. Push operations succeeded: {operations}.\n"
    )


def _terminate(_signal: int, _frame: object) -> None:
    """Asked to end: as if interrupted, so that what was started is stopped."""
    raise KeyboardInterrupt


if __name__ == "__main__":
    signal.signal(signal.SIGTERM, _terminate)
    try:
        main()
    except Failure as failure:
        stop(failure)
    except KeyboardInterrupt:
        sys.exit(130)
