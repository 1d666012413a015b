"""The portal's dead letters: what they are and why, back to where they came from, and nothing lost or doubled."""

from __future__ import annotations

import itertools
import json
import re
from collections.abc import Callable
from typing import Any
from urllib.parse import urlencode

import pytest
from botocore.exceptions import ClientError

from feedlane.aws import dead_letter_queue
from feedlane.aws.dead_letter_queue import DeadLetterQueue
from feedlane.errors import Unavailable
from feedlane.upkeep import dead_letter_count
from feedlane.wiring import dead_letter_office
from tests import rights
from tests.fakes.browser import PageResponse
from tests.fakes.dead_letters import queue_id
from tests.rights import Grant
from tests.unit.web.portal import signed_in
from tests.worlds.web import World

PATH = "/portal/dead-letters"
PUSHES, CHECKS = "transactions-dead-letters.fifo", "statement-checks-dead-letters"
CHECK = {"kind": "statement", "feed_id": "k/a", "number": 7, "turn": 3}


@pytest.fixture
def world() -> World:
    return signed_in()


def push(world: World, id: str = "t1", account: str = "main", **more: Any) -> dict[str, Any]:
    ids = {"companyId": world.connection.company_id, "connectionId": world.connection.id, "accountId": account}
    return {"version": 1, **ids, "transactions": [{"id": id, "description": "canary"}]} | more


def add_push(world: World, id: str = "t1", account: str = "main", reason: str = "") -> str:
    group = f"{world.connection.id}/{account}"
    return world.letters_aws.send(PUSHES, push(world, id, account), group, reason)


def put_back(world: World, kind: str, *ids: str) -> PageResponse:
    """The page to which the operator comes back."""
    form = {"formToken": world.form_token(f"{PATH}?show={kind}"), "show": kind, "message": list(ids)}
    response = world.browser.post(PATH, form)
    return world.browser.get(f"{PATH}?{urlencode(response.query)}") if response.status == 303 else response


def rows(body: str) -> int:
    return body.split("<tbody>")[1].split("</tbody>")[0].count("<tr>") if "<tbody>" in body else 0


def test_each_queue_has_its_number_and_each_letter_what_why_since_and_how_often(world: World) -> None:
    world.add_account()
    id = add_push(world, reason="body: is not valid JSON")
    world.letters_aws.send(CHECKS, CHECK)
    body = world.browser.get(PATH).body
    tabs = re.findall(r'<a href="/portal/dead-letters\?show=(\w+)"[^>]*>[^<]*\((\d+)\)', body)
    assert tabs == [
        ("transactions", "1"), ("statements", "0"), ("checks", "1"), ("deliveries", "0"), ("events", "0"),
        ("schedule", "0"),
    ]  # fmt: skip
    company = world.connection.company_id
    for part in (
        id, f"1 transaction for company {company}", "body: is not valid JSON", "<time", "received 1 time",
        f'href="/portal/companies/{company}"', f'href="/portal/feeds/{world.connection.id}/main"',
    ):  # fmt: skip
        assert part in body
    assert "canary" not in body
    assert "Its function kept failing" in world.browser.get(f"{PATH}?show=checks").body


def test_a_look_returns_everything_at_once_and_changes_nothing(world: World) -> None:
    for number in range(30):
        world.letters_aws.send(CHECKS, CHECK | {"number": number})
    body = world.browser.get(f"{PATH}?show=checks").body
    assert rows(body) == 25
    assert "25 of about 30 messages" in body
    assert world.letters_aws.visible(CHECKS) == 30


def test_of_a_feed_only_the_first_letter_can_go_back_and_the_rest_is_said_to_be_there(world: World) -> None:
    for number in range(14):
        add_push(world, f"t{number:02}")
    add_push(world, account="other")
    body = world.browser.get(PATH).body
    assert rows(body) == 11
    assert body.count('name="message" value=') == 2 + 11, "one button for each feed, and all shown"
    assert "after an earlier one" in body
    assert "11 of about 15 messages" in body
    assert world.letters_aws.visible(PUSHES) == 15


def test_a_letter_goes_back_to_its_queue_and_the_others_stay(world: World, caplog: pytest.LogCaptureFixture) -> None:
    ids = [world.letters_aws.send(CHECKS, CHECK | {"number": number}) for number in range(12)]
    response = put_back(world, "checks", ids[11])
    assert response.status == 200
    assert "1 message is back in the queue." in response.body
    [told] = [vars(record) for record in caplog.records if record.message == "dead letters put back"]
    assert (told["kind"], told["letters"], told["by"]) == ("checks", [ids[11]], "Ops")
    assert [json.loads(body)["number"] for body in world.letters_aws.bodies("statement-checks")] == [11]
    assert len(world.letters_aws.bodies(CHECKS)) == world.letters_aws.visible(CHECKS) == 11


def test_all_that_are_shown_go_back_in_their_order_each_with_its_push_operation(world: World) -> None:
    ids = [add_push(world, f"t{number}") for number in range(10)]
    assert "10 messages are back in the queue." in put_back(world, "transactions", *reversed(ids)).body
    back = [json.loads(body) for body in world.letters_aws.bodies("transactions.fifo")]
    assert [one["transactions"][0]["id"] for one in back] == [f"t{number}" for number in range(10)]
    assert all(one["pushOperationKey"] for one in back)
    assert world.letters_aws.bodies(PUSHES) == []


