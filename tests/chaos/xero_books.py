"""Xero's books, as the checks read them: the simulator's own record."""

from __future__ import annotations

import json
from decimal import Decimal
from itertools import pairwise
from typing import TYPE_CHECKING, Any

from feedlane.feeds.refusals import ACCOUNT_NOT_VALID, MEANING_BY_TYPE
from feedlane.ids import account_token
from feedlane.scope import APP_SUBJECT
from feedlane.statements.call_limits import WITHOUT_TENANT
from feedlane.store import keys
from feedlane.store.table import Key
from feedlane.vault.leases import LEASE_DURATION
from local.simulator.state import DEFAULT_CLIENT_SECRET, Statement
from tests.chaos import refusals
from tests.chaos.books import Booked, Post, Received, ReceivedLine, own_id
from tests.chaos.refusals import Refusal
from tests.chaos.transport import Call
from tests.chaos.xero import STATEMENTS, TOKEN

if TYPE_CHECKING:
    from tests.chaos.world import Place, World


class XeroBooks:
    """Implements `Books`."""

    name = "Xero"
    app_subject = APP_SUBJECT
    reasons = {
        reason: frozenset(type for type, meaning in MEANING_BY_TYPE.items() if meaning.reason == reason)
        for reason in {meaning.reason for meaning in MEANING_BY_TYPE.values()}
    } | {
        "app-keys-rejected": frozenset({"invalid_client"}),
        "account-archived": frozenset({ACCOUNT_NOT_VALID}),
        "account-deleted": frozenset({ACCOUNT_NOT_VALID}),
        "feed-connection-rejected": frozenset({"feed-connected-in-different-organisation", ACCOUNT_NOT_VALID}),
    }

    def __init__(self, world: World) -> None:
        self._world = world
        self._sim = world.sim

    @property
    def calls_per_minute_max(self) -> int:
        return self._sim.limits.allowances.tenant_minute

    @property
    def knows_lines_by_id(self) -> bool:
        return self._sim.behaviour.duplicate_key != "idOrContent"

    @property
    def refusals(self) -> list[Refusal]:
        refused: list[Refusal] = self._world.transport.refusals
        return refused

    def received(self, place: Place) -> list[Received]:
        token = account_token(place.connection_id, place.account_id)
        ids = {feed.id for feed in self._sim.feed_connections.values() if feed.account_token == token}
        statements = [one for one in self._sim.statements.values() if one.feed_connection_id in ids]
        return [self._received(one) for one in statements if not all(one.dropped)]

    def _received(self, statement: Statement) -> Received:
        sent = statement.received
        return Received(
            feed_connection_id=statement.feed_connection_id,
            lines=[
                ReceivedLine(line["transactionId"], line["postedDate"], signed(line), not dropped, dropped)
                for line, dropped in zip(sent["statementLines"], statement.dropped, strict=True)
            ],
            opening=signed(sent["startBalance"]),
            closing=signed(sent["endBalance"]),
            received_at=statement.received_at,
            ended_at=statement.settles_at,
            is_delivered=statement.status(self._sim.now()) == "DELIVERED",
        )

    def booked(self, place: Place) -> set[Booked]:
        now, feeds = self._sim.now(), self._sim.feed_connections
        return {
            Booked(feeds[statement.feed_connection_id].account_id, own_id(line["transactionId"]), signed(line))
            for statement in self._sim.statements.values()
            if statement.tenant_id == place.tenant_id and statement.status(now) == "DELIVERED"
            for line, dropped in zip(statement.received["statementLines"], statement.dropped, strict=True)
            if not dropped
        }

    def posts(self) -> list[Post]:
        return [
            Post(call.key, call.body, call.was_stored)
            for call in self._world.transport.calls
            if call.path == STATEMENTS and call.method == "POST"
        ]

    def key_of(self, statement_key: str) -> str:
        return statement_key

    def line_ids(self, request: bytes) -> list[str]:
        return [line["transactionId"] for line in json.loads(request)["items"][0]["statementLines"]]

    def counted_calls(self) -> list[Call]:
        return [call for call in self._world.transport.calls if call.path != TOKEN]

    def is_about_statements(self, call: Call) -> bool:
        return call.path.startswith(STATEMENTS)

    def wait_key(self, call: Call) -> Key:
        if call.limited.lower().startswith("app"):
            return keys.not_before("app", APP_SUBJECT)
        return keys.not_before("tenant", call.tenant) if call.tenant else keys.not_before("app", WITHOUT_TENANT)

    def ended(self, place: Place) -> list[tuple[str, str]]:
        return [
            (refusals.GRANT_ENDED, place.user_id),
            (refusals.CONNECTION_MISSING, f"{place.user_id} {place.tenant_id}"),
        ]

    def own_rules(self) -> list[str]:
        """6. A token is stored before it is used, and refreshes of a token set do not overlap."""
        violations, stored = [], "\n".join(self._world.secrets.texts)
        used = {call.token for call in self._world.transport.calls if call.path != TOKEN}
        if any(token and token not in stored for token in used):
            violations.append("tokens: a token was used that was not stored")
        return violations + self._refreshes()

    def canaries(self) -> set[str]:
        return {DEFAULT_CLIENT_SECRET, *self._sim.refresh_tokens, *self._sim.access_tokens}

    def _refreshes(self) -> list[str]:
        by_user: dict[str, list[Call]] = {}
        for call in self._world.transport.calls:
            if call.path == TOKEN and b"grant_type=refresh_token" in call.body:
                token = self._sim.refresh_tokens.get(_field(call.body, "refresh_token"))
                if token is None:
                    return ["tokens: a refresh token was sent that Xero never issued"]
                by_user.setdefault(token.grant.user.user_id, []).append(call)
        for user_id, calls in by_user.items():
            for before, after in pairwise(calls):
                overlaps = before.ended and after.at < before.ended and after.task is not before.task
                if overlaps and not self._lost_its_lease(user_id, before, after):
                    return ["tokens: two refreshes of one token set overlap"]
        return []

    def _lost_its_lease(self, user_id: str, before: Call, after: Call) -> bool:
        """Whether a consent may have taken the lease from the refresh: the next need not wait then."""
        return any(
            user == user_id and began <= after.at and stored >= before.at - LEASE_DURATION
            for user, began, stored in self._world.consents
        )


def signed(value: dict[str, Any]) -> Decimal:
    if isinstance(value["amount"], float):
        return Decimal("NaN")
    amount = Decimal(value["amount"])
    return amount if value["creditDebitIndicator"] == "CREDIT" else -amount


def _field(body: bytes, name: str) -> str:
    return dict(part.split("=", 1) for part in body.decode().split("&"))[name]
