"""A lost answer: which push of Codat's list is ours, and when that is not known."""

from __future__ import annotations

import json
from collections.abc import Collection
from datetime import timedelta
from typing import Any

import httpx
import pytest

from feedlane.clock import iso
from feedlane.codat_upstream.operations import PAGE_SIZE
from feedlane.codat_upstream.push_json import FrozenPush
from feedlane.feeds.upstream import Accepted, Ambiguous, NoAnswer, SearchAnswer, SearchPlace, StatementStatus
from tests.unit.codat_upstream.codat_server import ACCESS, NOON, REQUEST, always, bank_feeds, operation

OURS = json.loads(FrozenPush.of(REQUEST).body)


def ago(minutes: float) -> str:
    return iso(NOON - timedelta(minutes=minutes))


def look(
    listed: list[dict[str, Any]], others: Collection[str] = (), alone: bool = True, since: float | None = 10
) -> tuple[SearchAnswer, list[httpx.Request]]:
    """The end of a search that begins now for a push written down `since` minutes ago, and what it asked for."""
    asked: list[httpx.Request] = []

    def server(request: httpx.Request) -> httpx.Response:
        asked.append(request)
        assert request.url.path == "/v1/companies/c0mpany/push"
        page = int(request.url.params["page"])
        results = listed[(page - 1) * PAGE_SIZE : page * PAGE_SIZE]
        return httpx.Response(200, json={"results": results, "pageNumber": page, "totalResults": len(listed)})

    feeds = bank_feeds(server)
    written = None if since is None else NOON - timedelta(minutes=since)
    answer: SearchAnswer = SearchPlace(began=NOON, since=written, alone=alone)
    while isinstance(answer, SearchPlace):
        # It is stored between invocations.
        place = SearchPlace.model_validate_json(answer.model_dump_json())
        answer = feeds.find_statement(ACCESS, REQUEST, others, place)
    return answer, asked


def test_the_only_push_that_nobody_knows_is_ours() -> None:
    answer, asked = look([operation("op-9", "Success"), operation("op-8")], others={"op-8"})
    assert answer == Accepted(statement_id="op-9", status=StatementStatus.DELIVERED)
    assert asked[0].url.params["orderBy"] == "-requestedOnUtc"


def test_without_a_push_that_nobody_knows_it_was_not_taken() -> None:
    listed = [
        operation("op-1"),
        operation("op-2", dataConnectionKey="another"),
        operation("op-3", dataType="invoices"),
        operation("op-4", requestedOnUtc=ago(16)),
        operation("op-5", accountId="another account"),
        operation("op-6", door="release"),
    ]
    assert look(listed, others={"op-1"})[0] is None
    assert look([])[0] is None


def test_several_pushes_that_nobody_knows_leave_it_in_doubt() -> None:
    assert look([operation("op-1"), operation("op-2")])[0] == Ambiguous()


def test_one_push_may_be_another_feeds_if_that_is_in_doubt_too() -> None:
    assert look([operation("op-1")], alone=False)[0] == Ambiguous()
    assert look([], alone=False)[0] is None


def test_a_candidate_that_turns_out_to_be_anothers_is_not_ours() -> None:
    found = Accepted(statement_id="op-1", status=StatementStatus.PENDING)
    place = SearchPlace(began=NOON, alone=True, page=2, second_best=found, rank=1)
    feeds = bank_feeds(always(200, {"results": [], "totalResults": 0}))
    assert feeds.find_statement(ACCESS, REQUEST, (), place) == found
    assert feeds.find_statement(ACCESS, REQUEST, {"op-1"}, place) == Ambiguous()


@pytest.mark.parametrize("alone", [True, False])
def test_the_content_that_codat_repeats_settles_it(alone: bool) -> None:
    other = OURS | {"transactions": [OURS["transactions"][0] | {"id": "another"}]}
    listed = [operation("op-1", data=other), operation("op-2", data=OURS), operation("op-3")]
    assert look(listed, alone=alone)[0] == Accepted(
        statement_id="op-2", status=StatementStatus.PENDING, by_content=True
    )
    assert look(listed[:1], alone=alone)[0] is None
    assert look([operation("op-1", data=OURS | {"accountId": "another"})], alone=alone)[0] is None


