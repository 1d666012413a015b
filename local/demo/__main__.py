"""`python -m local.demo`: starts a local system, runs the main job, verifies the result, and stops the system.

With `--upstream codat`, everything goes to Xero through Codat. The job and what is verified are the same.
"""

from __future__ import annotations

import argparse
import random
import sys
import time
from collections.abc import Iterator

from local import interruption, system
from local.demo import ledgers, refusal
from local.demo.codat import CodatSimulator
from local.demo.platform import Account, Customer, Platform, Row, Simulator, status_of, wait_for
from local.demo.receiver import Receiver
from local.instance import ROOT, Instance
from local.progress import Failure, step, stop

SEED = 7
ROWS_PER_PUSH_MAX = 1000
ROWS_PER_MESSAGE_MAX = 50
DELIVERY_SECONDS_MAX = 120
PUSH_WHY_LONG = "each push is stored before it is answered, and more environments of functions start"
WAIT_WHY_LONG = "functions start with their first message, and an account has one statement on its way at a time"
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
        # Codat asks for one with every account in GBP.
        "sort_code": "040004",
        "currency": "GBP",
        "balance": 0,
    },
}


def main() -> None:
    parser = argparse.ArgumentParser(prog="python -m local.demo", description=__doc__)
    parser.add_argument("--upstream", choices=("xero", "codat"), default="xero")
    upstream = parser.parse_args().upstream
    instance = Instance.named("demo")
    began = time.monotonic()
    try:
        description = system.start(instance, upstream=upstream)
        platform, simulator, receiver = Platform(description), simulator_of(description, upstream), Receiver()
        through = "" if upstream == "xero" else f" through {simulator.name}"
        print(f"\nDeliver a year of transactions to Xero{through}:", flush=True)
        with step("subscribe a webhook consumer to all events"):
            platform.subscribe(receiver)
        deliver_a_year(platform, simulator, receiver)
        print("Meet a refusal from Xero, and recover:", flush=True)
        refusal.run(platform, simulator, receiver)
        receiver.close()
        record = instance.folder / f"{simulator.record_path.rpartition('/')[2]}.json"
        record.write_bytes(simulator.record())
        print(f"\n  Everything that Xero received: {record.relative_to(ROOT)}\n")
    finally:
        with (
            interruption.deferred(),
            step("stop the local system", "its functions are processes, which end one after the other"),
        ):
            system.stop(instance)
    print(f"\nEverything above was verified. The demo took {time.monotonic() - began:.0f} s.")


def simulator_of(description: dict[str, str], upstream: str) -> Simulator:
    """The other side: the one upstream or the other."""
    if upstream == "codat":
        return CodatSimulator(description["codatSimulatorUrl"])
    return Simulator(description["simulatorUrl"])


def deliver_a_year(platform: Platform, simulator: Simulator, receiver: Receiver) -> None:
    """Pushes a year of two accounts, alternating between the SDK and the queue."""
    year = ledgers.year_until(ledgers.yesterday())
    with step(
        "link an organisation; map one account to an existing Xero account, one to a new one",
        "each function starts with its first call, and Xero takes a second for each new feed",
    ):
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
    with step(f"push {total:,} transactions: half through the SDK, half through the queue", PUSH_WHY_LONG) as notes:
        counts = push_interleaved(platform, accounts, year)
        notes.append(
            f"{counts['api']:,} in {counts['calls']} pushes, {counts['queue']:,} in {counts['messages']} messages"
        )
    with step(f"wait until Xero has all {total:,}", WAIT_WHY_LONG) as notes:
        started = time.monotonic()
        wait_for(lambda: is_delivered(simulator, organisation["tenantId"], total), "delivery", DELIVERY_SECONDS_MAX)
        notes.append(f"{time.monotonic() - started:.1f} s after the last push")
        wait_for(lambda: all_succeeded(platform, company), "the push operations to succeed")
        successes = len(platform.operations(company))
        wait_for(
            lambda: len(receiver.of_type("bankTransactions.write.successful")) >= successes or None, "the webhooks"
        )
    show(simulator, organisation["tenantId"], year, successes)


def push_interleaved(platform: Platform, accounts: dict[str, Account], year: dict[str, list[Row]]) -> dict[str, int]:
    """Pushes each account's rows in order, alternating between the doors and between the accounts."""
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
    """Splits the rows, in order: half into pushes of up to 1,000, half into messages of 1 to 50."""
    start = 0
    while start < len(rows):
        size = min(chance.randint(100, ROWS_PER_PUSH_MAX) // 2, (len(rows) - start + 1) // 2)
        yield "api", rows[start : start + size]
        start, end = start + size, min(len(rows), start + 2 * size)
        while start < end:
            size = min(chance.randint(1, ROWS_PER_MESSAGE_MAX), end - start)
            yield "queue", rows[start : start + size]
            start += size


def is_delivered(simulator: Simulator, tenant_id: str, total: int) -> bool | None:
    statements = [statement for statement in simulator.statements(tenant_id) if statement["status"] == "DELIVERED"]
    return sum(len(statement["lines"]) for statement in statements) >= total or None


def all_succeeded(platform: Platform, company_id: str) -> bool | None:
    statuses = {status_of(operation) for operation in platform.operations(company_id)}
    if statuses - {"Pending", "Success"}:
        raise Failure(f"Some push operations did not succeed. Their statuses: {', '.join(sorted(statuses))}.")
    return statuses == {"Success"} or None


def show(simulator: Simulator, tenant_id: str, year: dict[str, list[Row]], operations: int) -> None:
    """Verifies what Xero has, then prints it."""
    statements = simulator.statements(tenant_id)
    print(
        f"\n  {'account':<16}{'sent':>6}{'delivered':>11}{'in order':>10}"
        f"{'statements':>12}{'opening':>13}{'closing':>13}"
    )
    for name, rows in year.items():
        ids = {row["id"] for row in rows}
        account_statements = [statement for statement in statements if statement["lines"][0]["transactionId"] in ids]
        arrival = ledgers.verify_arrival(name, rows, account_statements)
        print(
            f"  {ACCOUNTS[name]['account_name']!s:<16}{arrival.sent:>6}{arrival.delivered:>11}{'yes':>10}"
            f"{arrival.statements:>12}{arrival.opening:>13,.2f}{arrival.closing:>13,.2f}"
        )
    calls = simulator.calls(tenant_id)
    posts = [call for call in calls if call["method"] == "POST" and call["path"].endswith(simulator.post_ends)]
    print(
        f"  {len(calls)} calls to {simulator.name}, {len(posts)} of them with a statement."
        f" All {operations} push operations succeeded.\n"
    )


if __name__ == "__main__":
    interruption.heed_all()
    try:
        main()
    except Failure as failure:
        stop(failure)
    except KeyboardInterrupt:
        sys.exit(130)
