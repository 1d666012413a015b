"""One linked connection of one Xero user, twenty instances that ask for its token, and what is true of them."""

from __future__ import annotations

import json
import random
import uuid
from collections.abc import Sequence
from datetime import datetime, timedelta
from itertools import pairwise
from typing import Any

import boto3
import httpx

from feedlane.clock import system_clock
from feedlane.connection import Connection, ConnectionStatus
from feedlane.store import keys
from feedlane.store.dynamodb import DynamoDBTable
from feedlane.store.store import Store
from feedlane.vault_secrets_manager import SecretsManager
from feedlane.xero.identity import authorize_url
from local.instance import REGION, ROOT_CREDENTIALS
from local.simulator.organisations import fixed_id
from local.simulator.state import DEFAULT_CLIENT_ID, DEFAULT_CLIENT_SECRET
from tests import builders
from tests.races.place import PREFIX, TABLE, Place
from tests.races.pool import Pool
from tests.races.process import Answer, Ask

TOKEN_PATH = "/connect/token"
TENANT = fixed_id("harbour-bakery")
REDIRECT = "http://localhost:4566/oauth/callback"
SCOPES = ("openid", "profile", "email", "accounting.settings.read", "bankfeeds", "offline_access")
DISCONNECTED = "connection.disconnected"
# Longer than a lease, and within Xero's grace period.
LEASE_OVER = 41.0
HURRY = 25.0
MINUTE = 60.0
DAY = 86400.0