def test_no_letter_goes_back_before_an_earlier_one_of_its_feed(world: World) -> None:
    _, second = add_push(world, "t1"), add_push(world, "t2")
    response = put_back(world, "transactions", second)
    assert response.status == 409
    assert "earlier messages of its feed come first" in response.body
    assert world.letters_aws.bodies("transactions.fifo") == []
    assert len(world.letters_aws.bodies(PUSHES)) == 2


def test_of_two_operators_at_once_one_puts_it_back(world: World) -> None:
    id = world.letters_aws.send(CHECKS, CHECK)
    assert put_back(world, "checks", id).status == 200
    response = put_back(world, "checks", id)
    assert response.status == 409
    assert "1 message was not found" in response.body
    assert len(world.letters_aws.bodies("statement-checks")) == 1


def test_one_who_dies_between_sending_and_removing_does_not_send_twice(
    world: World, monkeypatch: pytest.MonkeyPatch
) -> None:
    def dies(*_: Any) -> None:
        raise Unavailable("The queue is not available")

    id = add_push(world)
    with monkeypatch.context() as patch:
        patch.setattr(DeadLetterQueue, "remove", dies)
        response = put_back(world, "transactions", id)
    assert response.status == 503
    assert "no message is processed twice" in response.body
    assert "1 message is back" in put_back(world, "transactions", id).body
    assert len(world.letters_aws.bodies("transactions.fifo")) == 1
    assert world.letters_aws.bodies(PUSHES) == []


def test_a_poison_that_comes_back_at_once_stays_where_it_is(world: World, monkeypatch: pytest.MonkeyPatch) -> None:
    id, remove = add_push(world), DeadLetterQueue.remove

    def set_aside_again(queue: Any, letter: Any) -> None:
        remove(queue, letter)
        [back] = world.letters_aws.sqs.messages("TransactionsQueue")
        world.letters_aws.sqs.send_message(
            QueueUrl="TransactionsDeadLetters", MessageBody="{", MessageGroupId="g", MessageDeduplicationId=back.id
        )

    monkeypatch.setattr(DeadLetterQueue, "remove", set_aside_again)
    assert put_back(world, "transactions", id).status == 200
    assert world.letters_aws.bodies(PUSHES) == ["{"]


def test_an_event_and_a_scheduled_run_go_back_to_where_they_came_from(world: World) -> None:
    event = {"detail-type": "bankFeeds.held", "detail": {"id": "event-2", "payload": {}}}
    letters = world.letters_aws
    assert put_back(world, "events", letters.send("events-dead-letters", event)).status == 200
    assert [json.loads(body) for body in letters.bodies("events")] == [event]
    assert put_back(world, "schedule", letters.send("schedule-dead-letters", {"watch": True})).status == 200
    assert letters.started == [("TendConnections", {"watch": True})]
    assert letters.bodies("schedule-dead-letters") == []


def test_what_is_in_the_stream_is_left_to_the_command_line(world: World) -> None:
    batch = {"DDBStreamBatchInfo": {"batchSize": 3}}
    id = world.letters_aws.send("events-dead-letters", batch)
    body = world.browser.get(f"{PATH}?show=events").body
    assert f"dead-letters put-back events --message {id}" in body
    assert f'value="{id}"' not in body
    response = put_back(world, "events", id)
    assert response.status == 409
    assert "only the command line can read" in response.body
    assert len(world.letters_aws.bodies("events-dead-letters")) == 1


def test_whoever_looks_corrects_the_number_that_the_overview_has(world: World) -> None:
    id = world.letters_aws.send(CHECKS, CHECK)
    world.browser.get(PATH)
    assert dead_letter_count.last_count(world.store).total == 1
    put_back(world, "checks", id)
    assert dead_letter_count.last_count(world.store).total == 0


def test_what_others_are_looking_at_is_said_to_be_there(world: World) -> None:
    world.letters_aws.send(CHECKS, CHECK)
    queue = {"QueueUrl": queue_id(CHECKS), "MaxNumberOfMessages": 10, "VisibilityTimeout": 30}
    world.letters_aws.sqs.receive_message(**queue)
    body = world.browser.get(f"{PATH}?show=checks").body
    assert "The queue shows none of its 1 message at the moment" in body


def test_a_look_and_a_way_back_have_an_end_and_return_what_they_have(
    world: World, monkeypatch: pytest.MonkeyPatch
) -> None:
    ids = [world.letters_aws.send(CHECKS, CHECK | {"number": number}) for number in range(30)]
    ticks = itertools.count(0, 4)
    monkeypatch.setattr(dead_letter_office, "seconds", lambda: next(ticks))
    assert 1 <= rows(world.browser.get(f"{PATH}?show=checks").body) < 10
    response = put_back(world, "checks", *ids[:25])
    assert response.status == 409
    assert re.search(r"Only \d messages? went back", response.body)
    assert "There was no time for 2" in response.body
    left, back = len(world.letters_aws.bodies(CHECKS)), len(world.letters_aws.bodies("statement-checks"))
    assert (left + back, world.letters_aws.visible(CHECKS)) == (30, left)


