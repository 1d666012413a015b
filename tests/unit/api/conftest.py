"""The handler, called as Lambda calls it."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator
from typing import Any, NamedTuple

import pytest

from feedlane.money import dumps
from tests.contract.sdk.api_server import AUTHORIZATION, handler, http_event
from tests.worlds.api import CONTEXT, World, installed


class Answer(NamedTuple):
    status: int
    body: Any
    headers: dict[str, str]
    text: str

    @property
    def invalid_fields(self) -> list[str]:
        """The fields, or the transactions, that validation found wrong."""
        return [finding["itemId"] for finding in self.body["validation"]["errors"]]


Call = Callable[..., Answer]


@pytest.fixture
def world(monkeypatch: pytest.MonkeyPatch) -> Iterator[World]:
    with installed(monkeypatch) as world:
        yield world


@pytest.fixture
def call(world: World) -> Call:
    """`call("GET", "/companies")`, with a body as JSON or as text."""

    def call(method: str, path: str, body: Any = None, headers: dict[str, str] | None = None) -> Answer:
        path, _, query = path.partition("?")
        text = body if isinstance(body, str) else "" if body is None else dumps(body)
        headers = {"Authorization": AUTHORIZATION} if headers is None else headers
        answer = handler(http_event(method, path, query, headers, text.encode()), CONTEXT)
        parsed = json.loads(answer["body"]) if answer["body"] else None
        return Answer(answer["statusCode"], parsed, answer["headers"], answer["body"])

    return call


@pytest.fixture
def ids(call: Call, world: World) -> dict[str, str]:
    """A company with a linked connection."""
    company_id = call("POST", "/companies", {"name": "Harbour Bakery Ltd"}).body["id"]
    connection_id = call("POST", f"/companies/{company_id}/connections", {"platformKey": "gbol"}).body["id"]
    world.link(company_id, connection_id)
    return {"company_id": company_id, "connection_id": connection_id}
