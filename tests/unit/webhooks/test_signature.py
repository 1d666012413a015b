"""Signatures, verified against a fixed vector and the two libraries that consumers use."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

import pytest
from standardwebhooks import Webhook as StandardWebhook
from standardwebhooks import WebhookVerificationError as StandardVerificationError
from svix.webhooks import Webhook as SvixWebhook
from svix.webhooks import WebhookVerificationError

from feedlane.events.envelope import webhook_body
from feedlane.webhooks.cache import ExpiringCache
from feedlane.webhooks.consumer import Consumer
from feedlane.webhooks.signature import sign, signed_headers
from tests.builders import NOW
from tests.worlds.webhooks import SECRET, hold_event

OTHER = "whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw"
FORMER = "whsec_QUJDREVGR0hJSktMTU5PUFFSU1RVVldY"
ERRORS = (WebhookVerificationError, StandardVerificationError)


def test_the_published_vector() -> None:
    content = b'{"id":"5f1c1a7e-8a35-4a0d-9c1f-1b7f6f6f0c11","eventType":"bankTransactions.write.successful"}'
    assert sign(SECRET, "msg_2f3a9c", 1_735_689_600, content) == "v1,1im9zq0OIboxljklY1sgYFp0G1I9jKgGUQ6Xg2T4Uf4="


@pytest.mark.parametrize("library", [SvixWebhook, StandardWebhook])
@pytest.mark.parametrize("secret", [SECRET, OTHER])
def test_consumers_verify_with_their_libraries_during_a_rotation(library: type, secret: str) -> None:
    content = webhook_body(hold_event())
    headers = signed_headers("event-1", datetime.now(UTC), content, [OTHER, SECRET])
    library(secret).verify(content, headers)  # raises if it is not signed with this secret
    with pytest.raises(ERRORS):
        library(FORMER).verify(content, headers)


def test_another_body_is_not_verified() -> None:
    content = webhook_body(hold_event())
    headers = signed_headers("event-1", datetime.now(UTC), content, [SECRET])
    with pytest.raises(WebhookVerificationError):
        SvixWebhook(SECRET).verify(content + b" ", headers)


def test_a_broken_secret_is_an_error_that_does_not_show_it() -> None:
    with pytest.raises(ValueError, match="not base64") as error:
        sign("whsec_***", "id", 1, b"")
    assert "***" not in str(error.value)


def test_secrets_are_asked_for_once_a_minute_and_never_remembered_as_none() -> None:
    now, fetched, answers = [NOW], [], [[], ["one"], ["two", "one"]]

    def fetch(consumer_id: str) -> list[str]:
        fetched.append(consumer_id)
        return answers.pop(0)

    secrets, consumer = ExpiringCache(fetch, lambda: now[0]), Consumer(id="consumer-1", url="https://x", created=NOW)
    assert secrets.get(consumer) == []
    assert secrets.get(consumer) == ["one"]
    now[0] += timedelta(seconds=59)
    assert secrets.get(consumer) == ["one"]
    now[0] += timedelta(seconds=1)
    assert secrets.get(consumer) == ["two", "one"]
    assert len(fetched) == 3


def test_a_secret_that_was_just_rotated_is_asked_for_at_once() -> None:
    answers = [["one"], ["two", "one"]]
    secrets = ExpiringCache(lambda consumer_id: answers.pop(0), lambda: NOW)
    consumer = Consumer(id="consumer-1", url="https://x", created=NOW)
    assert secrets.get(consumer) == ["one"]
    assert secrets.get(consumer.but(version=2)) == ["two", "one"]
