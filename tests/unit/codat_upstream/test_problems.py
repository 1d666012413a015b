"""Why a push operation failed: Xero's problems in whatever form Codat passes them on, and Codat's own."""

from __future__ import annotations

import json
from typing import Any

import pytest

from feedlane.feeds.refusals import DETAIL_LENGTH_MAX, MEANING_BY_TYPE
from feedlane.feeds.refusals import refusal_of as refusal_from_xero
from feedlane.feeds.upstream import Accepted, Refusal, StatementStatus
from feedlane.problem import Problem
from feedlane.scope import Scope
from tests.unit.codat_upstream.codat_server import ACCESS, CORRELATION, REQUEST, always, bank_feeds, operation

NO_FEEDS = {
    "type": "invalid-organisation-bank-feeds",
    "title": "Invalid Organisation",
    "status": 403,
    "detail": "The organisation does not support automated bank feeds.",
}
FRAME = f"An error occurred in a downstream service. Correlation ID: {CORRELATION}. Message: {{message}}"
AS_JSON = json.dumps(NO_FEEDS)


def polled(**fields: Any) -> Accepted:
    feeds = bank_feeds(always(200, operation(**{"status": "Failed", "statusCode": 400} | fields)))
    answer = feeds.statement_status(ACCESS, "op-1")
    assert isinstance(answer, Accepted)
    assert answer.status is StatementStatus.REJECTED
    assert answer.problems
    return answer


def refusal(**fields: Any) -> Refusal:
    return bank_feeds(always(500)).refusal_for_rejection(ACCESS, polled(**fields).problems)


def findings(*messages: str) -> dict[str, Any]:
    errors = [{"itemId": f"t-{n}", "message": text, "validatorName": "V"} for n, text in enumerate(messages, 1)]
    return {"errors": errors, "warnings": []}


@pytest.mark.parametrize("code", [400, 403, "403", None])
@pytest.mark.parametrize(
    "fields",
    [
        {"errorMessage": FRAME.format(message=AS_JSON)},
        {"errorMessage": FRAME.format(message=AS_JSON.replace('"', '\\"'))},
        {"errorMessage": FRAME.format(message=f"Xero answered {{403}}: {AS_JSON} (see validation)")},
        {"errorMessage": AS_JSON},
        {"errorMessage": NO_FEEDS},
        {"errorMessage": json.dumps({"items": [{"status": "REJECTED", "errors": [NO_FEEDS]}]})},
        {"errorMessage": FRAME.format(message=f"{NO_FEEDS['title']}: {NO_FEEDS['detail']}")},
        {"errorMessage": FRAME.format(message="the organisation DOES NOT support automated bank feeds")},
        {"errorMessage": FRAME.format(message="invalid-organisation-bank-feeds")},
        {"errorMessage": "See validation.", "validation": findings(AS_JSON)},
        {"errorMessage": "See validation.", "validation": findings("fine", "(403) invalid-organisation-bank-feeds")},
        {"errorMessage": "Failed", "problem": NO_FEEDS},
    ],
)  # fmt: skip
def test_xeros_403_inside_a_failed_push_is_exactly_xeros(fields: dict[str, Any], code: Any) -> None:
    answer = refusal(**fields, statusCode=code)
    direct = refusal_from_xero(Problem(**NO_FEEDS))
    assert answer.but(problem=answer.problem.but(answer="")) == direct
    kept = json.loads(answer.problem.answer)
    assert kept["pushOperationKey"] == "op-1"
    assert kept["errorMessage"] == fields["errorMessage"]


@pytest.mark.parametrize("type", sorted(MEANING_BY_TYPE))
def test_every_type_of_xero_stops_the_same_as_from_xero(type: str) -> None:
    stated = {"type": type, "title": "T", "status": 422, "detail": "D"}
    direct = refusal_from_xero(Problem(**stated))
    for message in (json.dumps(stated), f"Feed Connection failed(409): {type}"):
        answer = refusal(errorMessage=FRAME.format(message=message))
        assert (answer.scope, answer.reason) == (direct.scope, direct.reason), message


