"""Delivery of webhooks: signed as Svix signs them, at least once, retried by Codat's schedule."""

import asyncio
import base64
import hashlib
import hmac
from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from datetime import datetime, timedelta

import httpx

from local.codat_simulator.records import Consumer, Message
from local.codat_simulator.state import Codat

# After each failed attempt, the seconds until the next; about 28 hours in all.
RETRY_SECONDS = (5, 300, 1800, 7200, 18_000, 36_000, 36_000)
ANSWER_SECONDS = 15
NO_ANSWER = 0

# Posts a body with headers to an address; answers the status, or NO_ANSWER.
Post = Callable[[str, bytes, dict[str, str]], Awaitable[int]]


@dataclass(frozen=True)
class Attempt:
    """One request to make now."""

    message: Message
    url: str
    headers: dict[str, str]

    @property
    def body(self) -> bytes:
        return self.message.body


def due_attempts(sim: Codat) -> list[Attempt]:
    """The attempts to make now, oldest first. A disabled consumer gets none; a deleted one's messages are dropped."""
    now = sim.now()
    sim.messages = [message for message in sim.messages if message.consumer_id in sim.consumers]
    attempts = []
    for message in sim.messages:
        consumer = sim.consumers[message.consumer_id]
        if message.next_at is not None and message.next_at <= now and not consumer.disabled:
            attempts.append(Attempt(message, consumer.url, signed_headers(consumer, message, now)))
    return attempts


def record_attempt(sim: Codat, attempt: Attempt, status: int) -> None:
    """Any 2xx ends a message, after its last copy; a failure plans the next attempt."""
    message = attempt.message
    message.attempts.append(status)
    if 200 <= status < 300:
        message.copies_left -= 1
        message.status, message.next_at = "Success", sim.now() if message.copies_left > 0 else None
        return
    failures = sum(not 200 <= one < 300 for one in message.attempts)
    if failures > len(RETRY_SECONDS):
        message.status, message.next_at = "Failure", None
    else:
        message.status = "Attempting"
        message.next_at = sim.now() + timedelta(seconds=RETRY_SECONDS[failures - 1])


async def deliver_due(sim: Codat, post: Post) -> int:
    """Makes the due attempts at the same time, so that a slow receiver delays no other; answers how many."""
    attempts = due_attempts(sim)

    async def make(attempt: Attempt) -> None:
        record_attempt(sim, attempt, await post(attempt.url, attempt.body, attempt.headers))

    await asyncio.gather(*(make(attempt) for attempt in attempts))
    return len(attempts)


async def post_webhook(url: str, body: bytes, headers: dict[str, str]) -> int:
    """By HTTP. The stand-in's receivers have certificates that nobody knows."""
    try:
        async with httpx.AsyncClient(timeout=ANSWER_SECONDS, verify=False, trust_env=False) as http:
            answer = await http.post(url, content=body, headers=headers)
    except httpx.HTTPError:
        return NO_ANSWER
    return answer.status_code


def signed_headers(consumer: Consumer, message: Message, now: datetime) -> dict[str, str]:
    """The signature covers the id, the time of this attempt and the bytes."""
    stamp = str(int(now.timestamp()))
    key = base64.b64decode(consumer.secret.removeprefix("whsec_"))
    digest = hmac.new(key, f"{message.id}.{stamp}.".encode() + message.body, hashlib.sha256).digest()
    return {
        "content-type": "application/json",
        "webhook-id": message.id,
        "webhook-timestamp": stamp,
        "webhook-signature": f"v1,{base64.b64encode(digest).decode()}",
    }
