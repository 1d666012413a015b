"""The portal finds every queue of a dead letter by what the template tells it, and nothing beyond."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import pytest

from feedlane.aws import clients
from feedlane.aws.put_back import NotPutBack
from feedlane.environment import environment
from feedlane.wiring.dead_letter_office import FunctionAws
from feedlane.wiring.dead_letters import KINDS
from tests.fakes.dead_letters import queue_id
from tests.stack.template import of_type, variables_of

SOURCES = ("transactions.fifo", "statements.fifo", "statement-checks", "webhook-deliveries", "events")


def _url(value: Any) -> str:
    """The URL that `Ref` of a queue is, in a stack whose name has other names in it."""
    name = of_type("AWS::SQS::Queue")[value["Ref"]]["Properties"]["QueueName"]["Fn::Sub"]
    return f"https://sqs.test/1/{name.replace('${AWS::StackName}', 'my-events')}"


@pytest.fixture
def aws(monkeypatch: pytest.MonkeyPatch) -> Iterator[FunctionAws]:
    for name, value in variables_of("portal").items():
        if name.endswith("QUEUE_URL") and isinstance(value, dict):
            monkeypatch.setenv(name, _url(value))
    _, listed = variables_of("portal")["DEAD_LETTER_QUEUE_URLS"]["Fn::Join"]  # type: ignore[index]
    monkeypatch.setenv("DEAD_LETTER_QUEUE_URLS", ",".join(map(_url, listed)))
    monkeypatch.setenv("TEND_CONNECTIONS", "my-events-tend_connections")
    environment.cache_clear()
    yield FunctionAws()
    environment.cache_clear()


@pytest.mark.parametrize("name", [*SOURCES, *(kind.queue for kind in KINDS.values())])
def test_each_queue_is_found_by_its_name(aws: FunctionAws, name: str) -> None:
    assert queue_id(name)
    assert aws.queue_url(name) == f"https://sqs.test/1/my-events-{name}"


def test_the_streams_of_the_table_are_not_the_portals(aws: FunctionAws, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(clients, "client", lambda service: service)
    assert aws.function_name("tend_connections") == "my-events-tend_connections"
    assert aws.client("sqs") == "sqs"
    with pytest.raises(NotPutBack, match="only the command line"):
        aws.table_streams()
