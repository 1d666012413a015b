"""What platforms send: chronological transactions in pushes of random sizes through both doors, and their slips."""

from __future__ import annotations

import json
import random
from dataclasses import dataclass, field
from datetime import date, timedelta
from decimal import Decimal
from typing import Any

from feedlane.errors import Conflict, Invalid, NotFound, Refused
from feedlane.feeds.push_operation import PushOperation
from feedlane.ids import derived_id
from feedlane.money import dumps
from feedlane.pushes.api_door import accept
from feedlane.pushes.content import PUSH_TRANSACTIONS_MAX
from feedlane.settings import items as settings_items
from tests.chaos.functions import TRANSACTIONS
from tests.chaos.timeline import START
from tests.chaos.world import Place, World

Transaction = dict[str, Any]
RETRIES = 6
KINDS = ("Credit", "Debit", "Int", "Fee", "Payment", "Xfer", "Other")


@dataclass
class Pushed:
    """A push that was taken: by the API with an answer, or by the queue."""

    place: Place
    operation_key: str
    transactions: list[Transaction]


@dataclass
class Platform:
    world: World
    taken: list[Pushed] = field(default_factory=list)
    refused: list[str] = field(default_factory=list)
    truth: dict[tuple[str, str], list[Transaction]] = field(default_factory=dict)
    """By feed and transaction id: each content that was ever sent under it."""

    def plan(self) -> int:
        """All pushes of the schedule, spread over its time. Answers how many transactions they have."""
        rng, total, strike = self.world.rng, 0, self.world.faults.strike
        most = rng.choice((10, 30, 60, 120, 200))
        if strike("gap_is_error"):
            self._refuse_gaps()
        for place in self.world.places:
            count, size = rng.randint(5, max(5, most // len(self.world.places))), rng.choice((1, 5, 30, 200))
            full = strike("push_full")
            transactions = stream(rng, rng.randint(1000, 2200) if full else count, self._last_day(place))
            total += len(transactions)
            pushes = in_full(transactions) if full else cut(rng, transactions, size)
            self._schedule(place, self._slips(pushes))
        return total

    def _refuse_gaps(self) -> None:
        """A setting, made before anything strikes."""
        world = self.world
        world.faults.on = False
        world.store.commit(settings_items.put_settings(settings_items.settings(world.store).but(gap_is_error=True)))
        world.faults.on = True

    def _last_day(self, place: Place) -> date:
        """Where the organisation is, it may be tomorrow already."""
        today = self.world.sim.organisations[place.tenant_id].today(self.world.sim.now())
        return today - timedelta(days=self.world.rng.choice((0, 1)))

    def _slips(self, pushes: list[list[Transaction]]) -> list[list[Transaction]]:
        """The pushes in order, but for what a platform does wrong now and then."""
        strike, rng, made = self.world.faults.strike, self.world.rng, list[list[Transaction]]()
        for push in pushes:
            if made and strike("push_overlapping"):
                push = made[-1][-rng.randint(1, 3) :] + push
            if made and strike("push_reordered"):
                made.insert(len(made) - 1, push)
                continue
            made.append(push)
            if strike("push_repeated"):
                made.insert(rng.randint(0, len(made)), rng.choice(made))
            if strike("push_conflicting"):
                made.append([rng.choice(push) | {"description": "something else"}])
        return made

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
            for wrong in self._wrong():
                door = rng.choice((self._api, self._queue))
                self.world.timeline.start("platform", door(place, wrong), at)

    def _wrong(self) -> list[list[Transaction]]:
        """Pushes of which nothing may be taken: with too many transactions, or one of the day after tomorrow."""
        strike, rng, found = self.world.faults.strike, self.world.rng, list[list[Transaction]]()
        day, amount = START.date() - timedelta(days=1), Decimal(1)
        if strike("push_too_long"):
            found.append(
                [_transaction(rng, 10_000 + n, day, amount, Decimal(n)) for n in range(PUSH_TRANSACTIONS_MAX + 1)]
            )
        if strike("push_future"):
            found.append([_transaction(rng, 20_000, START.date() + timedelta(days=9), amount, amount)])
        return found

    def _api(self, place: Place, push: list[Transaction]) -> Any:
        """A client that sends again after a failure, a few times."""
        world = self.world
        body = dumps({"accountId": place.account_id, "transactions": push})
        timeout = world.rng.choice((1, 5, 60)) if world.faults.strike("push_timing_out") else None

        def once() -> PushOperation:
            return accept(world.ports,
                world.now, place.company_id, place.connection_id,
                place.account_id, body, timeout,
            )  # fmt: skip

        def work() -> None:
            for _ in range(RETRIES):
                box: list[PushOperation] = []
                attempt = world.timeline.start("function public_api", lambda box=box: box.append(once()))  # type: ignore[misc]
                while attempt in world.timeline.tasks:
                    world.timeline.sleep(1)
                if box:
                    self.taken.append(Pushed(place, box[0].key, push))
                    return
                if isinstance(attempt.failed, (Refused, Conflict, Invalid, NotFound)):
                    self.refused.append(type(attempt.failed).__name__)
                    return
                world.timeline.sleep(3)

        return work

    def _queue(self, place: Place, push: list[Transaction]) -> Any:
        world = self.world
        key = world.new_id() if world.rng.random() < 0.3 else None
        fields = {"version": 1, "companyId": place.company_id, "connectionId": place.connection_id}
        message = fields | {"accountId": place.account_id, "transactions": push}
        body = dumps(message | ({"pushOperationKey": key} if key else {}))

        def work() -> None:
            id = world.queues[TRANSACTIONS].send(body, place.feed_id, world.new_id())
            if id and not world.is_deleted(place):
                self.taken.append(Pushed(place, key or derived_id("message", place.feed_id, id), push))

        return work

    def _poison(self, place: Place) -> Any:
        body = self.world.rng.choice(("{", json.dumps({"version": 9}), json.dumps({"version": 1, "companyId": "x"})))
        return lambda: self.world.queues[TRANSACTIONS].send(body, place.feed_id, self.world.new_id())


def stream(rng: random.Random, count: int, last_day: date) -> list[Transaction]:
    """Transactions of one account in order, with running balances, all kinds of amounts and now and then a gap."""
    day = last_day - timedelta(days=rng.choice((0, 1, 20, 200)))
    balance = Decimal(rng.choice((0, 100, -2500, 10**12))) + Decimal(rng.randint(0, 9999)) / 10000
    made = []
    for number in range(1, count + 1):
        day = min(day + timedelta(days=rng.choice((0, 0, 0, 1, 3))), last_day)
        amount = _amount(rng)
        if rng.random() < 0.02:
            balance += _amount(rng)
        balance += amount
        made.append(_transaction(rng, number, day, amount, balance))
    return made


def cut(rng: random.Random, transactions: list[Transaction], most: int) -> list[list[Transaction]]:
    """The stream in pushes of random sizes, of `most` transactions at most."""
    pushes, at = [], 0
    while at < len(transactions):
        size = rng.randint(1, most)
        pushes.append(transactions[at : at + size])
        at += size
    return pushes


def in_full(transactions: list[Transaction]) -> list[list[Transaction]]:
    """The stream in as few pushes as it takes: all but the last are as long as a push may be."""
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
    places = rng.choice((0, 1, 2, 2, 2, 4))
    value = Decimal(rng.choice((rng.randint(0, 99), rng.randint(0, 99999), rng.randint(0, 10**13))))
    return (value if rng.random() < 0.5 else -value).scaleb(-places)
