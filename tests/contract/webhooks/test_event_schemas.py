"""Every event matches its published schema, and has no field that the schema does not describe."""

from __future__ import annotations

import json
from copy import deepcopy
from datetime import timedelta
from decimal import Decimal
from pathlib import Path
from typing import Any

import jsonschema
import pytest

from feedlane.companies import events as payloads
from feedlane.companies.connection import ChangeState, ConnectionFault, ConnectionStatus, UpstreamChange, UpstreamName
from feedlane.companies.reconnection import BANK_FEEDS_SCOPE_MISSING, fault_of
from feedlane.companies.source_account import AccountMapping, SourceAccountStatus
from feedlane.events import event as event_types
from feedlane.events.envelope import webhook_body
from feedlane.events.event import Event
from feedlane.events.outbox import put_event
from feedlane.feeds import events as feed_events
from feedlane.feeds.hole import Hole
from feedlane.feeds.ledger import Gap
from feedlane.feeds.push_operation import Door, PushOperation
from feedlane.holds import events as hold_events
from feedlane.problem import Problem
from feedlane.scope import Scope
from feedlane.settings import events as settings_events
from feedlane.statements import events as statement_events
from feedlane.statements.statement import Doubt, StatementRecord
from feedlane.webhooks import events as webhook_events
from feedlane.webhooks.consumer import Consumer
from tests import builders
from tests.builders import NOW, URL
from tests.worlds.webhooks import hold_event

DOCS = Path(__file__).parents[3] / "docs" / "events"
PROBLEM = Problem(type="internal-error", title="Internal", status=500, detail="")
ERROR = ConnectionFault(
    status_code="403", status_text="User cancelled linking", error_message="User cancelled", errored_on=NOW
)
COMPANY = builders.company(tags={"region": "uk"})
PENDING = builders.pending()
LINKED = builders.linked(linked_on=NOW, errors=(ERROR, ERROR.but(resolved_on=NOW)))
LACKING = LINKED.with_fault(fault_of(BANK_FEEDS_SCOPE_MISSING, NOW))
CHANGE = UpstreamChange(to=UpstreamName.CODAT, state=ChangeState.AWAITING_CONSENT, since=NOW)
FEED = builders.feed(recorded_through=12)
ACCOUNT = builders.mapped_account(
    FEED,
    sort_code="040004",
    balance=Decimal("123456789012345.6789"),
    mapping=AccountMapping(feed_connection_id="f", account_token="t", feed_start_date="2026-05-01"),
    given={"accountInfo": {"availableBalance": Decimal("12.5")}, "routingInfo": {"bankCode": "040004"}},
)
OPERATION = PushOperation(
    key="push-1",
    company_id=COMPANY.id,
    connection_id="connection-1",
    account_id="account-1",
    door=Door.API,
    requested_on=NOW,
    timeout_in_minutes=5,
)
APP_HOLD = builders.hold(id="hold-2", problem=PROBLEM)
FEED_HOLD = APP_HOLD.but(
    scope=Scope.FEED, subject=FEED.id, tenant_id="t", company_id="c", connection_id="k", account_id="a"
)
STATEMENT = StatementRecord(
    feed_id=FEED.id, number=3, first=5, last=9, start_date="2026-05-01", end_date="2026-05-03", created=NOW
)
HOLE = Hole(
    operation_key="push-1",
    company_id=COMPANY.id,
    requested_on=NOW,
    transactions=9,
    unread=2,
    missing=3,
    next_missing="t-4",
    first_date="2026-05-01",
    last_date="2026-05-03",
    error="The push was not recorded.",
)
CONSUMER = Consumer(id="consumer-1", url="https://hooks.example.com/in?key=secret", created=NOW)
PLAIN = builders.company("company-2", description="no tags")

PORTS = builders.ports()

