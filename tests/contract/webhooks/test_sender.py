"""The sender against a real HTTP server: what it sends, how long it waits, and where it does not connect."""

from __future__ import annotations

import ssl
import time
from collections.abc import Iterator
from datetime import UTC, datetime

import httpcore
import pytest
from standardwebhooks import Webhook as StandardWebhook
from svix.webhooks import Webhook as SvixWebhook

from feedlane.clock import system_clock
from feedlane.events.envelope import webhook_body
from feedlane.webhooks.delivery import Answer
from feedlane.webhooks.sender import WebhookSender
from feedlane.webhooks.signature import signed_headers
from tests.contract.webhooks.receiver import Receiver, running
from tests.worlds.webhooks import SECRET, hold_event

pytestmark = pytest.mark.enable_socket
# How long a sender waits that is to give up; one that is to be answered waits for longer than any of it takes.
IMPATIENT_SECONDS, PATIENT_SECONDS = 0.6, 10
# No behaviour of the receiver that an impatient sender gives up on is over sooner.
LONGEST_SECONDS = 4


@pytest.fixture(scope="module")
def receiver() -> Iterator[Receiver]:
    with running() as receiver:
        yield receiver


@pytest.fixture
def sender() -> Iterator[WebhookSender]:
    yield from _sender(PATIENT_SECONDS)


@pytest.fixture
def impatient() -> Iterator[WebhookSender]:
    yield from _sender(IMPATIENT_SECONDS)


def _sender(seconds: float) -> Iterator[WebhookSender]:
    sender = WebhookSender("any", system_clock, timeout_seconds=seconds)
    yield sender
    sender.close()


def send(sender: WebhookSender, url: str) -> Answer:
    content = webhook_body(hold_event())
    return sender.post(url, signed_headers("event-1", datetime.now(UTC), content, [SECRET]), content)


@pytest.mark.parametrize("library", [SvixWebhook, StandardWebhook])
def test_what_arrives_is_verified_by_the_consumers_library(
    sender: WebhookSender, receiver: Receiver, library: type
) -> None:
    assert send(sender, receiver.url("/status/204?key=1")).error is None
    received = receiver.received[-1]
    library(SECRET).verify(received.body, received.headers)
    assert received.body == webhook_body(hold_event())
    assert received.headers["content-type"] == "application/json"
    assert received.headers["host"] == f"127.0.0.1:{receiver.port}"
    assert received.headers["content-length"] == str(len(received.body))


@pytest.mark.parametrize("status", [200, 201, 400, 401, 410, 429, 500, 503])
def test_the_status_is_what_the_receiver_said(sender: WebhookSender, receiver: Receiver, status: int) -> None:
    answer = send(sender, receiver.url(f"/status/{status}"))
    assert (answer.status, answer.error, answer.excerpt) == (status, None, f"said {status}")


def test_a_redirect_is_not_followed(sender: WebhookSender, receiver: Receiver) -> None:
    before = len(receiver.received)
    assert send(sender, receiver.url("/redirect")).status == 302
    assert len(receiver.received) == before + 1


def test_retry_after_is_read(sender: WebhookSender, receiver: Receiver) -> None:
    assert send(sender, receiver.url("/retry-after/120")).retry_after == 120
    assert send(sender, receiver.url("/retry-after/%C2%B2")).retry_after is None


@pytest.mark.parametrize("path", ["/hang", "/drip-headers", "/continues"])
def test_a_receiver_that_hangs_or_drips_has_its_seconds_and_no_more(
    impatient: WebhookSender, receiver: Receiver, path: str
) -> None:
    started = time.monotonic()
    answer = send(impatient, receiver.url(path))
    elapsed = time.monotonic() - started
    assert (answer.status, answer.error) == (None, "timeout")
    assert elapsed < LONGEST_SECONDS
    assert IMPATIENT_SECONDS - 0.2 < answer.duration_ms / 1000 < elapsed + 0.2


def test_a_success_whose_body_drips_is_a_success(impatient: WebhookSender, receiver: Receiver) -> None:
    answer = send(impatient, receiver.url("/drip-body"))
    assert answer.succeeded
    assert answer.excerpt.startswith("first")
    assert answer.duration_ms < LONGEST_SECONDS * 1000


