"""`Retry-After` in every form that Xero, or a proxy in front of it, may send."""

from __future__ import annotations

from datetime import timedelta
from email.utils import format_datetime

import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from feedlane.retry_after import RETRY_AFTER_SECONDS_MAX, xero_retry_after
from tests.builders import NOW


@pytest.mark.parametrize(
    ("value", "seconds"),
    [
        ("7", 7),
        (" 60 ", 60),
        ("77000", 77_000),
        ("0", 1),
        ("007", 7),
        ("9" * 40, RETRY_AFTER_SECONDS_MAX),
        ("9" * 5000, RETRY_AFTER_SECONDS_MAX),
        ("Wed, 20 May 2026 12:01:30 GMT", 90),
        ("Wed, 20 May 2026 14:01:30 +0200", 90),
        ("Wed, 20 May 2026 12:01:30 -0000", 90),
        ("Wednesday, 20-May-26 12:01:30 GMT", 90),
        ("Tue, 19 May 2026 12:00:00 GMT", 1),
        ("Fri, 31 Dec 9999 23:59:59 GMT", RETRY_AFTER_SECONDS_MAX),
    ],
)
def test_seconds_and_dates_are_obeyed_within_a_day(value: str, seconds: int) -> None:
    assert xero_retry_after({"retry-after": value}, NOW) == seconds


@pytest.mark.parametrize(
    "value",
    [
        "",
        "soon",
        "-5",
        "1.5",
        "²",
        "٣",
        "1e3",
        "Wed, 99 May 2026 12:00:00 GMT",
        "Wed, 20 May 2026 12:00:00 +" + "9" * 20,
    ],
)
def test_what_cannot_be_read_says_nothing(value: str) -> None:
    assert xero_retry_after({"retry-after": value}, NOW) is None


def test_no_header_says_nothing() -> None:
    assert xero_retry_after({}, NOW) is None


@given(st.text(max_size=40) | st.from_regex(r"\w{3}, \d{1,2} \w{3} \d{1,5} \d{2}:\d{2}:\d{2} [+-]?\w{1,6}"))
@example("²")
@example("Mon, 01 Jan 0001 00:00:00 +2359")
@example("Fri, 31 Dec 9999 23:59:59 -2359")
def test_nothing_that_is_sent_is_an_error_of_ours(value: str) -> None:
    seconds = xero_retry_after({"retry-after": value}, NOW)
    assert seconds is None or 1 <= seconds <= RETRY_AFTER_SECONDS_MAX


@given(st.integers(1, RETRY_AFTER_SECONDS_MAX))
def test_a_date_says_the_same_as_its_seconds(seconds: int) -> None:
    date = format_datetime(NOW + timedelta(seconds=seconds), usegmt=True)
    assert (
        xero_retry_after({"retry-after": date}, NOW) == xero_retry_after({"retry-after": str(seconds)}, NOW) == seconds
    )
