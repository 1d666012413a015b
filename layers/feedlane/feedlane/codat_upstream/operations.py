"""Push operations: what one says about its statement, and which one in Codat's list is ours after a lost answer."""

from __future__ import annotations

from collections.abc import Collection
from datetime import datetime, timedelta
from decimal import Decimal
from itertools import pairwise
from typing import Any

import httpx

from feedlane.codat_upstream.answers import Item, Unreadable, moment
from feedlane.codat_upstream.problems import operation_problems
from feedlane.codat_upstream.push_json import FrozenPush
from feedlane.feeds.upstream import Accepted, Ambiguous, SearchPlace, StatementStatus
from feedlane.money import loads
from feedlane.text import encodable_json

PAGE_SIZE = 100
_DATA_TYPE = "bankTransactions"
_STATUSES = {
    "Success": StatementStatus.DELIVERED,
    "Failed": StatementStatus.REJECTED,
    "TimedOut": StatementStatus.REJECTED,
}
# How far Codat's clock may be behind ours: what was requested longer before our intent is another push.
_CLOCKS_APART = timedelta(minutes=5)


def parse_operation(item: Item) -> Accepted | None:
    """None if it is no push operation. An unknown status is not an end: keep polling."""
    key = item.get("pushOperationKey")
    if not isinstance(key, str) or not key:
        return None
    status = _STATUSES.get(str(item.get("status")), StatementStatus.PENDING)
    problems = operation_problems(item) if status is StatementStatus.REJECTED else ()
    return Accepted(statement_id=key, status=status, problems=problems)


def list_query(page: int) -> dict[str, str]:
    return {"page": str(page), "pageSize": str(PAGE_SIZE), "orderBy": "-requestedOnUtc"}


def parse_page(answer: httpx.Response) -> Item:
    """The object of a page, with exact amounts. Raises `Unreadable`."""
    try:
        value = encodable_json(loads(answer.content))
    except (ValueError, RecursionError):
        raise Unreadable from None
    results = value.get("results") if isinstance(value, dict) else None
    if not isinstance(results, list) or not all(isinstance(item, dict) for item in results):
        raise Unreadable
    return dict(value)


def search(
    request: bytes, others: Collection[str], page: Item, place: SearchPlace
) -> Accepted | SearchPlace | Ambiguous | None:
    """The push of this request, if it is on this page, otherwise where to go on. Raises `Unreadable`.

    Codat lists no content, or only with some pushes: then that of our connection that nobody knows is ours, provided
    that it is the only one and that no other push can be in doubt (`SearchPlace.alone`). Otherwise nothing is known.
    """
    sent, since = FrozenPush.of(request), place.since - _CLOCKS_APART if place.since else None
    times = [_requested(item) for item in page["results"]]
    if place.second_best is not None and place.second_best.statement_id in others:
        place = place.but(second_best=None)  # it has turned out to be another's since
    for item, requested in zip(page["results"], times, strict=True):
        if (since is not None and requested < since) or not _may_be(sent, item, others):
            continue
        found = parse_operation(item)
        is_ours = _has_content(item, sent)
        if is_ours and found is not None:
            return found.but(by_content=True)
        if is_ours is None and found is not None:
            place = _with_candidate(place, found)
    return _next(page, times, since, place) or _ending(place)


def _ending(place: SearchPlace) -> Accepted | Ambiguous | None:
    if place.rank == 0:
        return None
    return place.second_best if place.rank == 1 and place.alone and place.second_best else Ambiguous()


def _with_candidate(place: SearchPlace, found: Accepted) -> SearchPlace:
    """`rank` counts those that nobody knows. One that is on two pages, because others came meanwhile, is one."""
    if place.second_best is not None and place.second_best.statement_id == found.statement_id:
        return place
    return place.but(second_best=found, rank=place.rank + 1)


def _may_be(sent: FrozenPush, item: Item, others: Collection[str]) -> bool:
    """Whether the listed operation may be our push, as far as its fields go. Feedlane's list also has the account, and
    what came by other doors."""
    return (
        item.get("dataType") in (None, _DATA_TYPE)
        and item.get("dataConnectionKey") == sent.place.connection_id
        and item.get("accountId") in (None, sent.place.account_id)
        and item.get("door") in (None, "api")
        and item["pushOperationKey"] not in others
    )


def _has_content(item: Item, sent: FrozenPush) -> bool | None:
    """Whether the content that Codat repeats is ours; None if it repeats none, or it may be ours in other words.

    It is another's only for certain: if it names another account, or none of our lines.
    """
    data = item.get("data")
    if not isinstance(data, dict) or not isinstance(data.get("transactions"), list):
        return None
    own, account, lines = loads(sent.body), data.get("accountId"), _lines(data)
    if account not in (None, own["accountId"]):
        return False
    if account is not None and lines == _lines(own):
        return True
    ids, own_ids = ({id for id, _ in some if id is not None} for some in (lines, _lines(own)))
    return False if ids and ids.isdisjoint(own_ids) else None


def _lines(data: Item) -> list[tuple[str | None, Decimal | None]]:
    lines = [line if isinstance(line, dict) else {} for line in data["transactions"]]
    return [(_id(line.get("id")), _amount(line.get("amount"))) for line in lines]


def _id(value: Any) -> str | None:
    return value if isinstance(value, str) else None


def _amount(value: Any) -> Decimal | None:
    return Decimal(value) if isinstance(value, int | Decimal) else None


def _requested(item: Item) -> datetime:
    """When the operation was requested. Raises `Unreadable` if it lacks what identifies an operation."""
    requested = moment(item.get("requestedOnUtc"))
    if requested is None or not isinstance(item.get("pushOperationKey"), str) or "dataConnectionKey" not in item:
        raise Unreadable
    return requested


def _next(page: Item, times: list[datetime], since: datetime | None, place: SearchPlace) -> SearchPlace | None:
    """The place after this page; None if it was the last, or only older pushes can follow. Raises `Unreadable`."""
    total = page.get("totalResults")
    is_newest_first = all(one >= other for one, other in pairwise(times))
    if since is not None and times and is_newest_first and times[-1] < since:
        return None
    if not isinstance(total, int) or len(times) < min(PAGE_SIZE, total - (place.page - 1) * PAGE_SIZE):
        raise Unreadable  # whoever gives fewer than asked for has more than the following pages show
    if place.page * PAGE_SIZE >= total:
        return None
    first = str(page["results"][0]["pushOperationKey"])
    if place.last == first:
        raise Unreadable  # the same page again
    return place.but(page=place.page + 1, last=first)
