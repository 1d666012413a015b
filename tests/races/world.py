"""One linked connection of one Xero user, twenty instances that request its token, and the expectations."""

from __future__ import annotations

import random
import time
import uuid
from collections.abc import Sequence
from datetime import datetime, timedelta
from itertools import pairwise
from typing import Any

import boto3
import httpx

from feedlane.aws.dynamodb import DynamoDBTable
from feedlane.clock import system_clock
from feedlane.companies import items as company_items
from feedlane.companies.connection import Connection, ConnectionStatus
from feedlane.store import keys
from feedlane.store.store import Store
from feedlane.vault.leases import Leases
from feedlane.vault.secrets_manager import SecretsManager
from feedlane.vault.shards import Shards
from feedlane.vault.token_sets import TokenSets
from feedlane.xero.identity import authorize_url
from local.instance import REGION, ROOT_CREDENTIALS
from local.simulator.organisations import fixed_id
from local.simulator.state import DEFAULT_CLIENT_ID, DEFAULT_CLIENT_SECRET
from tests import builders
from tests.races.pool import Pool
from tests.races.process import SHARED, Answer, Ask
from tests.races.services import PREFIX, TABLE, Services

TOKEN_PATH = "/connect/token"
TENANT = fixed_id("harbour-bakery")
REDIRECT = "http://localhost:4566/oauth/callback"
SCOPES = ("openid", "profile", "email", "accounting.settings.read", "bankfeeds", "offline_access")
DISCONNECTED = "connection.disconnected"
# Longer than a lease, and within Xero's grace period.
AFTER_LEASE_SECONDS = 41.0
HURRY = 25.0
MINUTE_SECONDS = 60.0
HOUR_SECONDS = 3600.0
DAY_SECONDS = 86400.0