@pytest.mark.parametrize(
    "description",
    [
        "invalid-application",
        "suspended-or-terminated-application",
        "duplicate-statement",
        '{"type": "invalid-application", "title": "T", "status": 403}',
        '{"title": "Forbidden", "status": 403}',
        "The application has not been configured to use these API endpoints",
    ],
)
def test_what_a_finding_quotes_of_a_line_stops_no_other_feed(description: str) -> None:
    """Anybody who pays can write a description. Xero says of no line what it says of the app or of the access."""
    answer = refusal(errorMessage="See validation.", validation=findings(f"Not allowed: {description}"))
    assert (answer.scope, answer.reason) == (Scope.FEED, "invalid-data")
    assert description in answer.problem.detail
    sent = bank_feeds(always(400, {"statusCode": 400, "error": "See", "validation": findings(description)}))
    refused = sent.post_statement(ACCESS, REQUEST, "key-1")
    assert isinstance(refused, Refusal)
    assert (refused.scope, refused.reason) == (Scope.FEED, "invalid-data")


def test_a_word_inside_another_is_no_type() -> None:
    assert refusal(errorMessage="re-invalid-application-form").reason == "refused"


def test_a_gateway_s_refusal_of_codat_s_token_is_the_connection_s() -> None:
    gateway = {"Type": None, "Title": "Forbidden", "Status": 403, "Detail": "AuthenticationUnsuccessful"}
    answer = refusal(errorMessage=FRAME.format(message=json.dumps(gateway)))
    assert (answer.scope, answer.reason) == (Scope.CONNECTION, "no-access")


@pytest.mark.parametrize("message", ["Feed failed(409): duplicate-statement", "Duplicate Statement Received"])
def test_lines_that_xero_knows_are_known_already(message: str) -> None:
    assert polled(errorMessage=FRAME.format(message=message)).is_known_already


def test_a_finding_that_is_xeros_problem_and_nothing_else_says_that_xero_knows_the_lines() -> None:
    stated = json.dumps({"type": "duplicate-statement", "title": "Duplicate Statement Received", "status": 409})
    assert polled(errorMessage="See validation.", validation=findings(stated)).is_known_already
    assert not polled(errorMessage="See validation.", validation=findings(f"Not allowed: {stated}")).is_known_already
    assert not polled(
        errorMessage="See validation.", validation=findings(stated, "invalid-end-balance")
    ).is_known_already


def test_codats_own_findings_are_about_lines() -> None:
    answer = refusal(errorMessage=FRAME.format(message="See validation"), validation=findings("Bad date", "Bad sum"))
    assert (answer.scope, answer.reason) == (Scope.FEED, "invalid-data")
    assert answer.problem.detail == "See validation t-1: Bad date; t-2: Bad sum"
    assert answer.problem.status == 400


@pytest.mark.parametrize("fields", [{}, {"errorMessage": None, "validation": None}, {"validation": {"errors": ["x"]}}])
def test_a_failure_without_a_reason_is_refused(fields: dict[str, Any]) -> None:
    assert refusal(**fields).reason == "refused"


def test_a_timed_out_push_has_a_reason_of_its_own_and_is_of_no_line() -> None:
    answer = refusal(status="TimedOut", statusCode=202, errorMessage="Took too long")
    assert (answer.scope, answer.reason, answer.problem.status) == (Scope.FEED, "push-timed-out", 408)


@pytest.mark.parametrize(
    "message", ["{" * 100_000, "[" * 100_000, '{"a":' * 5_000, "x" * 200_000, '{"type": NaN}', "\ud800"]
)
def test_no_text_is_too_much(message: str) -> None:
    problem = refusal(errorMessage=message).problem
    assert len(problem.detail) <= DETAIL_LENGTH_MAX
    assert len(problem.answer) <= DETAIL_LENGTH_MAX
    problem.model_dump_json()


def test_pushed_data_is_not_kept_with_the_problem() -> None:
    assert "canary" not in refusal(errorMessage="No", data={"transactions": [{"id": "canary"}]}).problem.answer
