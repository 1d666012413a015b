"""Every route of the API, whatever a request has: never an error of ours, always Codat's envelope."""

from __future__ import annotations

import base64
import json
import re
from collections.abc import Iterator
from typing import Any
from urllib.parse import quote

import pytest
from hypothesis import given
from hypothesis import strategies as st

from feedlane.codat.bodies import (
    Body,
    ConsumerChanges,
    FeedChanges,
    ReleaseBody,
    ReplayBody,
    ResolveBody,
    SetAsideBody,
    SettingsBody,
    StrictBody,
    UpstreamBody,
)
from feedlane.events.event import ALL_TYPES
from feedlane.scope import Scope
from tests.contract.sdk.api_server import AUTHORIZATION, app, http_event
from tests.unit.doors.hostile import HALF_A_PAIR, mostly, on_every_route, texts, values
from tests.worlds.api import CONTEXT, World, installed

ROUTES = sorted({(route.method, route.path) for route in app.app._static_routes + app.app._dynamic_routes})
DEEP = "[" * 500 + "]" * 500
TRANSACTION = {"id": "t1", "date": "2026-05-01", "amount": 1, "balance": 1, "description": "Till"}
# A usual value for every field of every body, so that one hostile value at a time reaches what handles it.
USUAL: dict[str, Any] = {
    "name": "Harbour Bakery Ltd", "description": "A bakery", "tags": {"region": "uk"}, "platformKey": "gbol",
    "setAside": ["t1"], "outcome": "delivered", "status": "Unlinked", "bankCode": "1", "type": "x", "nickname": "Main",
    "accountOpenDate": "2026-05-01", "availableBalance": 1, "id": "acc-1", "accountName": "Main",
    "accountType": "Debit", "accountNumber": "12345678", "currency": "GBP", "sortCode": "123456", "balance": 1,
    "routingInfo": {"bankCode": "1", "type": "x"}, "accountInfo": {"description": "x", "availableBalance": 1},
    "sourceAccountId": "acc-1", "targetAccountId": "xero-1", "feedStartDate": "2026-05-01",
    "url": "https://example.com/hook", "eventTypes": [ALL_TYPES[0]], "companyTags": ["region:uk"],
    "headers": {"X-Key": "secret"}, "disabled": False, "since": "2026-05-01T00:00:00Z", "until": "2026-05-02T00:00:00Z",
    "which": "failed", "companyId": None, "redirectUrl": "https://example.com/{statusCode}",
    "logoUrl": "https://example.com/logo", "iconUrl": "https://example.com/icon", "colour": "#0b6e4f",
    "supportAddress": "help@example.com",
    "whiteListUrls": ["https://example.com"], "allowedOrigins": ["https://app.example.com"], "enabled": True,
    "bankFeeds": True, "access": "continuous", "appName": "Ledgerly", "companyUrl": "https://example.com",
    "redirectUri": None, "partner": False, "privacyPolicyUrl": "https://example.com", "termsUrl": "https://example.com",
    "connectionLimit": 25, "dailyLimit": 5000, "gapIsError": False, "pkce": True, "linkPasswords": True,
    "clientId": "A" * 32, "clientSecret": "secret", "changedTransactions": "Warn", "refusalHoldsFeed": True,
    "syntheticBalances": True, "upstream": "xero", "apiKey": "codat-api-key", "webhookSecret": "whsec_AQIDBAUGBwgJCg",
    "feedConnections": 2,
}  # fmt: skip
# These bodies refuse a field that is not theirs.
OWN_BODIES: dict[tuple[str, str], type[Body]] = {
    ("PATCH", "/feeds/<connection_id>/<account>"): FeedChanges,
    ("POST", "/feeds/<connection_id>/<account>/release"): ReleaseBody,
    ("POST", "/feeds/<connection_id>/<account>/statements/<number>/resolve"): ResolveBody,
    ("POST", "/holds/<hold_id>/release"): ReleaseBody,
    ("POST", "/setAside/<connection_id>/<account>"): SetAsideBody,
    ("PATCH", "/webhooks/<webhook_id>"): ConsumerChanges,
    ("POST", "/companies/<company_id>/connections/<connection_id>/upstream"): UpstreamBody,
    ("POST", "/webhooks/<webhook_id>/replays"): ReplayBody,
    ("PUT", "/integrations/<platform_key>/settings"): SettingsBody,
}
PARAMETERS = {
    "page": "1", "pageSize": "10", "query": "name~x", "orderBy": "-name", "tags": "region=uk", "after": "",
    "status": "", "since": "2026-05-01", "until": "2026-05-02", "companyId": "", "connectionId": "",
    "timeoutInMinutes": "5", "backfill": "",
}  # fmt: skip
HEADERS = {
    "authorization": AUTHORIZATION, "idempotency-key": "key-1", "content-type": "application/json",
    "origin": "https://app.example.com", "cookie": "a=b", "accept": "*/*",
}  # fmt: skip


