"""The books behind Codat, as the checks read them: what has arrived in Xero, and how each push operation ended."""

from __future__ import annotations

import json
from collections import defaultdict
from datetime import UTC, datetime
from decimal import Decimal
from typing import TYPE_CHECKING, Any

from feedlane.codat_upstream import problems as codat_problems
from feedlane.codat_upstream.problems import CODAT_MEANINGS
from feedlane.ids import derived_id
from feedlane.scope import CODAT_SUBJECT, Scope
from feedlane.statements.limits import XERO_TENANT_LIMITS
from feedlane.store import keys
from feedlane.store.table import Key
from local.codat_simulator.records import Operation
from tests.chaos import refusals
from tests.chaos.books import Booked, Post, Received, ReceivedLine, own_id
from tests.chaos.codat.transport import ENDED_AT_CODAT, PushPath, frozen_request
from tests.chaos.refusals import Refusal
from tests.chaos.transport import Call
from tests.chaos.xero_books import XeroBooks

if TYPE_CHECKING:
    from tests.chaos.codat.world import CodatWorld
    from tests.chaos.world import Place

_NEVER = datetime.max.replace(tzinfo=UTC)
_OF_CODAT = frozenset(
    {
        codat_problems.REFUSED,
        codat_problems.INVALID,
        codat_problems.NOT_FOUND,
        codat_problems.ACCESS_REFUSED,
        "unauthorized",
    }
)


def _reasons() -> dict[str, frozenset[str]]:
    """Those of Xero behind it, and Codat's own."""
    reasons: defaultdict[str, frozenset[str]] = defaultdict(frozenset, XeroBooks.reasons)
    for type, meaning in CODAT_MEANINGS.items():
        reasons[meaning.reason] |= {type}
    reasons["refused"] |= _OF_CODAT
    reasons["feed-connection-gone"] |= {ENDED_AT_CODAT}
    return dict(reasons)


class CodatBooks:
    """Implements `Books`.

    Left out, because Codat has them: tokens of customers, their refreshes, and the places of our app at Xero. What is
    left of them is the API key: it is stored before it is used.
    """

    name = "Codat"
    app_subject = CODAT_SUBJECT
    knows_lines_by_id = True
    reasons = _reasons()

    def __init__(self, world: CodatWorld) -> None:
        self._world = world
        self._sim = world.codat
        # Our own figure, which is for both upstreams: Codat's minute is the client's.
        self.calls_per_minute_max = XERO_TENANT_LIMITS.per_minute

    @property
    def refusals(self) -> list[Refusal]:
        return self._world.causes.refusals

    def received(self, place: Place) -> list[Received]:
        self._world.causes.settle()
        arrived: dict[str, set[str]] = {}
        for line in self._sim.arrived:
            arrived.setdefault(line.operation_key, set()).add(str(line.line["id"]))
        operations = [
            one
            for one in self._sim.operations.values()
            if (one.company_id, one.account_id) == (place.tenant_id, place.account_id)
            and not self._world.causes.is_known_already(one)
        ]
        landed = {id for one in operations if one.status == "TimedOut" for id in arrived.get(one.key, ())}
        return [self._received(one, arrived.get(one.key, set()), landed) for one in operations]

    def _received(self, operation: Operation, arrived: set[str], landed: set[str]) -> Received:
        """`landed` are the lines of timed-out operations: that Xero drops them when they come again is documented."""
        lines, is_success = operation.data["transactions"], operation.status == "Success"
        return Received(
            feed_connection_id=f"{operation.connection_id}/{operation.account_id}",
            lines=[
                ReceivedLine(
                    id=str(line["id"]),
                    day=line["date"][:10],
                    amount=_exact(line["amount"]),
                    arrived=line["id"] in arrived,
                    dropped=is_success and line["id"] not in arrived | landed,
                )
                for line in lines
            ],
            opening=_exact(lines[0]["balance"]) - _exact(lines[0]["amount"]),
            closing=_exact(lines[-1]["balance"]),
            received_at=operation.requested_at,
            ended_at=_ended_at(operation),
            is_delivered=is_success or bool(arrived),
        )

    def booked(self, place: Place) -> set[Booked]:
        self._world.causes.settle()
        tenant_id = self._world.organisation(place).tenant_id
        return {
            Booked(one.target_id, own_id(str(one.line["id"])), _exact(one.line["amount"]))
            for one in self._sim.arrived
            if one.tenant_id == tenant_id
        }

    def posts(self) -> list[Post]:
        pushes = [(call, PushPath.of(call)) for call in self._world.transport.calls]
        return [
            Post(call.key, frozen_request(push, call.body), call.was_stored)
            for call, push in pushes
            if push is not None
        ]

    def key_of(self, statement_key: str) -> str:
        return derived_id("codat", statement_key)

    def line_ids(self, request: bytes) -> list[str]:
        return [str(line["id"]) for line in json.loads(request.partition(b"\n")[2])["transactions"]]

    def counted_calls(self) -> list[Call]:
        calls: list[Call] = self._world.transport.calls
        return calls

    def is_about_statements(self, call: Call) -> bool:
        return "/push" in call.path

    def wait_key(self, call: Call) -> Key:
        if call.status == 429:
            return keys.not_before(Scope.APP, CODAT_SUBJECT)
        if call.tenant:
            return keys.not_before(Scope.TENANT, call.tenant)
        return keys.not_before(Scope.APP, f"{CODAT_SUBJECT}-without-tenant")

    def ended(self, place: Place) -> list[tuple[str, str]]:
        return [(refusals.CONNECTION_MISSING, place.tenant_id)]

    def own_rules(self) -> list[str]:
        stored = "\n".join(self._world.secrets.texts)
        used = {call.token for call in self._world.transport.calls}
        violations = ["tokens: a key was used that was not stored"] if any(key not in stored for key in used) else []
        return violations + [text for place in self._world.places for text in self._balances(place)][:3]

    def _balances(self, place: Place) -> list[str]:
        """8. The balance after each line of a push is the one before it and its amount."""
        for operation in self._sim.operations.values():
            if (operation.company_id, operation.account_id) == (place.tenant_id, place.account_id):
                lines = operation.data["transactions"]
                balances = [_exact(line["balance"]) for line in lines]
                for before, line, after in zip(balances, lines[1:], balances[1:], strict=False):
                    if before + _exact(line["amount"]) != after:
                        return [f"money: {place.account_id} {line['id']} was sent with the balance {after}"]
        return []

    def canaries(self) -> set[str]:
        return self._world.secrets_known


def _ended_at(operation: Operation) -> datetime:
    """An operation that never ends counts until an operator says what became of it."""
    if operation.completed_at is not None:
        return operation.completed_at
    never_ends = operation.outcome is not None and operation.outcome.status == "Never"
    return operation.requested_at if never_ends else _NEVER


def _exact(value: Any) -> Decimal:
    return Decimal("NaN") if isinstance(value, float) else Decimal(value)
