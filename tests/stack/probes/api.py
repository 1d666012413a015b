"""Probes of public_api: through the HTTP API, as a client sees it."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

import httpx

from feedlane.feeds.feed import Feed
from feedlane.ids import new_id
from local.instance import Instance
from local.simulator.state import DEFAULT_CLIENT_ID, DEFAULT_CLIENT_SECRET
from tests.stack.probes.calling import Failed
from tests.stack.probes.given import ACCOUNT, Given, given


def shows_a_company(instance: Instance) -> None:
    own = given(instance)
    _ok(own.api.get(f"/companies/{own.company.id}"))


def lists_holds(instance: Instance) -> None:
    """That reads the index even if there are none. Without companies, their list reads only their number."""
    _ok(given(instance).api.get("/holds"))


def creates_and_deletes_a_company(instance: Instance) -> None:
    with _company(given(instance)):
        pass


def stores_the_apps_keys(instance: Instance) -> None:
    keys = {"clientId": DEFAULT_CLIENT_ID, "clientSecret": DEFAULT_CLIENT_SECRET}
    _ok(given(instance).api.put("/integrations/gbol/credentials", json=keys))


def takes_a_push(instance: Instance) -> None:
    own = given(instance)
    _push(own, own.feed(own.linked()))


def takes_a_push_that_has_to_end_in_time(instance: Instance) -> None:
    own = given(instance)
    _push(own, own.feed(own.linked()), timeoutInMinutes=1)


def checks_a_push_while_the_index_is_behind(instance: Instance) -> None:
    """The feed's ledger has a line that no index has: as after a crash between the two."""
    own = given(instance)
    _push(own, own.feed(own.linked(), lines=1), "/validate")


def releases_a_hold(instance: Instance) -> None:
    own = given(instance)
    with own.hold(own.feed(own.linked(), lines=1, feed_connection_id=new_id())) as hold:
        _ok(own.api.post(f"/holds/{hold.id}/release"))


@contextmanager
def _company(own: Given) -> Iterator[None]:
    company = _ok(own.api.post("/companies", json={"name": "Probe"})).json()
    try:
        yield
    finally:
        _ok(own.api.delete(f"/companies/{company['id']}"))


def _push(own: Given, feed: Feed, suffix: str = "", **parameters: int) -> None:
    connection = f"/companies/{feed.company_id}/connections/{feed.connection_id}"
    path = f"{connection}/push/bankAccounts/{ACCOUNT}/bankTransactions{suffix}"
    today = own.now.date().isoformat()
    body: dict[str, Any] = {
        "accountId": ACCOUNT,
        "transactions": [{"id": new_id(), "date": today, "amount": 1, "balance": 1, "description": "Probe"}],
    }
    _ok(own.api.post(path, json=body, params=parameters))


def _ok(answer: httpx.Response) -> httpx.Response:
    if not answer.is_success:
        raise Failed(f"{answer.request.method} {answer.request.url.path} answers {answer.status_code}: {answer.text}")
    return answer
