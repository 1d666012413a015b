"""Custom headers of a consumer: which are allowed, and that no value is ever shown."""

from __future__ import annotations

import pytest

from feedlane.errors import Invalid
from feedlane.webhooks.headers import check_headers

RESERVED = (
    "Host", "content-length", "Content-Type", "Transfer-Encoding", "connection", "User-Agent", "TE", "Trailer",
    "Upgrade", "Expect", "Accept-Encoding", "Proxy-Authorization", "webhook-id", "Webhook-Signature",
    "WEBHOOK-TIMESTAMP", "webhook-anything", "svix-id", "svix-signature",
)  # fmt: skip


def refused(headers: dict[str, str]) -> tuple[str, str]:
    """The field and the rule of the refusal, whose message shows no value."""
    with pytest.raises(Invalid) as error:
        check_headers(headers)
    assert "canary" not in error.value.message
    [finding] = error.value.findings
    return finding.item_id, finding.validator


@pytest.mark.parametrize(
    "headers",
    [
        {},
        {"Authorization": "Bearer abc.def-ghi_jkl"},
        {"X-Codat-ClientId": "1", "x_custom!": "a b  c"},
        {f"X-{n}": "v" for n in range(10)},
        {"X": "v" * 1999},
        {"n" * 64: "~"},
    ],
)
def test_ordinary_headers_are_taken_as_they_are(headers: dict[str, str]) -> None:
    assert check_headers(headers) == headers


@pytest.mark.parametrize("name", RESERVED)
def test_what_the_sender_sets_cannot_be_replaced(name: str) -> None:
    assert refused({name: "canary"}) == (f"headers.{name}", "ReservedHeader")


@pytest.mark.parametrize("name", ["", "a b", "a:b", "a\r\nb", "ä", "n" * 65, "(x)", "a\x00"])
def test_a_name_is_a_token(name: str) -> None:
    assert refused({name: "canary"}) == ("headers", "HeaderName")


@pytest.mark.parametrize(
    "value", ["", " ", " canary", "canary ", "canary\r\nX: y", "canary\n", "canaryä", "a\tb", "\x7f"]
)
def test_a_value_cannot_begin_another_header(value: str) -> None:
    assert refused({"X-Key": value}) == ("headers.X-Key", "HeaderValue")


def test_how_many_and_how_long_they_may_be() -> None:
    assert refused({f"X-{n}": "canary" for n in range(11)}) == ("headers", "MaximumCount")
    assert refused({"X": "canary" + "v" * 1994}) == ("headers", "MaximumLength")
    assert refused({"X-Key": "canary", "x-key": "canary"}) == ("headers", "Unique")