RAW_BODIES = (
    None, "", "{", "[]", "null", DEEP, '{"a":' + DEEP + "}", '{"name":1e400}', '{"name":NaN}', "[" * 100_000,
    '{"balance":' + "9" * 5000 + "}", '{"name":"a","name":"b"}', '"\\ud83d"', HALF_A_PAIR,
)  # fmt: skip


@pytest.fixture(scope="module")
def patch() -> Iterator[pytest.MonkeyPatch]:
    with pytest.MonkeyPatch.context() as patch:
        yield patch


@pytest.fixture
def known(patch: pytest.MonkeyPatch) -> Iterator[dict[str, str]]:
    """A deployment with one thing of each kind, and the ids of these things as paths name them."""
    with installed(patch) as world:
        yield _things(world)


def test_every_field_of_every_body_has_a_usual_value() -> None:
    fields = {field.alias for body in _subclasses(Body) for field in body.model_fields.values()}
    assert fields == set(USUAL)
    assert set(OWN_BODIES) <= set(ROUTES)
    assert set(OWN_BODIES.values()) == set(_subclasses(StrictBody))


@pytest.mark.parametrize(("method", "path"), ROUTES)
def test_no_request_to_any_route_makes_an_error_of_ours(known: dict[str, str], method: str, path: str) -> None:
    @on_every_route
    @given(st.data())
    def request(data: st.DataObject) -> None:
        url = re.sub("<(.+?)>", lambda match: _segment(data.draw(mostly(known.get(match[1], "x")))), path)
        parameters = {name: data.draw(mostly(usual)) for name, usual in PARAMETERS.items() if data.draw(st.booleans())}
        headers = {name: data.draw(mostly(usual)) for name, usual in HEADERS.items()}
        _require_answer(_call(method, url, parameters, headers, data.draw(_bodies(method, path))))

    request()


@on_every_route
@given(texts, texts, st.dictionaries(texts, texts, max_size=3), st.dictionaries(texts, texts, max_size=3))
def test_nor_does_any_other_request(method: str, path: str, parameters: Any, headers: Any) -> None:
    with pytest.MonkeyPatch.context() as patch, installed(patch):
        _require_answer(_call(method or "GET", f"/{path}", parameters, headers, "{}"))


@pytest.mark.parametrize(
    ("parameters", "field"),
    [
        ({"page": "9" * 5000}, "page"),
        ({"page": "١"}, "page"),
        ({"pageSize": "0"}, "pageSize"),
        ({"query": HALF_A_PAIR}, "query"),
        ({"query": "x" * 20_000}, "query"),
    ],
)
def test_a_wrong_parameter_is_named(known: dict[str, str], parameters: dict[str, str], field: str) -> None:
    answer = _call("GET", "/companies", parameters, HEADERS, None)
    assert answer["statusCode"] == 400
    assert json.loads(answer["body"])["validation"]["errors"][0]["itemId"] == field


@pytest.mark.parametrize("after", ["!", "AA", "x" * 5000, "é", "AAAA====", base64.b64encode(b"a b").decode()])
def test_a_place_that_none_of_our_links_has_is_a_400(known: dict[str, str], after: str) -> None:
    path = f"/webhooks/{known['webhook_id']}/deliveries"
    assert _call("GET", path, {"after": after}, HEADERS, None)["statusCode"] == 400


@pytest.mark.parametrize("path", ["/companies/" + "x" * 300, "/companies/%ff", "/companies/%00", "/" + "a/" * 2000])
def test_a_path_that_can_lead_nowhere_is_named(known: dict[str, str], path: str) -> None:
    answer = _call("GET", path, {}, HEADERS, None)
    assert answer["statusCode"] == 400
    assert json.loads(answer["body"])["validation"]["errors"][0]["itemId"] == "path"


@pytest.mark.parametrize(
    ("body", "field"),
    [
        ({"name": "x", "description": HALF_A_PAIR}, "description"),
        ({"name": "x", "tags": {"a": HALF_A_PAIR}}, "tags.a"),
        ({"name": "x", "description": "a\0"}, "description"),
        ({"name": "x", "description": "x" * 6000}, "description"),
        ({"name": "x", "ignored": {"deep": [[[HALF_A_PAIR]]]}}, "ignored.deep.0.0.0"),
    ],
)
def test_a_text_that_cannot_be_kept_is_named(known: dict[str, str], body: dict[str, Any], field: str) -> None:
    answer = _call("POST", "/companies", {}, HEADERS, json.dumps(body))
    assert answer["statusCode"] == 400
    assert json.loads(answer["body"])["validation"]["errors"][0]["itemId"] == field


