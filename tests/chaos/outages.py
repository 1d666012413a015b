"""Outages: stretches of simulated time in which every call to one service fails, as its real client fails."""

from __future__ import annotations

import random
from typing import Any

import httpx
from botocore.exceptions import ClientError, EndpointConnectionError

from feedlane.aws.reached import is_unavailable, unavailable
from tests.chaos.timeline import Timeline

HOUR, DAY = 3600.0, 86_400.0
DYNAMODB, SQS, SECRETS, VAULT, XERO = "dynamodb", "sqs", "secretsmanager", "vault", "xero"
CODAT = "codat"
SERVICES = (DYNAMODB, SQS, SECRETS, VAULT, XERO)
SERVICES_WITH_CODAT = (*SERVICES[:-1], CODAT)
EVENTS = "events"
# What each client raises once its own retries are used up: the code of an answer, and the name in the address.
_CODES = {
    DYNAMODB: "InternalServerError",
    SQS: "ServiceUnavailable",
    SECRETS: "InternalServiceError",
    VAULT: "ServiceException",
    EVENTS: "InternalException",
}
# A connection that nobody answers is given up after so long.
NO_ANSWER_SECONDS = 3.0


class Outages:
    """Each service has one outage at a time. `last_end` is when the last of all ends, in seconds."""

    def __init__(self, timeline: Timeline, rng: random.Random) -> None:
        self.last_end = 0.0
        self._windows: dict[str, list[tuple[float, float]]] = {}
        self._timeline, self._rng = timeline, rng

    def plan(self, service: str, start: float, seconds: float) -> None:
        self._windows.setdefault(service, []).append((start, start + seconds))
        self.last_end = max(self.last_end, start + seconds)

    def end_of(self, service: str) -> float:
        """When the service's present outage ends; 0 if it has none."""
        now = self._timeline.seconds
        return max((end for start, end in self._windows.get(service, ()) if start <= now < end), default=0.0)

    def require(self, service: str, seconds: float = NO_ANSWER_SECONDS) -> None:
        """Raises what the real client raises if the service is down. What is not a task is the test itself."""
        if service not in self._windows or self._timeline.current() is None or not self.end_of(service):
            return
        self._timeline.sleep(seconds)
        error = self._error(service)
        if service in (DYNAMODB, SECRETS):  # the stand-ins of these replace the adapter too
            raise unavailable(service, error) if is_unavailable(error) else error
        raise error

    def _error(self, service: str) -> Exception:
        if service in (XERO, CODAT):
            return httpx.ConnectTimeout("no connection")
        if self._rng.random() < 0.5:
            return EndpointConnectionError(endpoint_url=f"https://{service}.example")
        answer: Any = {
            "Error": {"Code": _CODES[service], "Message": "down"},
            "ResponseMetadata": {"HTTPStatusCode": 503 if service == SQS else 500},
        }
        return ClientError(answer, "Call")
