"""What platforms send: chronological transactions in pushes of random sizes, through both doors, with mistakes."""

from __future__ import annotations

import json
import random
from dataclasses import dataclass, field
from datetime import date, timedelta
from decimal import Decimal
from typing import Any

from feedlane.errors import Conflict, Invalid, NotFound, Refused
from feedlane.feeds import hole_items, push_operation_items
from feedlane.feeds.line import Line
from feedlane.feeds.push_operation import PushOperation
from feedlane.ids import derived_id
from feedlane.money import dumps
from feedlane.pushes.api_door import accept
from feedlane.pushes.content import PUSH_TRANSACTIONS_MAX
from feedlane.settings import items as settings_items
from tests.chaos.functions import TRANSACTIONS
from tests.chaos.ledger_rules import LedgerRules
from tests.chaos.outages import SQS
from tests.chaos.timeline import START
from tests.chaos.world import Place, World
from tests.rights import acting_as

Transaction = dict[str, Any]
RETRIES = 6
# How often a platform mends while faults strike, and in which time.
MENDINGS, MENDING_SECONDS = 4, 3000.0
KINDS = ("Credit", "Debit", "Int", "Fee", "Payment", "Xfer", "Other")


@dataclass
class Pushed:
    """A push that was accepted, by the API or by the queue."""

    place: Place
    operation_key: str
    transactions: list[Transaction]


