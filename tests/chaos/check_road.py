"""What arrived at Xero, feed by feed: in order, once, whole, exact, one statement at a time."""

from __future__ import annotations

from collections import Counter
from decimal import Decimal
from itertools import pairwise
from typing import Any

from feedlane.feeds import items as feed_items
from feedlane.feeds.line import Line
from feedlane.mapping.mapping import account_token
from feedlane.settings import items as settings_items
from local.simulator.state import Statement
from tests.chaos.pushes import Platform
from tests.chaos.world import Place, World


def recorded(world: World, place: Place) -> list[Line]:
    return feed_items.read_lines(world.store, place.feed_id, 1, 1_000_000)


def received(world: World, place: Place) -> list[Statement]:
    """All that Xero took for the feed, over all its feed connections, in the order it came; refused ones left out."""
    token = account_token(place.connection_id, place.account_id)
    ours = {one.id for one in world.sim.feed_connections.values() if one.account_token == token}
    found = [one for one in world.sim.statements.values() if one.feed_connection_id in ours]
    return [one for one in found if not all(one.dropped)]


def delivered(world: World, place: Place) -> list[dict[str, Any]]:
    """The lines that reached the customer's account, in the order Xero got them."""
    now = world.sim.now()
    return [
        line
        for one in received(world, place)
        if one.status(now) == "DELIVERED"
        for line, dropped in zip(one.received["statementLines"], one.dropped, strict=True)
        if not dropped
    ]


def order(world: World, place: Place) -> list[str]:
    """1. Lines arrive in ledger order, and ledger order is chronological."""
    lines = recorded(world, place)
    found = []
    if any(after.date < before.date for before, after in pairwise(lines)):
        found.append(f"order: the ledger of {place.account_id} is not chronological")
    position = {line.id: number for number, line in enumerate(lines)}
    at = [position.get(line["transactionId"], -1) for line in delivered(world, place)]
    if at != sorted(at) or -1 in at:
        found.append(f"order: {place.account_id} got lines in the order {at}"[:300])
    return found


def once(world: World, place: Place) -> list[str]:
    """2. Nothing arrives twice, and Xero never has to drop a line that it knows."""
    ids = [line["transactionId"] for line in delivered(world, place)]
    twice = sorted(id for id, count in Counter(ids).items() if count > 1)
    found = [f"once: {place.account_id} got {twice} more than once"] if twice else []
    if any(any(one.dropped) for one in received(world, place)):
        found.append(f"once: Xero dropped lines of a statement for {place.account_id} that it knew already")
    recorded_ids = [line.id for line in recorded(world, place)]
    if len(set(recorded_ids)) != len(recorded_ids):
        found.append(f"once: the ledger of {place.account_id} has a transaction twice")
    return found


def all_delivered(world: World, place: Place) -> list[str]:
    """3. Every recorded line is delivered after the releases, but for those that a release has set aside."""
    there = {line["transactionId"] for line in delivered(world, place)}
    feed = world.feed(place)
    aside = {line.transaction_id for line in feed.set_aside} if feed else set[str]()
    missing = [line.id for line in recorded(world, place) if line.id not in there | aside]
    found = [f"nothing lost: {place.account_id} never got {missing[:10]}"] if missing else []
    return found + ([f"once: {place.account_id} got {there & aside}, set aside"] if there & aside else [])


def gaps(world: World, place: Place) -> list[str]:
    """Where a gap is an error, the ledger has none."""
    if not settings_items.settings(world.store).gap_is_error:
        return []
    broken = [b.id for a, b in pairwise(recorded(world, place)) if a.balance + b.amount != b.balance]
    return [f"order: the ledger of {place.account_id} has gaps before {broken[:5]}"] if broken else []


def one_flight(world: World, place: Place) -> list[str]:
    """5. The next statement comes when the one before has ended."""
    taken = received(world, place)
    for before, after in pairwise(taken):
        if after.received_at < before.settles_at:
            late = (before.settles_at - after.received_at).total_seconds()
            return [f"one flight: {place.account_id} got a statement {late:.1f} s before the one before it had ended"]
    return []


def money(world: World, place: Place, platform: Platform) -> list[str]:
    """8. Each amount is exactly, digit for digit, one that was sent under its id; balances continue it."""
    found = []
    for one in received(world, place):
        balance = _signed(one.received["startBalance"])
        for line in one.received["statementLines"]:
            amount = _signed(line)
            balance += amount
            sent = platform.truth.get((place.feed_id, line["transactionId"]), [])
            if not any(amount == known["amount"] and balance == known["balance"] for known in sent):
                found.append(f"money: {place.account_id} {line['transactionId']} arrived as {amount} and {balance}")
        if balance != _signed(one.received["endBalance"]):
            found.append(f"money: a statement of {place.account_id} does not add up")
    return found[:3]


def _signed(value: dict[str, Any]) -> Decimal:
    if isinstance(value["amount"], float):
        return Decimal("NaN")
    amount = Decimal(value["amount"])
    return amount if value["creditDebitIndicator"] == "CREDIT" else -amount
