"""Codat's answers as JSON: its error envelope, what is not Codat's at all, and the waits that it asks for."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import Any

import httpx

from feedlane.feeds.refusals import stated_problems
from feedlane.json_object import json_object, json_value
from feedlane.retry_after import xero_retry_after
from feedlane.scope import Scope

Item = dict[str, Any]

# Codat's daily limit ends at midnight (UTC); its others within a minute.
RATE_LIMIT_SECONDS = 10
_ENVELOPE_FIELDS = frozenset({"statusCode", "error", "correlationId", "detailedErrorCode", "validation"})


class Unreadable(Exception):
    """A success without what Codat documents for it: it comes from something in front of Codat."""


def envelope_in(answer: httpx.Response) -> Item | None:
    """The object that states an error: Codat's envelope, or a problem of Xero that Codat passes on as it is.

    None for a page of something in front of Codat, which says nothing about the call: Codat states errors as JSON.
    """
    value = json_object(answer.content)
    if value is None:
        return None
    is_codats = not _ENVELOPE_FIELDS.isdisjoint(value)
    return value if is_codats or stated_problems(value, answer.status_code) else None


def object_in(answer: httpx.Response) -> Item:
    """Raises `Unreadable` if the answer is no JSON object."""
    value = json_object(answer.content)
    if value is None:
        raise Unreadable
    return value


def objects_in(answer: httpx.Response) -> list[Item]:
    """The objects of a bare array. Raises `Unreadable`: an empty list must be Codat's."""
    value = json_value(answer.content)
    if not isinstance(value, list) or not all(isinstance(item, dict) for item in value):
        raise Unreadable
    return value


def wait_asked(answer: httpx.Response, now: datetime) -> tuple[Scope, int] | None:
    """What has to wait, and for how many seconds, because this answer says so: every 429, and every `Retry-After`."""
    if answer.status_code == 429:
        return Scope.APP, rate_limit_seconds(answer, now)
    seconds = None if answer.is_success else retry_after(answer, now)
    return None if seconds is None else (Scope.TENANT, seconds)


def retry_after(answer: httpx.Response, now: datetime) -> int | None:
    return xero_retry_after(answer.headers, now)


def rate_limit_seconds(answer: httpx.Response, now: datetime) -> int:
    """`Retry-After`; without one, until the time at which Codat says that the daily limit starts again."""
    asked = retry_after(answer, now)
    if asked is not None:
        return asked
    if answer.headers.get("x-rate-limit-remaining", "").strip() != "0":
        return RATE_LIMIT_SECONDS
    reset = moment(answer.headers.get("x-rate-limit-reset"))
    return RATE_LIMIT_SECONDS if reset is None else max(1, min(86_400, round((reset - now).total_seconds())))


def moment(value: Any) -> datetime | None:
    """A time as Codat writes it, with up to seven digits of a second; without a zone it is UTC."""
    if not isinstance(value, str):
        return None
    try:
        time = datetime.fromisoformat(value)
    except ValueError:
        return None
    return time if time.tzinfo else time.replace(tzinfo=UTC)
