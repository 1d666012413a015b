"""Calls to Codat's simulator, with faults, and what its answers refuse."""

from __future__ import annotations

import base64
import json
from collections.abc import Callable, Iterator
from typing import Any, NamedTuple
from urllib.parse import unquote

import httpx

from feedlane.codat_upstream import problems as codat_problems
from feedlane.json_object import json_object
from local.codat_simulator.records import Connection
from local.simulator.faults import Content, Fault
from tests.chaos import refusals
from tests.chaos.codat.faults import PAGES_OF_CODAT
from tests.chaos.outages import CODAT
from tests.chaos.transport import Answer, Call, Transport

ENDED_AT_CODAT = "feed ended"
_TYPES = {
    401: codat_problems.KEY_REJECTED,
    402: codat_problems.LIMIT_REACHED,
    403: codat_problems.ACCESS_REFUSED,
    404: codat_problems.NOT_FOUND,
    422: codat_problems.KEY_REUSED,
}
_RETRY_AFTER_SECONDS = (60, 5_000, 100_000)


class PushPath(NamedTuple):
    """What the path of a push names."""

    company_id: str
    connection_id: str
    account_id: str

    @classmethod
    def of(cls, call: Call) -> PushPath | None:
        parts = call.path.split("/")
        if call.method != "POST" or len(parts) < 9 or parts[5:7] != ["push", "bankAccounts"]:
            return None
        return cls(parts[2], parts[4], unquote("/".join(parts[7:-1])))


class CodatTransport(Transport):
    """`on_answer` is called after each call: something may fall due from now on."""

    name = CODAT
    on_answer: Callable[[], None] = staticmethod(lambda: None)

    def _tenant_of(self, request: httpx.Request) -> str:
        parts = request.url.path.split("/")
        return parts[2] if len(parts) > 2 and parts[1] == "companies" else ""

    def _token_of(self, request: httpx.Request) -> str:
        return base64.b64decode(super()._token_of(request)).decode()

    def _note_call(self, call: Call) -> None:
        push = PushPath.of(call)
        if push is None:
            return
        call.was_stored = frozen_request(push, call.body) in self._requests
        connection = self._simulator.sim.connections.get(push.connection_id)
        if connection is not None and connection.status == "Linked":
            lines = [str(line["id"]) for line in json.loads(call.body)["transactions"]]
            self._causes.strike(connection, push.account_id, lines)

    def _serve(self, request: httpx.Request, call: Call) -> Answer:
        self._causes.settle()
        try:
            return super()._serve(request, call)
        finally:
            self._causes.settle()
            self.on_answer()

    def _choose_fault(self, call: Call) -> Fault | None:
        strike, rng = self._faults.strike, self._rng
        for kind, statuses in PAGES_OF_CODAT.items():
            if strike(kind):
                content: Content = rng.choice(("html", "empty"))
                when = rng.choice(("before", "after"))
                return Fault(0, "page", when, status=rng.choice(statuses), content=content)
        for limit, seconds_max in (("minute", 60), ("day", 77_000)):
            if strike(f"codat_429_{limit}"):
                return Fault(0, "rateLimit", "before", seconds=rng.randint(1, seconds_max))
        if strike("codat_429_silent"):
            return Fault(0, "status", "before", status=429)
        if strike("codat_503"):
            headers = {"Retry-After": str(rng.choice(_RETRY_AFTER_SECONDS))} if rng.random() < 0.2 else {}
            return Fault(0, "status", "before", status=503, headers=headers)
        if strike("codat_500"):
            return Fault(0, "status", "before", status=500)
        if strike("codat_500_after_work"):
            return Fault(0, "status", "after", status=rng.choice((500, 502, 504)))
        return self._choose_refusal()

    def _choose_refusal(self) -> Fault | None:
        """Refusals of one call, which Codat keeps under its key."""
        if self._faults.strike("codat_409"):
            return Fault(0, "status", "before", status=409)
        if self._faults.strike("codat_401"):
            return Fault(0, "status", "before", status=401)
        if self._faults.strike("codat_4xx"):
            return Fault(0, "status", "before", status=self._rng.choice((400, 402, 403, 404)))
        return None

    def _note_answer(self, call: Call, body: bytes) -> None:
        value = json_object(body)
        connection = self._simulator.sim.connections.get(_connection_id(call))
        if connection is not None and connection.status != "Linked":
            self._causes.note(refusals.CONNECTION_MISSING, connection.company_id)
        if connection is not None and (value is not None or body.startswith(b"[")):
            self._note_ended_feeds(connection)
        if call.status < 400 or value is None or "error" not in value:
            return
        subjects = {call.tenant, *self._tokens(call, connection)}
        types = {_TYPES.get(call.status, codat_problems.REFUSED)}
        if (value.get("validation") or {}).get("errors"):
            types.add(codat_problems.INVALID)
        if call.status in (403, 404):  # of a connection that is in order
            types.add(codat_problems.REFUSED)
        for type in types:
            self._causes.note(type, *subjects)
        if self._faults.on:
            self._faults.counts[f"answer_{call.status}"] += 1

    def _note_ended_feeds(self, connection: Connection) -> None:
        for account in self._simulator.sim.accounts_of(connection):
            if account.status == "disconnected":
                self._causes.note(ENDED_AT_CODAT, self._causes.token_of(connection.id, account.id))

    def _tokens(self, call: Call, connection: Connection | None) -> Iterator[str]:
        push, asked = PushPath.of(call), json_object(call.body) or {}
        named = [push.account_id] if push else [asked.get("sourceAccountId"), asked.get("id")]
        for account_id in named:
            if connection is not None and isinstance(account_id, str):
                yield self._causes.token_of(connection.id, account_id)


def frozen_request(push: PushPath, body: bytes) -> bytes:
    """The statement's request as it is stored, of the path and the body that were sent."""
    return f"{push.connection_id}/{push.account_id}\n".encode() + body


def _connection_id(call: Call) -> str:
    parts: list[Any] = call.path.split("/")
    return parts[4] if len(parts) > 4 and parts[3] == "connections" else ""