EVENTS = [
    payloads.company_created(PORTS, COMPANY, NOW),
    payloads.company_created(PORTS, PLAIN, NOW),
    payloads.company_deleted(PORTS, COMPANY, NOW),
    payloads.connection_created(PORTS, PENDING, COMPANY, NOW),
    payloads.connection_connected(PORTS, LINKED, PLAIN, NOW),
    payloads.connection_disconnected(PORTS, LINKED.but(status=ConnectionStatus.DEAUTHORIZED), COMPANY, NOW),
    payloads.connection_reconnected(PORTS, LINKED, COMPANY, NOW),
    payloads.connection_failed(PORTS, PENDING.but(errors=(ERROR,)), COMPANY, NOW),
    payloads.connection_deleted(PORTS, LINKED, COMPANY, NOW),
    payloads.connection_needs_reconnection(PORTS, LACKING, COMPANY, NOW),
    payloads.connection_recovered(PORTS, LACKING, LINKED, COMPANY, "reconnection", NOW),
    payloads.connection_recovered(PORTS, PENDING.but(status=ConnectionStatus.DEAUTHORIZED), LINKED, PLAIN, "xero", NOW),
    payloads.connection_upstream_change(PORTS, LINKED, PENDING.but(upstream="codat", change=CHANGE), COMPANY, NOW),
    payloads.authorization_unanswered(PORTS, PENDING, COMPANY, NOW, 24, 25, NOW),
    payloads.authorization_unanswered(PORTS, LINKED, PLAIN, NOW, 0, None, NOW),
    feed_events.write_ended(PORTS, OPERATION.succeeded(NOW), COMPANY, NOW),
    feed_events.write_ended(PORTS, OPERATION.failed(NOW, "Refused", 403, PROBLEM), COMPANY, NOW),
    feed_events.write_ended(PORTS, OPERATION.timed_out(NOW), PLAIN, NOW),
    payloads.source_account_connected(PORTS, ACCOUNT, COMPANY, NOW),
    payloads.source_account_connected(PORTS, ACCOUNT.but(sort_code=None, mapping=None, given={}), COMPANY, NOW),
    payloads.source_account_disconnected(PORTS, ACCOUNT.but(status=SourceAccountStatus.DISCONNECTED), COMPANY, NOW),
    payloads.source_account_disconnected(
        PORTS, ACCOUNT.but(status=SourceAccountStatus.DISCONNECTED, problem=PROBLEM), COMPANY, NOW
    ),
    hold_event(),
    hold_events.held(PORTS, APP_HOLD, 0, COMPANY, NOW),
    hold_events.held(PORTS, APP_HOLD, None, COMPANY, NOW),
    hold_events.held(PORTS, FEED_HOLD.but(line=7, transaction_id="t-7"), 3, COMPANY, NOW),
    hold_events.held(PORTS, FEED_HOLD.but(reason="account-archived"), 3, COMPANY, NOW),
    hold_events.released(PORTS, FEED_HOLD, 5, COMPANY, NOW),
    hold_events.released(PORTS, FEED_HOLD.but(line=7, transaction_id="t-7"), 5, COMPANY, NOW, ("t-7",)),
    hold_events.released(PORTS, APP_HOLD, 5, None, NOW),
    feed_events.gap_found(PORTS, FEED, Gap("t-1", "2026-05-03", Decimal("10.00"), Decimal("-2.5")), COMPANY, NOW),
    feed_events.hole_found(PORTS, FEED, HOLE, COMPANY, NOW),
    feed_events.hole_found(PORTS, FEED, HOLE.but(missing=0, first_date="", last_date=""), PLAIN, NOW),
    feed_events.hole_mended(PORTS, FEED, HOLE, COMPANY, NOW),
    statement_events.statement_stuck(PORTS, FEED, STATEMENT.but(doubt=Doubt.DUPLICATE), COMPANY, NOW),
    statement_events.statement_stuck(
        PORTS, FEED, STATEMENT.but(upstream_id="s-1", posted_on=NOW, doubt=Doubt.NOT_ENDED), COMPANY, NOW
    ),
    statement_events.statement_stuck(
        PORTS, FEED, STATEMENT.but(doubt=Doubt.LINES_MISSING, lines_there=4), COMPANY, NOW
    ),
    statement_events.statement_stuck(
        PORTS, FEED, STATEMENT.but(doubt=Doubt.NOT_CONFIRMED, problems=(PROBLEM,)), COMPANY, NOW
    ),
    statement_events.statement_resolved(PORTS, FEED, STATEMENT.but(resolved_as="delivered"), COMPANY, NOW),
    statement_events.statement_resolved(
        PORTS, FEED, STATEMENT.but(resolved_as="notDelivered"), COMPANY, NOW, ("t-1", "t-2")
    ),
    payloads.connection_limit_reached(PORTS, 25, 25, NOW),
    statement_events.daily_limit_reached(PORTS, "id", "tenant-1", 1000, 900, COMPANY, NOW),
    statement_events.daily_limit_reached(PORTS, "id", "tenant-1", 1000, 900, None, NOW),
    settings_events.settings_changed(
        PORTS, {"bank_feeds": True, "client_id": "ABC", "client_secret_ending": "wxyz"}, NOW
    ),
    webhook_events.consumer_disabled(PORTS, CONSUMER.but(failing_since=NOW - timedelta(days=5)), "failing", NOW),
    webhook_events.consumer_disabled(PORTS, CONSUMER, "gone", NOW),
    webhook_events.consumer_test(PORTS, CONSUMER, NOW),
]