def test_of_thousands_that_were_looked_through_no_more_are_returned_than_there_is_time_for(
    world: World, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The rest is visible again by itself; the portal lives for 28 seconds."""
    time = [0.0]

    def taking_time(call: Callable[..., Any]) -> Callable[..., Any]:
        def slow(**request: Any) -> Any:
            time[0] += 0.02
            return call(**request)

        return slow

    sqs, token = world.letters_aws.sqs, world.form_token(f"{PATH}?show=checks")
    ids = [world.letters_aws.send(CHECKS, CHECK | {"number": number}) for number in range(1_500)]
    for name in ("receive_message", "change_message_visibility"):
        monkeypatch.setattr(sqs, name, taking_time(getattr(sqs, name)))
    for module in (dead_letter_office, dead_letter_queue):
        monkeypatch.setattr(module, "seconds", lambda: time[0])
    response = world.browser.post(PATH, {"formToken": token, "show": "checks", "message": [ids[-1], "gone"]})
    assert "Only 1 message went back" in response.body
    assert time[0] < 20
    sqs.now += dead_letter_office.VISIBILITY_SECONDS
    assert world.letters_aws.visible(CHECKS) == 1_499


def test_what_went_back_is_in_the_log_if_the_queues_stop_answering_then(
    world: World, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    ids = [world.letters_aws.send(CHECKS, CHECK | {"number": number}) for number in range(3)]
    sends, send = itertools.count(1), world.letters_aws.sqs.send_message

    def once(**request: Any) -> Any:
        if next(sends) > 1:
            raise Unavailable("The queue is not available")
        return send(**request)

    monkeypatch.setattr(world.letters_aws.sqs, "send_message", once)
    assert put_back(world, "checks", *ids).status == 503
    [told] = [vars(record) for record in caplog.records if record.message == "dead letters put back"]
    assert len(told["letters"]) == 1
    assert world.letters_aws.visible(CHECKS) == 2


@pytest.mark.parametrize("code", ["ReceiptHandleIsInvalid", "InvalidParameterValue"])
def test_a_letter_that_is_visible_again_already_is_no_trouble(
    world: World, monkeypatch: pytest.MonkeyPatch, code: str
) -> None:
    def too_late(**_: Any) -> None:
        raise ClientError({"Error": {"Code": code, "Message": ""}}, "ChangeMessageVisibility")

    world.letters_aws.send(CHECKS, CHECK)
    monkeypatch.setattr(world.letters_aws.sqs, "change_message_visibility", too_late)
    response = world.browser.get(f"{PATH}?show=checks")
    assert (response.status, rows(response.body)) == (200, 1)


def test_queues_that_do_not_answer_are_said_to(world: World, monkeypatch: pytest.MonkeyPatch) -> None:
    def away(*_: Any) -> None:
        raise Unavailable("The queue is not available", 2)

    monkeypatch.setattr(dead_letter_office.DeadLetterOffice, "counts", away)
    response = world.browser.get(PATH)
    assert response.status == 503
    assert "The queues do not answer at the moment" in response.body
    assert 'aria-label="Portal"' in response.body


def test_a_form_without_the_token_puts_nothing_back(world: World) -> None:
    id = world.letters_aws.send(CHECKS, CHECK)
    assert world.browser.post(PATH, {"show": "checks", "message": id}).status == 403
    assert world.letters_aws.bodies("statement-checks") == []
    assert world.browser.post(PATH, {"show": "none", "formToken": world.form_token(PATH)}).status == 404


@pytest.mark.parametrize("action", ["GetQueueAttributes", "ReceiveMessage", "ChangeMessageVisibility", "DeleteMessage"])
def test_each_right_to_the_dead_letters_is_needed(world: World, monkeypatch: pytest.MonkeyPatch, action: str) -> None:
    id, token = world.letters_aws.send(CHECKS, CHECK), world.form_token("/portal")
    rest = {grant for grant in rights.granted("portal") if grant.action != f"sqs:{action}"}
    monkeypatch.setattr(rights, "granted", lambda function: rest if function == "portal" else set())
    monkeypatch.setattr(rights, "_by_call", rights._by_call.__wrapped__)
    world.browser.get(f"{PATH}?show=checks")
    world.browser.post(PATH, {"show": "checks", "message": id, "formToken": token})
    assert rights.take_refusals()[0].startswith(f"portal may not sqs:{action} on ")


def test_the_portal_may_send_to_the_sources_and_to_no_dead_letter_queue() -> None:
    sends = {grant.resource for grant in rights.granted("portal") if grant.action == "sqs:SendMessage"}
    assert sends == {
        "TransactionsQueue", "StatementsQueue", "StatementChecksQueue", "WebhookDeliveriesQueue", "EventsQueue",
    }  # fmt: skip
    assert Grant("lambda:InvokeFunction", "RelayEvents") not in rights.granted("portal")