class World:
    def __init__(self, services: Services, pool: Pool, seed: int) -> None:
        self.rng = random.Random(seed)
        self.shared = SHARED[seed % len(SHARED)]
        self.violations: list[str] = []
        self.requests = 0
        self.deaths = 0
        self.secret = DEFAULT_CLIENT_SECRET
        self._ahead = 0.0
        self._pool = pool
        self._xero = httpx.Client(base_url=services.xero_url, trust_env=False, timeout=30)
        options = {"region_name": REGION, "endpoint_url": services.aws_url} | {
            "aws_access_key_id": ROOT_CREDENTIALS["AWS_ACCESS_KEY_ID"],
            "aws_secret_access_key": ROOT_CREDENTIALS["AWS_SECRET_ACCESS_KEY"],
        }
        self.store = Store(DynamoDBTable(boto3.client("dynamodb", **options), TABLE))
        self._secrets = SecretsManager(boto3.client("secretsmanager", **options), PREFIX)
        self._user = str(uuid.UUID(int=self.rng.getrandbits(128)))
        self.connection = self._set_up()

    # actions

    def ask(self, count: int, *arguments: Any, action: str = "token", **options: Any) -> list[Answer]:
        """Sends the same request to so many instances at once."""
        return self.ask_each([self.request(*arguments, action=action, **options)] * count)

    def ask_each(self, asks: Sequence[Ask]) -> list[Answer]:
        self.requests += len(asks)
        answers = self._pool.ask(asks)
        self.deaths += sum(answer.kind == "Dead" for answer in answers)
        return answers

    def request(self, *arguments: Any, action: str = "token", **options: Any) -> Ask:
        arguments = (self.token_set, *arguments) if action == "token" else arguments
        return self._ask_for(action, arguments, **options)

    def request_of(self, token_set: str, **options: Any) -> Ask:
        """For another customer's token."""
        return self._ask_for("token", (token_set,), **options)

    def _ask_for(self, action: str, arguments: tuple[Any, ...], **options: Any) -> Ask:
        return Ask(action, arguments, **({"ahead": self._ahead, "shared": self.shared} | options))

    def stall(self, at: str) -> bool:
        self.requests += 1
        return self._pool.stall(self.request(at=at, do="stall"))

    def resume(self) -> Answer:
        return self._pool.resume()

    def advance(self, seconds: float) -> None:
        """Advances both clocks, ours and Xero's."""
        self.control("POST", "clock", {"advanceSeconds": seconds})
        self._ahead += seconds

    def expire(self) -> None:
        """Lets the access token expire: the next request has to refresh."""
        self.advance(31 * MINUTE_SECONDS)

    def shift_our_clock(self, seconds: float) -> None:
        """Shifts only our clock."""
        self._ahead += seconds

    def fault(self, **fault: Any) -> None:
        self.control("POST", "faults", {"match": {"path": TOKEN_PATH}, **fault})

    def clear_faults(self) -> None:
        self.control("DELETE", "faults")

    def revoke_at_xero(self) -> None:
        """The user ends the grant at Xero, without notice to us."""
        leases = Leases(self.store.table, system_clock)
        shards = Shards(self._secrets, leases, system_clock, time.sleep, self.shared)
        token_sets = TokenSets(self._secrets, shards, leases, system_clock, time.sleep)
        stored = token_sets.read(leases.read(self.token_set))
        assert stored is not None
        answer = self._xero.post(
            "/connect/revocation",
            data={"token": stored.refresh_token},
            auth=(DEFAULT_CLIENT_ID, self.secret),
        )
        answer.raise_for_status()

    def consent(self, user: str = "") -> str:
        """The customer, or another one, authorises the app, perhaps again. Returns the token set's id."""
        self.control("PUT", "consent", {"mode": "auto", "tenantIds": [TENANT], "userId": user or self._user})
        redirect = self._xero.get(authorize_url("", DEFAULT_CLIENT_ID, REDIRECT, SCOPES, "state"))
        code = httpx.URL(redirect.headers["location"]).params["code"]
        [granted] = self.ask(1, code, REDIRECT, action="exchange")
        assert granted.kind == "ok", granted
        return str(granted.value)

    def reconnect(self) -> None:
        """Links the connection again with a new consent."""
        self.token_set = self.consent()
        now = self.now
        linked = self.linked.but(status=ConnectionStatus.LINKED, linked_on=now, token_set_id=self.token_set)
        self.store.commit(company_items.put_connection(linked))

    def control(self, method: str, path: str, body: Any = None) -> Any:
        answer = self._xero.request(method, f"/_simulator/{path}", json=body)
        answer.raise_for_status()
        return answer.json()

    # expectations

    @property
    def now(self) -> datetime:
        return system_clock() + timedelta(seconds=self._ahead)

    @property
    def linked(self) -> Connection:
        return company_items.connection(self.store, self.connection.company_id, self.connection.id)

    def token_calls(self) -> list[dict[str, Any]]:
        """All calls of the token endpoint since the reset, in order."""
        return [call for call in self.control("GET", "calls")["calls"] if call["path"] == TOKEN_PATH]

    def refreshes(self, since: int) -> int:
        """How often Xero has issued, or may have issued, a new pair. An unknown secret gets a 400."""
        return sum(call["status"] != 400 for call in self.token_calls()[since:])

    def disconnect_events(self) -> int:
        """The number of events about the end of the connection."""
        events = self.store.table.query(f"EVENT#{self.connection.id}")
        return sum(item["type"] == DISCONNECTED for item in events)

    def expect(self, truth: object, text: str) -> None:
        if not truth:
            self.violations.append(text)

    def expect_one_token(self, answers: Sequence[Answer], label: str) -> str:
        """All got the same token, and Xero accepts it."""
        tokens = {answer.value for answer in answers if answer.kind == "ok"}
        self.expect(len(tokens) <= 1, f"{label}: {len(tokens)} different tokens were given")
        self.expect_tokens(answers, label)
        return next(iter(tokens), "")

    def expect_tokens(self, answers: Sequence[Answer], label: str) -> None:
        """All got a token that Xero accepts. After a crash it may come from the dead holder's pair or from the next."""
        kinds = sorted({f"{answer.kind} {answer.value}" for answer in answers if answer.kind != "ok"})
        self.expect(not kinds, f"{label}: not all got a token: {', '.join(kinds)}")
        for token in {answer.value for answer in answers if answer.kind == "ok"}:
            answer = self._xero.get("/connections", headers={"Authorization": f"Bearer {token}"})
            self.expect(answer.status_code == 200, f"{label}: Xero answered {answer.status_code} to the token")

    def expect_no_one_lost(self, answers: Sequence[Answer], label: str) -> None:
        """None of these was asked to reconnect, and no token came from outside the store."""
        lost = [answer.value for answer in answers if answer.kind == "ReconnectionNeeded"]
        self.expect(not lost, f"{label}: asked to reconnect ({lost[:1]}) although Xero has ended nothing")
        self.expect(not any(answer.unstored for answer in answers), f"{label}: a token was given before it was stored")

    def expect_one_at_a_time(self, since: int, label: str) -> None:
        """Each call of the token endpoint began after the previous one had ended."""
        spans = [_span(call) for call in self.token_calls()[since:]]
        overlapping = any(later[0] < earlier[1] for earlier, later in pairwise(spans))
        self.expect(not overlapping, f"{label}: two refreshes overlap")

    def expect_linked(self, label: str) -> None:
        """The daily round also finds the connection linked."""
        answers = self.ask(2, action="tend")
        self.expect(all(answer == Answer("ok", 0) for answer in answers), f"{label}: the round found {answers}")
        self.expect(self.linked.is_linked, f"{label}: the connection is {self.linked.status}")

    def expect_ended_once(self, before: int, label: str) -> None:
        """Of three concurrent daily rounds, exactly one ends the connection with its event."""
        answers = self.ask(3, action="tend", hurry=HURRY)
        self.expect(all(answer.kind == "ok" for answer in answers), f"{label}: a round failed: {answers}")
        self.expect(self.linked.status is ConnectionStatus.DEAUTHORIZED, f"{label}: still {self.linked.status}")
        self.expect(self.disconnect_events() == before + 1, f"{label}: {self.disconnect_events() - before} events")

    def close(self) -> None:
        self.store.table.delete_many([keys.connection(self.connection.company_id, self.connection.id)])
        self._xero.close()

    def _set_up(self) -> Connection:
        self.control("POST", "reset")
        [saved] = self.ask(1, DEFAULT_CLIENT_ID, DEFAULT_CLIENT_SECRET, action="save_keys")
        assert saved == Answer("ok", True), saved
        self.token_set = self.consent()
        now = self.now
        company = builders.company(str(uuid.uuid4()), created=now)
        connection = builders.linked(
            str(uuid.uuid4()),
            company_id=company.id,
            created=now,
            linked_on=now,
            tenant=builders.tenant(TENANT, demo=True),
            token_set_id=self.token_set,
        )
        self.store.commit(company_items.add_company(company), company_items.add_connection(connection))
        return connection


def _span(call: dict[str, Any]) -> tuple[datetime, datetime]:
    start = datetime.fromisoformat(call["time"])
    return start, start + timedelta(milliseconds=call["durationMs"])
