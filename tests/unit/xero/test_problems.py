"""Every shape in which Xero's problems come, and what each type stops."""

from __future__ import annotations

import json
from typing import Any

import pytest

from feedlane.feeds.refusals import DETAIL_LENGTH_MAX, MEANING_BY_TYPE, refusal_of
from feedlane.problem import Problem
from feedlane.scope import Scope
from feedlane.xero.problems import problems_in

GATEWAY = {
    "Type": None,
    "Title": "Forbidden",
    "Status": 403,
    "Detail": "AuthenticationUnsuccessful",
    "Instance": "0f0f0f0f-0000-4000-8000-000000000000",
    "Extensions": {},
}
PROBLEM = {
    "type": "invalid-organisation-bank-feeds",
    "title": "Invalid Organisation",
    "status": 403,
    "detail": "The organisation does not support automated bank feeds.",
}


def problems_of(status: int, body: Any) -> tuple[Problem, ...]:
    return problems_in(status, body if isinstance(body, bytes) else json.dumps(body).encode())


def test_text_that_cannot_be_stored_is_mended_and_cut() -> None:
    body = b'{"title": "No \\ud83d", "status": 403, "detail": "' + b"x" * 500_000 + b'"}'
    [problem] = problems_of(403, body)
    problem.model_dump_json().encode()
    assert (problem.title, len(problem.detail)) == ("No ?", DETAIL_LENGTH_MAX)


@pytest.mark.parametrize("change", [lambda key: key, str.lower, str.upper], ids=["as sent", "lower", "upper"])
def test_the_gateways_keys_are_read_in_any_case(change: Any) -> None:
    body = {change(key): value for key, value in GATEWAY.items()}
    expected = Problem(type="about:blank", title="Forbidden", status=403, detail="AuthenticationUnsuccessful")
    assert problems_of(403, body) == (expected,)


def test_a_problem_at_the_root_is_kept_word_for_word() -> None:
    assert problems_of(403, PROBLEM) == (Problem(**PROBLEM),)


@pytest.mark.parametrize("item", [{"error": PROBLEM}, {"errors": [PROBLEM]}], ids=["feed connection", "statement"])
def test_a_problem_inside_an_item_is_found_at_any_http_status(item: dict[str, Any]) -> None:
    body = {"items": [{"status": "REJECTED", **item}]}
    assert problems_of(400, body) == problems_of(202, body) == (Problem(**PROBLEM),)


def test_an_items_own_status_counts_and_the_answers_where_it_has_none() -> None:
    conflict = {"type": "duplicate-statement", "title": "Duplicate", "status": 409}
    without = {"type": "duplicate-statement", "title": "Duplicate"}
    assert [problem.status for problem in problems_of(400, {"items": [{"errors": [conflict, without]}]})] == [409, 400]


@pytest.mark.parametrize("status", ["²", "9" * 5000, "", "none", 0, -403, True, None, [403]])
def test_a_status_that_is_none_is_the_answers(status: Any) -> None:
    assert [problem.status for problem in problems_of(403, PROBLEM | {"status": status})] == [403]


@pytest.mark.parametrize(
    "body", [b"", b"<html>Access Denied</html>", b"[]", b"null", b'{"message": "no"}', b'{"items": "none"}', b"\xff"]
)
def test_an_answer_that_cannot_be_read_is_a_problem_by_its_status(body: bytes) -> None:
    assert problems_of(403, body) == (Problem(type="about:blank", title="Forbidden", status=403),)


def test_a_success_has_no_problem() -> None:
    assert problems_of(202, {"items": [{"id": "1", "status": "PENDING"}]}) == ()
    assert problems_of(200, {"id": "1", "title": "not a problem"}) == ()


@pytest.mark.parametrize(
    ("type", "scope", "reason"),
    [
        ("invalid-application", Scope.APP, "app-not-enabled"),
        ("suspended-or-terminated-application", Scope.APP, "app-suspended"),
        ("invalid-organisation-bank-feeds", Scope.TENANT, "organisation-without-bank-feeds"),
        ("invalid-user-role", Scope.TENANT, "user-role-too-low"),
        ("invalid-organisation-multi-currency", Scope.FEED, "currency-not-supported"),
        ("invalid-feed-connection", Scope.FEED, "feed-connection-gone"),
        ("invalid-feed-connection-for-organisation", Scope.FEED, "feed-connection-elsewhere"),
        ("account-not-valid", Scope.FEED, "account-not-valid"),
        ("invalid-end-balance", Scope.FEED, "invalid-balance"),
        ("invalid-request", Scope.FEED, "invalid-data"),
        ("a-type-of-next-year", Scope.FEED, "refused"),
    ],
)
def test_a_type_stops_what_it_is_about_at_any_status(type: str, scope: Scope, reason: str) -> None:
    for status in (400, 403, 409, 422):
        refusal = refusal_of(Problem(type=type, title="", status=status))
        assert (refusal.scope, refusal.reason) == (scope, reason)


def test_the_gateways_403_holds_the_connection_and_no_more() -> None:
    [problem] = problems_of(403, GATEWAY)
    refusal = refusal_of(problem)
    assert (refusal.scope, refusal.reason, refusal.problem) == (Scope.CONNECTION, "no-access", problem)


def test_every_reason_is_told_apart_by_scope() -> None:
    scopes: dict[str, set[Scope]] = {}
    for meaning in MEANING_BY_TYPE.values():
        scopes.setdefault(meaning.reason, set()).add(meaning.scope)
    assert all(len(scopes_of_reason) == 1 for scopes_of_reason in scopes.values())
