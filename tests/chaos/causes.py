"""Causes of refusals at Xero. Each lasts in the simulator from when it strikes until it is fixed."""

from __future__ import annotations

import json
from collections.abc import Callable
from dataclasses import dataclass

from local.simulator.api_call import ApiCall
from local.simulator.faults import Fault
from local.simulator.faults import Faults as InjectedFaults
from local.simulator.problems import problem
from local.simulator.state import LaterRejection, Simulator
from tests.chaos.faults import CAUSES, Faults

TENANT_PROBLEMS = {"xero_403_invalid-user-role": "invalid-user-role"}
FEED_PROBLEMS = {
    "xero_403_invalid-organisation-multi-currency": "invalid-organisation-multi-currency",
    "xero_422_account-not-valid": "account-not-valid",
}


NEVER_ACCEPTED = "line_never_taken"


@dataclass(frozen=True)
class Cause:
    """`subject` is a tenant, a feed connection, the app, or an account token and a line that Xero never accepts."""

    kind: str
    subject: str


class Causes:
    def __init__(self, sim: Simulator, faults: Faults) -> None:
        self.active: list[Cause] = []
        self._sim = sim
        self._faults = faults

    def strike(self, tenant_id: str, body: bytes) -> None:
        """Something may have changed at Xero just before a statement arrives."""
        feed_connection_id = feed_connection_in(body)
        for kind in CAUSES:
            if not self._faults.strike(kind):
                continue
            if kind == NEVER_ACCEPTED:
                lines = lines_in(body)
                self.active.append(Cause(kind, f"{self._token(feed_connection_id)} {lines[len(lines) // 2]}"))
            else:
                self.start(kind, tenant_id, feed_connection_id)

    def start(self, kind: str, tenant_id: str, feed_connection_id: str) -> None:
        sim, subject = self._sim, tenant_id
        match kind:
            case "xero_403_invalid-organisation-bank-feeds":
                sim.organisations[tenant_id].bank_feeds = False
            case "xero_403_invalid-application":
                sim.app.bank_feeds_enabled, subject = False, "app"
            case "xero_403_suspended-or-terminated-application":
                sim.app.suspended, subject = True, "app"
            case "xero_403_AuthenticationUnsuccessful":
                for connection in sim.connections:
                    connection.removed = connection.removed or connection.tenant_id == tenant_id
            case "xero_403_invalid-feed-connection":
                subject = feed_connection_id
                if subject in sim.feed_connections and sim.feed_connections[subject].deleted_from is None:
                    sim.feed_connections[subject].deleted_from = sim.now()
            case "statement_rejected":
                errors = [problem("account-not-valid")]
                sim.later_rejections.append(LaterRejection(errors, tenant_id, feed_connection_id, 1))
                return
            case _:
                subject = tenant_id if kind in TENANT_PROBLEMS else feed_connection_id
        self.active.append(Cause(kind, subject))

    def fix(self, cause: Cause) -> None:
        """Fixes the cause at Xero. Removed connections and feed connections need the customer or the platform."""
        sim = self._sim
        match cause.kind:
            case "xero_403_invalid-organisation-bank-feeds":
                sim.organisations[cause.subject].bank_feeds = True
            case "xero_403_invalid-application":
                sim.app.bank_feeds_enabled = True
            case "xero_403_suspended-or-terminated-application":
                sim.app.suspended = False
        self.active = [other for other in self.active if other != cause]

    def problem_for(self, call: ApiCall) -> Fault | None:
        """The problem that answers a statement because of an active cause unknown to the simulator."""
        if call.method != "POST" or not call.path.endswith("/Statements"):
            return None
        feed_connection_id = feed_connection_in(call.body)
        if self._has_refused_line(feed_connection_id, call.body):
            return Fault(0, "problem", "before", problem=problem("invalid-request"), shape="item")
        for cause in self.active:
            known = TENANT_PROBLEMS | FEED_PROBLEMS
            if cause.kind in known and cause.subject in (call.tenant_id, feed_connection_id):
                if cause.kind == "xero_422_account-not-valid" and self._was_accepted(feed_connection_id, call.body):
                    continue
                return Fault(0, "problem", "before", problem=problem(known[cause.kind]), shape="item")
        return None

    def _has_refused_line(self, feed_connection_id: str, body: bytes) -> bool:
        token, feed = self._token(feed_connection_id), self._sim.feed_connections.get(feed_connection_id)
        refused = {cause.subject for cause in self.active if cause.kind == NEVER_ACCEPTED}
        new_ids = (
            [id for id in lines_in(body) if feed is None or id not in feed.used_transaction_ids] if refused else []
        )
        return any(f"{token} {id}" in refused for id in new_ids)

    def _token(self, feed_connection_id: str) -> str:
        feed = self._sim.feed_connections.get(feed_connection_id)
        return feed.account_token if feed else ""

    def _was_accepted(self, feed_connection_id: str, body: bytes) -> bool:
        """Whether Xero has accepted these bytes: what it refuses for its content, it has refused from the start."""
        feed = self._sim.feed_connections.get(feed_connection_id)
        first = json.loads(body)["items"][0]["statementLines"][0]["transactionId"]
        return feed is not None and first in feed.used_transaction_ids


class ChaosFaults(InjectedFaults):
    """The simulator's faults: those injected into one call by its header, and those of active causes."""

    def __init__(self, causes: Causes) -> None:
        super().__init__()
        self.injected: dict[str, Fault] = {}
        self.partly: Callable[[ApiCall], Fault | None] = lambda call: None
        self._causes = causes

    def take(self, call: ApiCall) -> Fault | None:
        injected = self.injected.pop(call.headers.get("x-chaos", ""), None)
        return injected or self._causes.problem_for(call) or self.partly(call) or super().take(call)

    def take_page(self, call: ApiCall) -> Fault | None:
        number = call.headers.get("x-chaos", "")
        is_page = number in self.injected and self.injected[number].kind == "page"
        return self.injected.pop(number) if is_page else super().take_page(call)


def feed_connection_in(body: bytes) -> str:
    return str(json.loads(body)["items"][0]["feedConnectionId"])


def lines_in(body: bytes) -> list[str]:
    return [line["transactionId"] for line in json.loads(body)["items"][0]["statementLines"]]
