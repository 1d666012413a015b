"""Every error is answered in Codat's envelope, as JSON, with a correlation id."""

from __future__ import annotations

import base64
import json
from pathlib import Path

import pytest

from feedlane.codat import errors
from feedlane.companies import items as company_items
from feedlane.errors import (
    AppKeysRejected,
    Conflict,
    Invalid,
    NotFound,
    ReconnectionNeeded,
    Refused,
    TooManyAttempts,
    Unauthorized,
    Unavailable,
)
from feedlane.problem import Problem
from feedlane.store.table import Contended
from tests.contract.sdk.api_server import AUTHORIZATION, http_event
from tests.unit.api.conftest import Call
from tests.worlds.api import CONTEXT, World

PROBLEM = Problem(type="invalid-application", title="Invalid", status=403, detail="Not enabled.")
SAMPLE = Path(__file__).parents[3] / "events" / "public_api.json"


@pytest.mark.parametrize(
    ("error", "status", "retry"),
    [
        (Invalid("wrong"), 400, "False"),
        (errors.RefusedInput(PROBLEM), 400, "False"),
        (Unauthorized(), 401, "False"),
        (Refused(PROBLEM), 403, "False"),
        (ReconnectionNeeded(PROBLEM), 403, "False"),
        (AppKeysRejected(PROBLEM), 403, "False"),
        (NotFound("company", "x"), 404, "False"),
        (errors.NotSupported("This"), 404, "False"),
        (errors.UnknownRoute("GET", "/x"), 404, "False"),
        (errors.UnknownRoute("GET", "/x", ("POST",)), 405, "False"),
        (Conflict("twice"), 409, "False"),
        (Contended([("a", "b")]), 503, "True"),
        (Unavailable("later", 7), 503, "True"),
        (TooManyAttempts(7), 429, "True"),
        (ZeroDivisionError("secret detail"), 500, "Unknown"),
    ],
)
def test_each_error_has_its_status(error: Exception, status: int, retry: str) -> None:
    answer = errors.error_answer(error)
    envelope = answer.envelope("c" * 32)
    assert (answer.status, envelope["statusCode"], envelope["canBeRetried"]) == (status, status, retry)
    assert "secret" not in str(envelope)


def test_a_pause_that_is_asked_for_is_passed_on() -> None:
    for error in (Unavailable("later", 7), TooManyAttempts(7)):
        assert errors.error_answer(error).headers == {"Retry-After": "7"}


@pytest.mark.parametrize(
    ("method", "path", "status"),
    [("GET", "/nowhere", 404), ("DELETE", "/companies", 405), ("PUT", "/apiKeys", 405), ("GET", "/", 404)],
)
def test_unknown_routes_and_methods(call: Call, method: str, path: str, status: int) -> None:
    answer = call(method, path)
    assert answer.status == answer.body["statusCode"] == status
    assert answer.headers["Content-Type"] == "application/json"
    assert answer.headers["X-Correlation-Id"] == answer.body["correlationId"]


def test_the_allowed_methods_are_named(call: Call) -> None:
    assert call("DELETE", "/companies").headers["Allow"] == "GET, POST"


@pytest.mark.parametrize("body", ["{", "[1]", '"text"', "", '{"name": NaN}', "[" * 100_000])
def test_a_body_that_is_no_json_object_is_a_400(call: Call, body: str) -> None:
    assert call("POST", "/companies", body).status == 400


def test_a_body_that_is_too_large_is_a_400(call: Call) -> None:
    assert "too large" in call("POST", "/companies", '{"name": "' + "x" * 5_000_001 + '"}').body["error"]


def test_every_wrong_field_is_named(call: Call) -> None:
    answer = call("POST", "/companies", {"description": 7, "tags": {"a": 1}})
    assert answer.status == 400
    assert set(answer.invalid_fields) == {"name", "description", "tags.a"}


def test_without_a_key_nothing_is_told(call: Call) -> None:
    for headers in ({}, {"Authorization": "Basic bm8="}, {"Authorization": "nonsense"}):
        for path in ("/companies", "/nowhere"):
            assert call("GET", path, headers=headers).status == 401


