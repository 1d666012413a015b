"""Probes of the portal's dead letters: each puts a message there, and has the portal put it back."""

from __future__ import annotations

import json
from typing import Any

from feedlane.events.envelope import bus_detail
from feedlane.ids import new_id
from local.instance import STACK, Instance
from tests.stack.probes.calling import Failed
from tests.stack.probes.given import Given, given
from tests.stack.probes.pages import operator, token_for

PATH = "/portal/dead-letters"


def puts_a_check_back(instance: Instance) -> None:
    """Of a statement that there is not: whoever checks it finds nothing to do."""
    _goes_back(given(instance), "checks", "statement-checks-dead-letters", {"kind": "wake", "feed_id": new_id()})


def puts_an_event_back(instance: Instance) -> None:
    """One that no consumer asks for."""
    own = given(instance)
    event = own.event()
    body = {"source": "feedlane", "detail-type": event.type, "detail": json.loads(bus_detail(event))}
    _goes_back(own, "events", "events-dead-letters", body)


def runs_the_watch_again(instance: Instance) -> None:
    _goes_back(given(instance), "schedule", "schedule-dead-letters", {"watch": True})


def _goes_back(own: Given, kind: str, queue: str, body: dict[str, Any]) -> None:
    sqs = own.instance.client("sqs")
    url = sqs.get_queue_url(QueueName=f"{STACK}-{queue}")["QueueUrl"]
    id = sqs.send_message(QueueUrl=url, MessageBody=json.dumps(body))["MessageId"]
    cookies = operator(own)
    try:
        own.functions.page("portal", "GET", PATH, query={"show": kind}, cookies=cookies)
        form = {"show": kind, "message": id, "formToken": token_for(cookies)}
        answer = own.functions.page("portal", "POST", PATH, form=form, cookies=cookies)
        if answer["statusCode"] != 303:
            raise Failed(f"{kind} {id} did not go back: {answer['statusCode']} {answer['body'][:2000]}")
    finally:
        sqs.purge_queue(QueueUrl=url)
