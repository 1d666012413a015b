"""A deployment as it looks from outside: what Xero grants, which pages answer, and who gets the alarms."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field
from datetime import datetime

from feedlane.companies.hosted_link import HostedClient
from feedlane.credentials.authorization import Authorization, Verdict
from tests import rights
from tests.builders import NOW


@dataclass
class FakeOutside:
    """`refused` are the scopes that Xero does not grant; `verdict` is its answer to everything, if there is one."""

    refused: set[str] = field(default_factory=set)
    verdict: Verdict | None = None
    answered_at: datetime | None = NOW
    faults: dict[str, str] = field(default_factory=dict)
    recipients: tuple[int, int] = (1, 0)
    codat: Callable[[], HostedClient] = lambda: HostedClient(offers_xero=True)
    asked: list[tuple[str, str, tuple[str, ...]]] = field(default_factory=list)

    def ask_xero(self, client_id: str, redirect_uri: str, scopes: tuple[str, ...]) -> Authorization:
        self.asked.append((client_id, redirect_uri, scopes))
        if self.verdict is not None:
            return Authorization(self.verdict, self.answered_at, "Xero answered 503")
        verdict = Verdict.WRONG_SCOPE if self.refused & set(scopes) else Verdict.ACCEPTED
        return Authorization(verdict, self.answered_at)

    def codat_client(self) -> HostedClient:
        return self.codat()

    def page_faults(self, *urls: str) -> list[str]:
        return [next((fault for part, fault in self.faults.items() if part in url), "") for url in urls]

    def alarm_recipients(self) -> tuple[int, int]:
        rights.require("sns:ListSubscriptionsByTopic", "AlarmTopic")
        return self.recipients
