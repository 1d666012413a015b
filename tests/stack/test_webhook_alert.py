"""The 403 alert as a platform has it that knows nothing of Feedlane but its secret and the `svix` library.

The deployed functions read the machine's clock, so the hours between the attempts are not waited for: once an attempt
has failed and its successor stands where the schedule wants it, the delivery's due time is set to now in the table,
and the message that is hours away is sent at once. Nothing else differs from what happens in production.
"""

from __future__ import annotations

import json
import threading
from collections.abc import Iterator
from datetime import UTC, datetime
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any

import pytest
from svix.webhooks import Webhook

from feedlane.clock import iso
from feedlane.delivery import JITTER, SCHEDULE
from local.demo.platform import Customer, wait_for
from local.demo.refusal import ACCOUNT, DETAIL, TYPE
from local.instance import STACK, Instance
from tests.stack.road import Road, rows

FAILS = 4


class SvixConsumer:
    """Verifies with `svix` and nothing else; says 500 until it has been asked `fails` times."""

    def __init__(self, fails: int) -> None:
        self.secret = ""
        self.requests: list[tuple[dict[str, str], bytes]] = []
        self.verified: list[dict[str, Any]] = []
        consumer = self

        class Handler(BaseHTTPRequestHandler):
            def do_POST(self) -> None:
                body = self.rfile.read(int(self.headers["Content-Length"]))
                headers = {name.lower(): value for name, value in self.headers.items()}
                consumer.requests.append((headers, body))
                if len(consumer.requests) <= fails:
                    self._say(500)
                    return
                Webhook(consumer.secret).verify(body, headers)  # raises if anything is wrong with it
                consumer.verified.append(json.loads(body))
                self._say(204)

            def _say(self, status: int) -> None:
                self.send_response(status)
                self.send_header("Content-Length", "0")
                self.end_headers()

            def log_message(self, *parts: Any) -> None:
                pass

        self._server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
        threading.Thread(target=self._server.serve_forever, daemon=True).start()

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self._server.server_port}/feedlane"

    def asked(self, times: int) -> None:
        wait_for(lambda: len(self.requests) >= times or None, f"attempt {times}", 60)

    def close(self) -> None:
        self._server.shutdown()
        self._server.server_close()


@pytest.fixture
def road(instance: Instance) -> Iterator[Road]:
    road = Road(instance)
    yield road
    road.close()


@pytest.fixture
def consumer() -> Iterator[SvixConsumer]:
    consumer = SvixConsumer(fails=FAILS)
    yield consumer
    consumer.close()


def test_a_consumer_with_svix_alone_gets_the_403_alert_after_failing_it_four_times_and_then_its_replay(
    road: Road, consumer: SvixConsumer
) -> None:
    # Given a consumer of holds, and an organisation whose plan has no bank feeds
    http = road.platform.http
    created = http.post("/webhooks", json={"url": consumer.url, "eventTypes": ["bankFeeds.held"]}).json()
    consumer.secret = created["signingSecret"]
    company = _company_without_bank_feeds(road)

    # When Xero refuses, and the consumer fails four times
    consumer.asked(1)
    event_id = consumer.requests[0][0]["webhook-id"]
    due = _Due(road.instance, created["id"], event_id)
    for attempt in range(1, FAILS + 1):
        consumer.asked(attempt)
        due.stands_where_the_schedule_wants_it(attempt)
        due.has_come()

    # Then the fifth attempt brings the alert, rightly signed, under the id that it had from the start
    alert = wait_for(lambda: consumer.verified[0] if consumer.verified else None, "the alert", 60)
    assert (alert["id"], alert["eventType"]) == (event_id, "bankFeeds.held")
    assert alert["payload"]["companyId"] == company
    assert {name: alert["payload"]["problem"][name] for name in ("type", "status", "detail")} == {
        "type": TYPE,
        "status": 403,
        "detail": DETAIL,
    }
    assert {(headers["webhook-id"], body) for headers, body in consumer.requests} == {
        (event_id, consumer.requests[0][1])
    }

    # And every attempt is kept
    shown = wait_for(lambda: _ended(http, created["id"], event_id), "the delivery to end", 30)
    assert [attempt["status"] for attempt in shown["attempts"]] == [500] * FAILS + [204]

    # When it is replayed, then it comes once more: the same event under the same id
    assert http.post(f"/webhooks/{created['id']}/deliveries/{event_id}/replay").status_code == 202
    consumer.asked(FAILS + 2)
    again = wait_for(lambda: consumer.verified[1] if len(consumer.verified) > 1 else None, "the replay", 60)
    assert again == alert
    http.delete(f"/webhooks/{created['id']}")


def _company_without_bank_feeds(road: Road) -> str:
    organisation = road.simulator.create_organisation(
        name="Tide Mill Ltd", country="GB", currency="GBP", demo=False, bankFeeds=False, accounts=[]
    )
    road.simulator.consent_to(organisation["tenantId"])
    company, connection, link = road.platform.create_connection("Tide Mill Ltd", [ACCOUNT])
    Customer().authorise(link)
    road.push(road.platform.map_account(company, connection, "till", None), rows(3))
    return company


def _ended(http: Any, consumer_id: str, event_id: str) -> dict[str, Any] | None:
    shown: dict[str, Any] = http.get(f"/webhooks/{consumer_id}/deliveries/{event_id}").json()
    return shown if shown["status"] == "Success" else None


class _Due:
    """When a delivery is tried next, as the table has it."""

    def __init__(self, instance: Instance, consumer_id: str, event_id: str) -> None:
        self._table = instance.client("dynamodb")
        self._sqs = instance.client("sqs")
        self._name = instance.outputs()["TableName"]
        self._key = {"pk": {"S": f"CONSUMER#{consumer_id}"}, "sk": {"S": f"DELIVERY#{event_id}"}}
        self._body = json.dumps({"consumerId": consumer_id, "eventId": event_id})

    def stands_where_the_schedule_wants_it(self, attempts: int) -> None:
        def found() -> dict[str, Any] | None:
            item = self._table.get_item(TableName=self._name, Key=self._key, ConsistentRead=True)["Item"]
            return item if len(item["attempts"]["L"]) >= attempts and "due" in item else None

        item = wait_for(found, f"attempt {attempts} to be recorded", 30)
        made = [datetime.fromisoformat(attempt["M"]["time"]["S"]) for attempt in item["attempts"]["L"]]
        waits = (datetime.fromisoformat(item["due"]["S"]) - made[-1]).total_seconds()
        assert waits == pytest.approx(SCHEDULE[len(made)], rel=JITTER + 0.02)

    def has_come(self) -> None:
        self._table.update_item(
            TableName=self._name,
            Key=self._key,
            UpdateExpression="SET due = :now",
            ExpressionAttributeValues={":now": {"S": iso(datetime.now(UTC))}},
        )
        url = self._sqs.get_queue_url(QueueName=f"{STACK}-webhook-deliveries")["QueueUrl"]
        self._sqs.send_message(QueueUrl=url, MessageBody=self._body)