@dataclass
class Platform:
    world: World
    rules: LedgerRules = field(default_factory=LedgerRules)
    accepted: list[Pushed] = field(default_factory=list)
    refused: list[str] = field(default_factory=list)
    truth: dict[tuple[str, str], list[Transaction]] = field(default_factory=dict)
    """Every content ever sent, by feed and transaction id."""

    def plan(self) -> int:
        """Schedules all pushes, spread over time. Returns the number of their transactions."""
        rng, total, strike = self.world.rng, 0, self.world.faults.strike
        transactions_max = rng.choice((10, 30, 60, 120, 200))
        if strike("gap_is_error"):
            self._refuse_gaps()
        for place in self.world.places:
            count, size = (
                rng.randint(5, max(5, transactions_max // len(self.world.places))),
                rng.choice((1, 5, 30, 200)),
            )
            is_full = strike("push_full")
            transactions = stream(rng, rng.randint(1000, 2200) if is_full else count, self._last_day(place))
            total += len(transactions)
            pushes = cut_full(transactions) if is_full else cut(rng, transactions, size)
            self._schedule(place, self._with_mistakes(pushes))
        for _ in range(MENDINGS if self.rules.mends else 0):
            self.world.timeline.start("platform", self.mend, self.rules.rng.uniform(0, MENDING_SECONDS))
        return total

    def _refuse_gaps(self) -> None:
        """Makes gaps an error, before any fault strikes."""
        world = self.world
        world.faults.on = False
        world.store.commit(settings_items.put_settings(settings_items.settings(world.store).but(gap_is_error=True)))
        world.faults.on = True

    def _last_day(self, place: Place) -> date:
        """Today or yesterday at the organisation, where it may already be tomorrow."""
        today = self.world.organisation(place).today(self.world.now)
        return today - timedelta(days=self.world.rng.choice((0, 1)))

    def _with_mistakes(self, pushes: list[list[Transaction]]) -> list[list[Transaction]]:
        """The pushes in order, with the occasional mistake of a platform."""
        strike, rng, result = self.world.faults.strike, self.world.rng, list[list[Transaction]]()
        for push in pushes:
            if result and strike("push_overlapping"):
                push = result[-1][-rng.randint(1, 3) :] + push
            if result and strike("push_reordered"):
                result.insert(len(result) - 1, push)
                continue
            result.append(push)
            if strike("push_repeated"):
                result.insert(rng.randint(0, len(result)), rng.choice(result))
            if strike("push_conflicting"):
                changed = rng.choice(push)
                other = self.rules.rng.choice(({"description": "something else"}, {"amount": changed["amount"] + 1}))
                result.append([changed | other, *push[-1:]] if self.rules.mends else [changed | other])
        return result

    def _schedule(self, place: Place, pushes: list[list[Transaction]]) -> None:
        rng, at = self.world.rng, 0.0
        for push in pushes:
            for transaction in push:
                self.truth.setdefault((place.feed_id, transaction["id"]), []).append(transaction)
            at += rng.choice((0.0, 0.05, 2.0, 30.0, 300.0)) * rng.random()
            if rng.random() < 0.5:
                self.world.timeline.start("platform", self._api(place, push), at)
            else:
                self.world.timeline.start("producer", self._queue(place, push), at)
            if self.world.faults.strike("poison_message"):
                self.world.timeline.start("producer", self._poison(place), at)
            for push in self._invalid_pushes():
                door = rng.choice((self._api, self._queue))
                self.world.timeline.start("platform", door(place, push), at)

    def _invalid_pushes(self) -> list[list[Transaction]]:
        """Pushes that must be refused: with too many transactions, or with one in the future."""
        strike, rng, pushes = self.world.faults.strike, self.world.rng, list[list[Transaction]]()
        day, amount = START.date() - timedelta(days=1), Decimal(1)
        if strike("push_too_long"):
            pushes.append(
                [_transaction(rng, 10_000 + n, day, amount, Decimal(n)) for n in range(PUSH_TRANSACTIONS_MAX + 1)]
            )
        if strike("push_future"):
            pushes.append([_transaction(rng, 20_000, START.date() + timedelta(days=9), amount, amount)])
        return pushes

    def _api(self, place: Place, push: list[Transaction]) -> Any:
        """A client that retries a few times after a failure."""
        world = self.world
        body = dumps({"accountId": place.account_id, "transactions": push})
        timeout = world.rng.choice((1, 5, 60)) if world.faults.strike("push_timing_out") else None

        def call() -> PushOperation:
            with acting_as("public_api"):
                return accept(world.ports,
                    world.now, place.company_id, place.connection_id,
                    place.account_id, body, timeout,
                )  # fmt: skip

        def work() -> None:
            for _ in range(RETRIES):
                box: list[PushOperation] = []
                attempt = world.timeline.start("function public_api", lambda box=box: box.append(call()))  # type: ignore[misc]
                while attempt in world.timeline.tasks:
                    world.timeline.sleep(1)
                if box:
                    self.accepted.append(Pushed(place, box[0].key, push))
                    return
                if isinstance(attempt.failed, (Refused, Conflict, Invalid, NotFound)):
                    self.refused.append(type(attempt.failed).__name__)
                    return
                world.timeline.sleep(3)

        return work

    def _queue(self, place: Place, push: list[Transaction], backfill: str | None = None) -> Any:
        world = self.world
        key = world.new_id() if world.rng.random() < 0.3 else None
        fields = {"version": 1, "companyId": place.company_id, "connectionId": place.connection_id}
        message = fields | {"accountId": place.account_id, "transactions": push}
        message |= {"backfill": backfill} if backfill else {}
        body = dumps(message | ({"pushOperationKey": key} if key else {}))

        def work() -> None:
            # A producer that cannot reach SQS keeps what it has, in order.
            world.timeline.sleep(max(0.0, world.faults.outages.end_of(SQS) - world.timeline.seconds))
            # Twice: the producer misses the first answer and does not keep its deduplication id.
            for _ in range(2 if world.faults.strike("push_sent_again") else 1):
                id = world.queues[TRANSACTIONS].send(body, place.feed_id, world.new_id())
                if id and not world.is_deleted(place):
                    self.accepted.append(Pushed(place, key or derived_id("message", place.feed_id, id), push))

        return work

    def mend(self) -> int:
        """Sends what is missing of the refused pushes again, in order: the platform was told of them by events.

        Returns how many pushes it sent.
        """
        sent = 0
        for place in self.world.places if self.rules.mends else ():
            for _, hole in hole_items.holes(self.world.store, place.feed_id, 10):
                lines = push_operation_items.lines_of(self.world.store, place.feed_id, hole.operation_key)
                push = [transaction for line in lines for transaction in self._sent_first(place, line)]
                if push and not self.world.is_deleted(place):
                    self.world.faults.count("backfilled")
                    self.world.timeline.start("producer", self._queue(place, push, hole.operation_key), 0.01 * sent)
                    sent += 1
        return sent

    def _sent_first(self, place: Place, line: Line) -> list[Transaction]:
        """The content that nobody had changed."""
        return self.truth.get((place.feed_id, line.id), [])[:1]

    def _poison(self, place: Place) -> Any:
        body = self.world.rng.choice(("{", json.dumps({"version": 9}), json.dumps({"version": 1, "companyId": "x"})))
        return lambda: self.world.queues[TRANSACTIONS].send(body, place.feed_id, self.world.new_id())


def stream(rng: random.Random, count: int, last_day: date) -> list[Transaction]:
    """Transactions of one account in order, with running balances, varied amounts and occasional gaps."""
    day = last_day - timedelta(days=rng.choice((0, 1, 20, 200)))
    balance = Decimal(rng.choice((0, 100, -2500, 10**12))) + Decimal(rng.randint(0, 9999)) / 10000
    transactions = []
    for number in range(1, count + 1):
        day = min(day + timedelta(days=rng.choice((0, 0, 0, 1, 3))), last_day)
        amount = _amount(rng)
        if rng.random() < 0.02:
            balance += _amount(rng)
        balance += amount
        transactions.append(_transaction(rng, number, day, amount, balance))
    return transactions


def cut(rng: random.Random, transactions: list[Transaction], size_max: int) -> list[list[Transaction]]:
    """Cuts the stream into pushes of random sizes up to `size_max`."""
    pushes, start = [], 0
    while start < len(transactions):
        size = rng.randint(1, size_max)
        pushes.append(transactions[start : start + size])
        start += size
    return pushes


def cut_full(transactions: list[Transaction]) -> list[list[Transaction]]:
    """Cuts the stream into as few pushes as possible: all but the last have the maximum length."""
    return [transactions[at : at + PUSH_TRANSACTIONS_MAX] for at in range(0, len(transactions), PUSH_TRANSACTIONS_MAX)]


def _transaction(rng: random.Random, number: int, day: date, amount: Decimal, balance: Decimal) -> Transaction:
    return {
        "id": f"t{number}",
        "date": f"{day}T{rng.randint(0, 23):02d}:00:00",
        "description": rng.choice(("Sale", "Größe & <Menge> €", "x" * 300)),
        "counterparty": rng.choice(("", "Baker's", "日本")),
        "amount": amount,
        "balance": balance,
        "transactionType": rng.choice(KINDS),
    }


def _amount(rng: random.Random) -> Decimal:
    decimals = rng.choice((0, 1, 2, 2, 2, 4))
    value = Decimal(rng.choice((rng.randint(0, 99), rng.randint(0, 99999), rng.randint(0, 10**13))))
    return (value if rng.random() < 0.5 else -value).scaleb(-decimals)
