"""A webhook consumer's life on the deployed stack: disabled, enabled, tested, rotated, replayed."""

from __future__ import annotations

import json
from typing import Any

import httpx
import pytest
from svix.webhooks import Webhook

from feedlane.ids import new_id
from local.demo.platform import wait_for
from local.instance import Instance
from tests.contract.webhooks.receiver import Received, Receiver, running
from tests.stack.probes.given import given


@pytest.fixture
def api(instance: Instance) -> httpx.Client:
    return given(instance).api


def test_what_a_disabled_consumer_missed_arrives_when_it_is_enabled_and_again_by_a_replay(api: httpx.Client) -> None:
    # Given a consumer with a header of its own, disabled while three things happen
    tag = new_id()[:8]
    with running() as receiver:
        wanted = {"url": receiver.url(), "eventTypes": ["company.created"], "companyTags": [f"probe:{tag}"]}
        made = ask(api, "POST", "/webhooks", wanted | {"headers": {"Authorization": "Bearer abc"}})
        hook = f"/webhooks/{made['id']}"
        ask(api, "POST", f"{hook}/disable")
        companies = [
            ask(api, "POST", "/companies", {"name": f"Missed {n}", "tags": {"probe": tag}})["id"] for n in range(3)
        ]
        wait_for(lambda: listed(api, f"{hook}/deliveries?status=Waiting", 3), "deliveries that wait")
        assert receiver.received == []
        try:
            enabled_replayed_and_rotated(api, receiver, hook, made["signingSecret"])
        finally:
            for id in companies:
                api.delete(f"/companies/{id}")
            api.delete(hook)


def enabled_replayed_and_rotated(api: httpx.Client, receiver: Receiver, hook: str, secret: str) -> None:
    # When it is enabled, then it has them in their order, signed, with its header
    since = listed(api, f"{hook}/deliveries", 3)[-1]["generatedDate"]
    ask(api, "POST", f"{hook}/enable")
    wait_for(lambda: len(receiver.received) >= 3 or None, "what was missed")
    sent = [verified(secret, one) for one in receiver.received]
    assert [event["payload"]["name"] for event in sent] == ["Missed 0", "Missed 1", "Missed 2"]
    assert {one.headers["authorization"] for one in receiver.received} == {"Bearer abc"}

    # When its secret is rotated, then the next webhook verifies with either
    rotated = ask(api, "POST", f"{hook}/secret/rotate")["signingSecret"]
    test = ask(api, "POST", f"{hook}/test")["id"]
    wait_for(lambda: len(receiver.received) >= 4 or None, "the test")
    for key in (secret, rotated):
        assert verified(key, receiver.received[3])["id"] == test

    # When all is replayed, then each comes again under its own id, and its attempts are told
    replay = ask(api, "POST", f"{hook}/replays", {"since": since, "which": "all"})["id"]
    done = wait_for(lambda: ended(api, f"{hook}/replays/{replay}"), "the end of the replay")
    assert (done["status"], done["succeeded"], done["failed"]) == ("Done", 4, 0)
    ids = [one.headers["webhook-id"] for one in receiver.received]
    assert ids[4:] == ids[:4]
    shown = listed(api, f"{hook}/deliveries?status=Success", 4)
    assert [[attempt["status"] for attempt in one["attempts"]] for one in shown] == [[204, 204]] * 4


def verified(secret: str, one: Received) -> Any:
    """The event, if the library finds it rightly signed: `verify` itself answers nothing."""
    Webhook(secret).verify(one.body, one.headers)
    return json.loads(one.body)


def ask(api: httpx.Client, method: str, path: str, body: Any = None) -> Any:
    answer = api.request(method, path, json=body)
    assert answer.is_success, f"{method} {path} answers {answer.status_code}: {answer.text}"
    return answer.json()


def listed(api: httpx.Client, path: str, number: int) -> Any:
    found = ask(api, "GET", path)["results"]
    return found if len(found) == number else None


def ended(api: httpx.Client, path: str) -> Any:
    replay = ask(api, "GET", path)
    return None if replay["status"] == "Running" else replay