@pytest.mark.parametrize(
    ("method", "path", "body", "headers", "status"),
    [
        ("GET", "/companies", None, None, 200),
        ("POST", "/apiKeys", {"name": "Second"}, None, 201),
        ("GET", "/nowhere", None, None, 404),
        ("DELETE", "/companies", None, None, 405),
        ("POST", "/companies", {}, None, 400),
        ("GET", "/companies", None, {}, 401),
        ("GET", "/" + "x" * 3_000, None, None, 400),
        ("OPTIONS", "/companies", None, {"Origin": "https://app.example.com"}, 204),
    ],
)
def test_no_answer_is_kept_or_taken_for_something_else(
    call: Call, method: str, path: str, body: object, headers: dict[str, str] | None, status: int
) -> None:
    """They have keys, amounts and names in them: no cache keeps them, and no browser guesses what they are."""
    answer = call(method, path, body, headers)
    assert answer.status == status
    assert (answer.headers["Cache-Control"], answer.headers["X-Content-Type-Options"]) == ("no-store", "nosniff")
    assert answer.headers["X-Correlation-Id"]


def test_a_base64_body_is_read(world: World) -> None:
    from functions.public_api import app

    event = http_event("POST", "/companies", "", {"Authorization": AUTHORIZATION}, b"")
    body = base64.b64encode('{"name": "Bäckerei"}'.encode()).decode()
    answer = app.handler(event | {"body": body, "isBase64Encoded": True}, CONTEXT)
    assert json.loads(answer["body"])["name"] == "Bckerei"
    broken = app.handler(event | {"body": base64.b64encode(b"\xff").decode(), "isBase64Encoded": True}, CONTEXT)
    assert broken["statusCode"] == 400


def test_an_unexpected_error_is_a_500_without_its_text(
    call: Call, world: World, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(company_items, "company", lambda *_: 1 / 0)
    answer = call("GET", "/companies/x")
    assert (answer.status, answer.body["error"]) == (500, "An unexpected error occurred.")


def test_pages_of_allowed_origins_may_call(call: Call) -> None:
    origin = "https://app.example.com"
    call("POST", "/corsSettings", {"allowedOrigins": [origin]})
    preflight = call("OPTIONS", "/companies", headers={"Origin": origin})
    assert (preflight.status, preflight.headers["Access-Control-Allow-Origin"]) == (204, origin)
    other = call("OPTIONS", "/companies", headers={"Origin": "https://evil.example.com"})
    assert "Access-Control-Allow-Origin" not in other.headers


def test_a_table_that_does_not_answer_takes_no_envelope_away(call: Call, world: World) -> None:
    world.table.get = lambda key: 1 / 0
    answer = call("OPTIONS", "/companies", headers={"Origin": "https://app.example.com"})
    assert (answer.status, "X-Correlation-Id" in answer.headers) == (204, True)
    answer = call("GET", "/companies/x", headers={"Authorization": AUTHORIZATION, "Origin": "https://app.example.com"})
    assert (answer.status, answer.body["statusCode"]) == (500, 500)


def test_the_sample_event_is_answered(world: World) -> None:
    from functions.public_api import app

    answer = app.handler(json.loads(SAMPLE.read_text()), CONTEXT)
    assert answer["statusCode"] == 200
    assert json.loads(answer["body"])["totalResults"] == 0


def test_only_our_own_faults_are_logged_as_errors(
    call: Call, world: World, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    for method, path in (("GET", "/companies/x"), ("GET", "/nowhere"), ("POST", "/companies")):
        assert call(method, path).status < 500
    assert [record for record in caplog.records if record.levelname == "ERROR"] == []
    monkeypatch.setattr(company_items, "company", lambda *_: 1 / 0)
    correlation_id = call("GET", "/companies/x").body["correlationId"]
    [logged] = [record for record in caplog.records if record.levelname == "ERROR"]
    assert logged.correlation_id == correlation_id