@pytest.mark.parametrize(
    "changes",
    [
        {"accountId": None},
        {"transactions": [{"amount": "10.1"}]},
        {"transactions": [{"amount": 10.11}]},
        {"transactions": [{"amount": None}]},
    ],
)
def test_content_that_is_ours_in_other_words_is_not_taken_for_anothers(changes: dict[str, Any]) -> None:
    """Codat may write an amount otherwise, or leave something out: the ids are still those of our lines."""
    own = OURS["transactions"]
    data = OURS | changes
    if "transactions" in changes:
        data["transactions"] = [own[0] | changes["transactions"][0], *own[1:]]
    answer = look([operation("op-1", data=data)])[0]
    assert answer == Accepted(statement_id="op-1", status=StatementStatus.PENDING)
    assert look([operation("op-1", data=data)], alone=False)[0] is not None


def test_the_clocks_may_differ_a_little() -> None:
    assert isinstance(look([operation("op-1", requestedOnUtc=ago(14))])[0], Accepted)


def test_pages_are_read_until_they_are_older_than_the_push() -> None:
    listed = [operation(f"op-{n}", requestedOnUtc=ago(n / 20)) for n in range(1000)]
    known = {item["pushOperationKey"] for item in listed}
    answer, asked = look(listed, others=known - {"op-250"})
    assert answer == Accepted(statement_id="op-250", status=StatementStatus.PENDING)
    assert len(asked) == 4, "300 pushes of the last 15 minutes, and the page that is older"
    assert look(listed, others=known)[0] is None


def test_a_list_in_another_order_is_read_to_its_end() -> None:
    listed = [operation(f"op-{n}", requestedOnUtc=ago(100 - n)) for n in range(250)]
    listed = sorted(listed, key=lambda item: str(item["requestedOnUtc"]))
    known = {item["pushOperationKey"] for item in listed}
    _, asked = look(listed, others=known)
    assert len(asked) == 3


def test_a_push_on_two_pages_is_one() -> None:
    """Others came in between, and moved it."""
    first = [operation(f"op-{n}", requestedOnUtc=ago(0)) for n in range(PAGE_SIZE)]
    listed = [*first, first[-1], operation("op-x")]
    known = {item["pushOperationKey"] for item in first[:-1]} | {"op-x"}
    assert isinstance(look(listed, others=known)[0], Accepted)


@pytest.mark.parametrize(
    "broken",
    [
        {"requestedOnUtc": None},
        {"requestedOnUtc": "soon"},
        {"pushOperationKey": None},
    ],
)
def test_a_list_that_cannot_be_read_proves_nothing(broken: dict[str, Any]) -> None:
    assert isinstance(look([operation() | broken])[0], NoAnswer)


@pytest.mark.parametrize(
    "page",
    [
        {"results": [], "totalResults": 3},
        {"results": [operation(requestedOnUtc=ago(0))], "totalResults": 250},
    ],
)
def test_a_page_that_is_too_short_proves_nothing(page: dict[str, Any]) -> None:
    """Whoever gives fewer at a time than asked for would have the rest passed over."""
    place = SearchPlace(began=NOON, since=NOON, alone=True)
    answer = bank_feeds(always(200, page)).find_statement(ACCESS, REQUEST, {"op-1"}, place)
    assert isinstance(answer, NoAnswer)


@pytest.mark.parametrize("page", [{}, {"results": None}, {"results": ["x"]}, {"results": [operation()]}])
def test_a_page_without_its_parts_proves_nothing(page: dict[str, Any]) -> None:
    answer = bank_feeds(always(200, page)).find_statement(ACCESS, REQUEST, (), SearchPlace(began=NOON, alone=True))
    assert isinstance(answer, NoAnswer)


def test_a_list_that_repeats_its_page_proves_nothing() -> None:
    page = {"results": [operation(requestedOnUtc=ago(0))] * PAGE_SIZE, "totalResults": 1000}
    feeds = bank_feeds(always(200, page))
    answer: SearchAnswer = SearchPlace(began=NOON, since=NOON)
    for _ in range(2):
        assert isinstance(answer, SearchPlace)
        answer = feeds.find_statement(ACCESS, REQUEST, {"op-1"}, answer)
    assert isinstance(answer, NoAnswer)