@pytest.mark.parametrize("event", EVENTS, ids=lambda event: event.type)
def test_the_webhook_is_as_the_schema_says(event: Event) -> None:
    sent = json.loads(webhook_body(event))
    assert sent["eventType"] == event.type
    jsonschema.validate(sent, _strict(_schema(event.type)), format_checker=jsonschema.FormatChecker())  # raises


@pytest.mark.parametrize("event", EVENTS, ids=lambda event: event.type)
def test_the_outbox_keeps_every_byte(event: Event) -> None:
    assert webhook_body(Event.model_validate(put_event(event).item)) == webhook_body(event)


def test_the_company_concerned_comes_with_its_page_in_the_portal() -> None:
    event = feed_events.write_ended(PORTS, OPERATION.succeeded(NOW), COMPANY, NOW)
    sent = json.loads(webhook_body(event))
    jsonschema.validate(sent, _strict(_schema(event.type)), format_checker=jsonschema.FormatChecker())
    portal = f"{URL}/portal/companies/{COMPANY.id}"
    assert sent["payload"]["referenceCompany"]["links"] == {"portal": portal}


def test_every_event_type_has_a_schema_and_an_example_here() -> None:
    published = {path.stem for path in DOCS.glob("*.json")}
    assert published == set(event_types.ALL_TYPES) == {event.type for event in EVENTS}


@pytest.mark.parametrize("event_type", event_types.ALL_TYPES)
def test_schemas_are_valid_and_listed(event_type: str) -> None:
    jsonschema.Draft202012Validator.check_schema(_schema(event_type))
    assert f"[`{event_type}`]({event_type}.json)" in (DOCS / "README.md").read_text()


def test_amounts_go_out_digit_for_digit() -> None:
    event = payloads.source_account_connected(PORTS, ACCOUNT, COMPANY, NOW)
    assert b'"balance":123456789012345.6789,' in webhook_body(Event.model_validate(put_event(event).item))


def test_what_an_event_keeps_order_with() -> None:
    subjects = {event.type: event.subject for event in EVENTS}
    assert subjects[event_types.WRITE_SUCCESSFUL] == FEED.id
    assert subjects[event_types.SOURCE_ACCOUNT_CONNECTED] == FEED.id
    assert subjects[event_types.GAP_FOUND] == FEED.id
    assert subjects[event_types.CONNECTION_FAILED] == "connection-1"
    assert subjects[event_types.COMPANY_DELETED] == COMPANY.id
    assert subjects[event_types.SETTINGS_CHANGED] == "app"
    assert hold_events.held(PORTS, FEED_HOLD, 1, COMPANY, NOW).subject == FEED.id


def test_no_key_of_the_app_or_of_a_consumer_is_in_an_event() -> None:
    for event in EVENTS:
        assert not any(secret in webhook_body(event) for secret in (b"ABC", b"wxyz", b"key=secret"))


def test_a_hold_of_the_app_names_no_company() -> None:
    event = hold_events.held(PORTS, APP_HOLD, 3, COMPANY, NOW)
    assert event.company_id is None
    assert "referenceCompany" not in event.payload


def _schema(event_type: str) -> dict[str, Any]:
    schema: dict[str, Any] = json.loads((DOCS / f"{event_type}.json").read_text())
    return schema


def _strict(schema: dict[str, Any]) -> dict[str, Any]:
    """The schema without additional properties: no undocumented field may be sent."""
    strict = deepcopy(schema)

    def close(node: Any) -> None:
        if isinstance(node, dict):
            if "properties" in node:
                node.setdefault("additionalProperties", False)
            for child in node.values():
                close(child)
        elif isinstance(node, list):
            for child in node:
                close(child)

    close(strict)
    return strict
