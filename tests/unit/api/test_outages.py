"""While the table or a queue is down, the API answers 503 in Codat's envelope, and nothing stays half done."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest

from feedlane.errors import Unavailable
from tests.unit.api.conftest import Answer, Call
from tests.unit.api.test_feeds_and_holds import Ids, connect_account, push
from tests.worlds.api import World


class Outage:
    """Every call after the first `calls` to these objects fails, until it is over."""

    def __init__(self, monkeypatch: pytest.MonkeyPatch, *targets: tuple[Any, tuple[str, ...]]) -> None:
        self.left: float = float("inf")
        for target, names in targets:
            for name in names:
                monkeypatch.setattr(target, name, self._failing(getattr(target, name)))

    def _failing(self, call: Callable[..., Any]) -> Callable[..., Any]:
        def fail_or_call(*arguments: Any, **keywords: Any) -> Any:
            if self.left <= 0:
                raise Unavailable("The service is not available at the moment", 2)
            self.left -= 1
            return call(*arguments, **keywords)

        return fail_or_call


@pytest.fixture
def outage(world: World, ids: Ids, monkeypatch: pytest.MonkeyPatch) -> Outage:
    table = (world.store.table, ("get", "get_many", "query", "commit", "put_many", "delete_many"))
    return Outage(monkeypatch, table, (world.queues, ("push", "wake", "follow_up", "deliver")))


def is_unavailable(answer: Answer) -> bool:
    return (answer.status, answer.body["statusCode"], answer.body["canBeRetried"]) == (503, 503, "True")


@pytest.mark.parametrize(
    ("method", "path"),
    [("GET", "/companies"), ("POST", "/companies"), ("GET", "/holds"), ("GET", "/webhooks"), ("GET", "/integrations")],
)
def test_every_call_is_a_503_that_asks_to_come_back(call: Call, outage: Outage, method: str, path: str) -> None:
    outage.left = 0
    answer = call(method, path, {"name": "Quay Cycles Ltd"} if method == "POST" else None)
    assert is_unavailable(answer)
    assert answer.headers["Retry-After"] == "2"


def test_a_push_cut_short_anywhere_and_repeated_is_one_push(call: Call, ids: Ids, outage: Outage, world: World) -> None:
    connection_path, cut_short = connect_account(call, ids), 0
    while True:
        outage.left = cut_short
        answer = push(call, connection_path)
        if answer.status == 200:
            break
        assert is_unavailable(answer)
        cut_short += 1
    assert cut_short > 3
    outage.left = float("inf")
    key = answer.body["pushOperationKey"]
    assert push(call, connection_path).body["pushOperationKey"] == key
    assert {pushed["id"] for pushed in world.queues.pushed} == {key}