@pytest.mark.parametrize(
    "key", ["Basic \u00e9", "Basic " + HALF_A_PAIR, "Basic ====", "\u00e9", "Basic " + "A" * 20_000]
)
def test_a_header_that_is_no_key_is_the_callers_mistake(known: dict[str, str], key: str) -> None:
    answer = _call("GET", "/companies", {}, HEADERS | {"authorization": key}, None)
    assert answer["statusCode"] in {400, 401}


def test_a_body_that_is_no_base64_is_a_400(known: dict[str, str]) -> None:
    for body in ("a", "====", "é", base64.b64encode(b"\xff{}").decode()):
        event = http_event("POST", "/companies", "", HEADERS, b"") | {"body": body, "isBase64Encoded": True}
        assert app.handler(event, CONTEXT)["statusCode"] == 400


def _bodies(method: str, path: str) -> st.SearchStrategy[str | None]:
    body = USUAL | {"accountId": "acc-1", "transactions": [TRANSACTION]}
    if own := OWN_BODIES.get((method, path)):
        body = {field.alias: body[field.alias] for field in own.model_fields.values() if field.alias}
    usual = st.just(body)
    one_field = st.tuples(st.sampled_from(list(body)), values)
    one_of_a_transaction = st.tuples(st.sampled_from([*TRANSACTION, "transactionType"]), values)
    changed = st.builds(lambda body, field: body | {field[0]: field[1]}, usual, one_field)
    transaction = st.builds(lambda field: {"transactions": [TRANSACTION | {field[0]: field[1]}]}, one_of_a_transaction)
    return st.sampled_from(RAW_BODIES) | (changed | transaction | values | st.lists(changed, max_size=2)).map(
        json.dumps
    )


def _call(method: str, path: str, parameters: dict[str, str], headers: dict[str, str], body: str | None) -> Any:
    event = http_event(method, path, "", headers, b"")
    return app.handler(event | {"queryStringParameters": parameters, "body": body}, CONTEXT)


def _require_answer(answer: dict[str, Any]) -> None:
    assert answer["statusCode"] < 500, answer["body"]
    answer["body"].encode()
    if answer["statusCode"] >= 400:
        envelope = json.loads(answer["body"])
        assert {"statusCode", "error", "correlationId", "canBeRetried"} <= envelope.keys()
        assert answer["headers"]["Content-Type"] == "application/json"


def _segment(text: str) -> str:
    """As a client that escapes, unless the text brings its own escapes."""
    return text if "%" in text or not text.isascii() else quote(text, safe="")


def _things(world: World) -> dict[str, str]:
    def post(path: str, body: Any) -> Any:
        answer = _call("POST", path, {}, HEADERS, json.dumps(body))
        assert answer["statusCode"] < 300, answer["body"]
        return json.loads(answer["body"])

    company_id = post("/companies", {"name": "Harbour"})["id"]
    connection_id = post(f"/companies/{company_id}/connections", {"platformKey": "gbol"})["id"]
    world.link(company_id, connection_id)
    connection = f"/companies/{company_id}/connections/{connection_id}"
    account = {name: USUAL[name] for name in ("id", "accountName", "accountType", "accountNumber", "currency")}
    post(f"{connection}/connectionInfo/bankFeedAccounts", account)
    post(f"{connection}/bankFeedAccounts/mapping", {"sourceAccountId": "acc-1", "targetAccountId": "xero-1"})
    push = post(f"{connection}/push/bankAccounts/acc-1/bankTransactions", {"transactions": [TRANSACTION]})
    webhook_id = post("/webhooks", {"url": "https://example.com"})["id"]
    event_id = post(f"/webhooks/{webhook_id}/test", {})["id"]
    replay_id = post(f"/webhooks/{webhook_id}/replays", {"since": "2026-05-01"})["id"]
    hold = world.add_hold(Scope.CONNECTION, connection_id, company_id=company_id)
    return {
        "company_id": company_id, "connection_id": connection_id, "account": "acc-1", "webhook_id": webhook_id,
        "push_operation_key": push["pushOperationKey"], "event_id": event_id, "replay_id": replay_id,
        "hold_id": hold.id, "platform_key": "gbol", "api_key_id": "key-1", "number": "1", "secret": "firstSecret",
        "data_type": "bankTransactions",
    }  # fmt: skip


def _subclasses(kind: type[Body]) -> list[type[Body]]:
    return [each for child in kind.__subclasses__() for each in (child, *_subclasses(child))]