class World:
    def __init__(self, place: Place, pool: Pool, seed: int) -> None:
        self.rng = random.Random(seed)
        self.violations: list[str] = []
        self.asked = 0
        self.deaths = 0
        self.secret = DEFAULT_CLIENT_SECRET
        self._ahead = 0.0
        self._pool = pool
        self._xero = httpx.Client(base_url=place.xero_url, trust_env=False, timeout=30)
        given = {"region_name": REGION, "endpoint_url": place.aws_url} | {
            "aws_access_key_id": ROOT_CREDENTIALS["AWS_ACCESS_KEY_ID"],
            "aws_secret_access_key": ROOT_CREDENTIALS["AWS_SECRET_ACCESS_KEY"],
        }
        self.store = Store(DynamoDBTable(boto3.client("dynamodb", **given), TABLE))
        self._secrets = SecretsManager(boto3.client("secretsmanager", **given), PREFIX)
        self._user = str(uuid.UUID(int=self.rng.getrandbits(128)))
        self.connection = self._begun()

    # what happens

    def ask(self, count: int, *arguments: Any, what: str = "token", **how: Any) -> list[Answer]:
        """So many instances are asked the same at once."""
        return self.ask_each([self.asking(*arguments, what=what, **how)] * count)

    def ask_each(self, asks: Sequence[Ask]) -> list[Answer]:
        self.asked += len(asks)
        answers = self._pool.ask(asks)
        self.deaths += sum(answer.kind == "Dead" for answer in answers)
        return answers

    def asking(self, *arguments: Any, what: str = "token", **how: Any) -> Ask:
        given = (self.token_set, *arguments) if what == "token" else arguments
        return Ask(what, given, **({"ahead": self._ahead} | how))

    def stalled(self, at: str) -> bool:
        self.asked += 1
        return self._pool.stalled(self.asking(at=at, do="stall"))

    def resumed(self) -> Answer:
        return self._pool.resumed()

    def advance(self, seconds: float) -> None:
        """Both clocks, ours and Xero's."""
        self.control("POST", "clock", {"advanceSeconds": seconds})
        self._ahead += seconds

    def expire(self) -> None:
        """The access token ends; whoever asks next has to refresh."""
        self.advance(31 * MINUTE)

    def our_clock(self, seconds: float) -> None:
        """Ours alone is wrong by so much."""
        self._ahead += seconds

    def fault(self, **fault: Any) -> None:
        self.control("POST", "faults", {"match": {"path": TOKEN_PATH}, **fault})

    def mend(self) -> None:
        self.control("DELETE", "faults")

    def revoke_at_xero(self) -> None:
        """The user ends the grant where nobody tells us."""
        stored = self._secrets.current(f"token-sets/{self.token_set}")
        assert stored is not None
        answer = self._xero.post(
            "/connect/revocation",
            data={"token": json.loads(stored.text)["refresh_token"]},
            auth=(DEFAULT_CLIENT_ID, self.secret),
        )
        answer.raise_for_status()

    def consent(self) -> str:
        """The customer authorises (again). Answers the token set's id."""
        self.control("PUT", "consent", {"mode": "auto", "tenantIds": [TENANT], "userId": self._user})
        back = self._xero.get(authorize_url("", DEFAULT_CLIENT_ID, REDIRECT, SCOPES, "state"))
        code = httpx.URL(back.headers["location"]).params["code"]
        [granted] = self.ask(1, code, REDIRECT, what="exchange")
        assert granted.kind == "ok", granted
        return str(granted.value)

    def reconnect(self) -> None:
        """A new consent, and the connection is linked again."""
        self.token_set = self.consent()
        now = self.now
        linked = self.linked.but(status=ConnectionStatus.LINKED, linked_on=now, token_set_id=self.token_set)
        self.store.commit(self.store.put_connection(linked))

    def control(self, method: str, path: str, body: Any = None) -> Any:
        answer = self._xero.request(method, f"/_simulator/{path}", json=body)
        answer.raise_for_status()
        return answer.json()

    # what is true

    @property
    def now(self) -> datetime:
        return system_clock() + timedelta(seconds=self._ahead)

    @property
    def linked(self) -> Connection:
        return self.store.connection(self.connection.company_id, self.connection.id)

    def token_calls(self) -> list[dict[str, Any]]:
        """Those of the identity server since the world began, in order."""
        return [call for call in self.control("GET", "calls")["calls"] if call["path"] == TOKEN_PATH]

    def refreshes(self, since: int) -> int:
        """How often Xero gave (or may have given) a new pair: a secret that it does not know gets a 400."""
        return sum(call["status"] != 400 for call in self.token_calls()[since:])

    def told(self) -> int:
        """How often the end of the connection was told."""
        events = self.store.table.query(f"EVENT#{self.connection.id}")
        return sum(item["type"] == DISCONNECTED for item in events)

    def expect(self, truth: object, text: str) -> None:
        if not truth:
            self.violations.append(text)

    def expect_one_token(self, answers: Sequence[Answer], what: str) -> str:
        """All got a token, the same one, and Xero takes it."""
        tokens = {answer.value for answer in answers if answer.kind == "ok"}
        self.expect(len(tokens) <= 1, f"{what}: {len(tokens)} different tokens were given")
        self.expect_tokens(answers, what)
        return next(iter(tokens), "")

    def expect_tokens(self, answers: Sequence[Answer], what: str) -> None:
        """All got a token that Xero takes. After a crash that may be the pair of the dead as well as the next one."""
        kinds = sorted({f"{one.kind} {one.value}" for one in answers if one.kind != "ok"})
        self.expect(not kinds, f"{what}: not all got a token: {', '.join(kinds)}")
        for token in {answer.value for answer in answers if answer.kind == "ok"}:
            answer = self._xero.get("/connections", headers={"Authorization": f"Bearer {token}"})
            self.expect(answer.status_code == 200, f"{what}: Xero answers {answer.status_code} to the token")

    def expect_nobody_lost(self, answers: Sequence[Answer], what: str) -> None:
        """Whatever went wrong for these, nobody was told to reconnect, and no token came from outside the store."""
        lost = [answer.value for answer in answers if answer.kind == "ReconnectionNeeded"]
        self.expect(not lost, f"{what}: asked for reconnection ({lost[:1]}) though Xero has ended nothing")
        self.expect(not any(answer.unstored for answer in answers), f"{what}: a token was given before it was stored")

    def expect_one_at_a_time(self, since: int, what: str) -> None:
        """No call to the token endpoint began before the one before it had ended."""
        spans = [_span(call) for call in self.token_calls()[since:]]
        overlapping = any(later[0] < earlier[1] for earlier, later in pairwise(spans))
        self.expect(not overlapping, f"{what}: two refreshes at once")

    def expect_linked(self, what: str) -> None:
        """The daily round finds nothing to end either."""
        answers = self.ask(2, what="tend")
        self.expect(all(one == Answer("ok", 0) for one in answers), f"{what}: the round found {answers}")
        self.expect(self.linked.is_linked, f"{what}: the connection is {self.linked.status}")

    def expect_ended_once(self, before: int, what: str) -> None:
        """Three rounds at once mark the connection as ended, one of them with its event."""
        answers = self.ask(3, what="tend", hurry=HURRY)
        self.expect(all(answer.kind == "ok" for answer in answers), f"{what}: a round failed: {answers}")
        self.expect(self.linked.status is ConnectionStatus.DEAUTHORIZED, f"{what}: still {self.linked.status}")
        self.expect(self.told() == before + 1, f"{what}: told {self.told() - before} times")

    def close(self) -> None:
        self.store.table.delete_many([keys.connection(self.connection.company_id, self.connection.id)])
        self._xero.close()

    def _begun(self) -> Connection:
        self.control("POST", "reset")
        [saved] = self.ask(1, DEFAULT_CLIENT_ID, DEFAULT_CLIENT_SECRET, what="save_keys")
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
        self.store.commit(self.store.add_company(company), self.store.add_connection(connection))
        return connection


def _span(call: dict[str, Any]) -> tuple[datetime, datetime]:
    begun = datetime.fromisoformat(call["time"])
    return begun, begun + timedelta(milliseconds=call["durationMs"])