def test_of_a_large_answer_only_the_beginning_is_read(sender: WebhookSender, receiver: Receiver) -> None:
    assert send(sender, receiver.url("/large")).excerpt == "x" * 2000
    endless = send(sender, receiver.url("/endless"))
    assert endless.excerpt == "x" * 2000
    assert endless.duration_ms < LONGEST_SECONDS * 1000


def test_an_answer_that_is_no_text_can_be_kept(sender: WebhookSender, receiver: Receiver) -> None:
    """Each byte that is not UTF-8 is replaced: a lone surrogate could not be stored in the table."""
    answer = send(sender, receiver.url("/not-text"))
    assert (answer.status, answer.error) == (500, None)
    assert answer.excerpt.encode().decode() == bytes(range(128)).decode() + "\N{REPLACEMENT CHARACTER}" * 128


@pytest.mark.parametrize(("path", "error"), [("/break", "protocol"), ("/garbage", "protocol")])
def test_a_broken_answer_is_a_kind_of_error(sender: WebhookSender, receiver: Receiver, path: str, error: str) -> None:
    assert send(sender, receiver.url(path)).error == error


def test_nobody_listening_is_a_connection_error(sender: WebhookSender) -> None:
    assert send(sender, "http://127.0.0.1:1/").error == "connection"


def test_plain_http_on_a_tls_port_is_a_tls_error(receiver: Receiver) -> None:
    sender = WebhookSender("any", system_clock, tls=ssl.create_default_context())
    assert send(sender, f"https://127.0.0.1:{receiver.port}/status/204").error == "tls"


def test_a_host_without_an_address_is_a_dns_error() -> None:
    def unknown(host: str, port: int) -> list[str]:
        raise OSError("no such host")

    assert send(WebhookSender("any", system_clock, resolve=unknown), "https://nowhere.example/").error == "dns"


@pytest.mark.parametrize("targets", ["public", ""])
def test_a_name_that_leads_to_this_machine_is_never_connected_to(receiver: Receiver, targets: str) -> None:
    """Whatever it resolved to when the consumer was created: the check is made with each connection."""
    before = len(receiver.received)
    for address in ("127.0.0.1", "::ffff:127.0.0.1"):
        sender = WebhookSender(targets, system_clock, resolve=lambda host, port, address=address: [address])
        assert send(sender, f"https://rebound.example:{receiver.port}/status/204").error == "blocked"
    assert len(receiver.received) == before


def test_plain_http_and_forbidden_ports_are_blocked_whatever_was_stored(receiver: Receiver) -> None:
    sender = WebhookSender("public", system_clock)
    assert send(sender, receiver.url()).error == "blocked"
    assert send(sender, "https://hooks.example.com:22/").error == "blocked"


def test_of_several_addresses_only_the_allowed_are_tried(monkeypatch: pytest.MonkeyPatch) -> None:
    tried = []

    def connect(self: object, host: str, port: int, **options: object) -> None:
        tried.append(host)
        raise httpcore.ConnectError

    monkeypatch.setattr(httpcore.SyncBackend, "connect_tcp", connect)
    addresses = ["10.0.0.1", "93.184.215.14", "::1", "2606:2800:21f:cb07:6820:80da:af6b:8b2c"]
    sender = WebhookSender("public", system_clock, resolve=lambda host, port: addresses)
    assert send(sender, "https://hooks.example.com/").error == "connection"
    assert tried == ["93.184.215.14", "2606:2800:21f:cb07:6820:80da:af6b:8b2c"]


def test_a_connection_is_used_again_in_a_burst(sender: WebhookSender, receiver: Receiver) -> None:
    resolved = []

    def resolve(host: str, port: int) -> list[str]:
        resolved.append(host)
        return ["127.0.0.1"]

    sender = WebhookSender("any", system_clock, resolve=resolve)
    for _ in range(3):
        assert send(sender, f"http://hooks.example:{receiver.port}/status/204").succeeded
    assert resolved == ["hooks.example"]
    assert receiver.received[-1].headers["host"] == f"hooks.example:{receiver.port}"


def test_a_proxy_in_the_environment_is_not_used(
    monkeypatch: pytest.MonkeyPatch, sender: WebhookSender, receiver: Receiver
) -> None:
    monkeypatch.setenv("HTTP_PROXY", "http://127.0.0.1:1")
    monkeypatch.setenv("ALL_PROXY", "http://127.0.0.1:1")
    assert send(sender, receiver.url()).succeeded
