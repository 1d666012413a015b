"""Probes of the functions that queues start: record_transactions, push_statements, check_statements."""

from __future__ import annotations

import json
from datetime import timedelta

from feedlane.feeds import items as feed_items
from feedlane.feeds import push_operation_items
from feedlane.feeds.feed import Feed, Flight, FlightStatus
from feedlane.feeds.push_operation import Door, PushOperation
from feedlane.follow_ups import FollowUp, PushOperationCheck, StatementCheck, Wake
from feedlane.holds import items as hold_items
from feedlane.ids import new_id
from feedlane.pushes.appending import IDS_IN_COMMIT_MAX
from feedlane.statements import items as statement_items
from feedlane.statements.statement import StatementRecord, StatementState
from feedlane.statements.waits import set_not_before
from feedlane.store import keys
from local.instance import STACK, Instance
from tests.stack.probes.calling import Failed
from tests.stack.probes.given import ACCOUNT, Given, given

REFUSAL = "invalid-organisation-bank-feeds"
# Further away than a new function instance takes to start after its policy has changed.
SOON_SECONDS = 30

# record_transactions


def records_a_push(instance: Instance) -> None:
    own = given(instance)
    feed = own.feed(own.linked(), feed_connection_id=new_id())
    own.functions.messages("record_transactions", _message(own, feed.connection_id), group=feed.id)


def records_many_transactions(instance: Instance) -> None:
    """More than have their ids in the commit itself."""
    own = given(instance)
    feed = own.feed(own.linked(), feed_connection_id=new_id())
    body = _message(own, feed.connection_id, transactions=IDS_IN_COMMIT_MAX + 1)
    own.functions.messages("record_transactions", body, group=feed.id)


def records_a_push_that_is_held(instance: Instance) -> None:
    own = given(instance)
    feed = own.feed(own.linked(), feed_connection_id=new_id())
    with own.hold(feed):
        own.functions.messages("record_transactions", _message(own, feed.connection_id), group=feed.id)


def fails_a_push_of_an_unknown_feed(instance: Instance) -> None:
    own = given(instance)
    connection = new_id()
    own.functions.messages("record_transactions", _message(own, connection), group=f"{connection}/{ACCOUNT}")


def sets_aside_what_is_no_push(instance: Instance) -> None:
    own, body = given(instance), f"not JSON: {new_id()}"
    own.functions.messages("record_transactions", body, group="probe")
    _take_from_dead_letters(instance, body)


def comes_again_soon_with_a_feed_that_cannot_be_read(instance: Instance) -> None:
    own, connection = given(instance), new_id()
    feed = f"{connection}/{ACCOUNT}"
    pk, sk = keys.feed(feed)
    own.store.table.put_many([{"pk": pk, "sk": sk, "id": "unreadable"}])
    own.functions.postpones("record_transactions", _message(own, connection), feed)


# push_statements


def finds_no_feed(instance: Instance) -> None:
    _wake(given(instance), new_id())


def is_refused_for_the_connection(instance: Instance) -> None:
    """A token set that nobody has: the connection is held, and its other feed is woken to fail what waits in it."""
    own = given(instance)
    connection = own.linked()
    feed = own.feed(connection, lines=1, feed_connection_id=new_id())
    own.feed(connection, "other", lines=1)
    with own.holds_lifted(feed):
        _wake(own, feed.id)
        _is_held(own, feed)


def is_refused_for_the_organisation(instance: Instance) -> None:
    own = given(instance)
    feed = _fed(own, lines=1)
    own.simulator.order_problem("POST", "/Statements", feed.tenant_id, REFUSAL)
    with own.holds_lifted(feed):
        _wake(own, feed.id)
        _is_held(own, feed)


def has_to_wait(instance: Instance) -> None:
    """It is woken later, and is gone then."""
    own = given(instance)
    feed = own.feed(own.linked(), lines=1, feed_connection_id=new_id())
    set_not_before(own.store, "feed", feed.id, own.now + timedelta(minutes=5), own.now)
    try:
        _wake(own, feed.id)
    finally:
        own.store.table.delete_many([keys.feed(feed.id)])


def comes_again_soon_with_a_wake_that_cannot_be_read(instance: Instance) -> None:
    given(instance).functions.postpones("push_statements", "not JSON", "probe")


# check_statements


def wakes_a_feed(instance: Instance) -> None:
    _check(given(instance), Wake(feed_id=new_id()))


def finds_no_statement(instance: Instance) -> None:
    _check(given(instance), StatementCheck(feed_id=new_id(), number=1))


def looks_again_when_an_operation_is_due(instance: Instance) -> None:
    own = given(instance)
    _check(own, _operation(own, due_in=SOON_SECONDS))


def ends_an_operation_that_is_due(instance: Instance) -> None:
    own = given(instance)
    _check(own, _operation(own, due_in=-1))


def rings_for_a_push_that_nobody_rang_for(instance: Instance) -> None:
    own = given(instance)
    _check(own, _operation(own, due_in=SOON_SECONDS, through=0))


def may_not_ask_for_the_connection(instance: Instance) -> None:
    own = given(instance)
    feed = own.feed(own.linked(), lines=1)
    with own.holds_lifted(feed):
        _check(own, _pending(own, feed))
        _is_held(own, feed)


def may_not_ask_for_the_organisation(instance: Instance) -> None:
    own = given(instance)
    feed = _fed(own, lines=1)
    own.simulator.order_problem("GET", "/Statements/*", feed.tenant_id, REFUSAL)
    with own.holds_lifted(feed):
        _check(own, _pending(own, feed))
        _is_held(own, feed)


def comes_again_soon_with_a_check_that_cannot_be_read(instance: Instance) -> None:
    given(instance).functions.postpones("check_statements", "not JSON")


def _message(own: Given, connection_id: str, transactions: int = 1) -> str:
    today = own.now.date().isoformat()
    some = [
        {"id": new_id(), "date": today, "amount": 1, "balance": number + 1, "description": "Probe"}
        for number in range(transactions)
    ]
    names = {"companyId": own.company.id, "connectionId": connection_id, "accountId": ACCOUNT}
    return json.dumps({"version": 1, **names, "transactions": some})


def _wake(own: Given, feed_id: str) -> None:
    own.functions.messages("push_statements", json.dumps({"feedId": feed_id}), group=feed_id)


def _check(own: Given, check: FollowUp) -> None:
    own.functions.messages("check_statements", check.model_dump_json())


def _fed(own: Given, lines: int) -> Feed:
    """A feed of a real organisation, with a token set that reaches it."""
    connection = own.linked(token_set_id=own.token_set)
    return own.feed(connection, lines=lines, tenant_id=own.tenant, feed_connection_id=new_id())


def _pending(own: Given, feed: Feed) -> FollowUp:
    """A statement that Xero has, and the look at it. It is looked at once only: its feed has no flight."""
    statement = StatementRecord(
        feed_id=feed.id, number=1, first=1, last=1, state=StatementState.PENDING, upstream_id=new_id(),
        created=own.now, posted_on=own.now,
    )  # fmt: skip
    flight = Flight(number=1, first=1, last=1, status=FlightStatus.PENDING)
    own.store.commit(
        *statement_items.add_statement(statement, b"{}"), feed_items.put_feed(feed.but(flight=flight, statements=1))
    )
    return StatementCheck(feed_id=feed.id, number=1)


def _operation(own: Given, due_in: int, through: int = 1) -> FollowUp:
    connection_id = new_id()
    operation = PushOperation(
        key=new_id(), company_id=own.company.id, connection_id=connection_id, account_id=ACCOUNT, door=Door.API,
        requested_on=own.now + timedelta(seconds=due_in - 60), timeout_in_minutes=1, through=through,
    )  # fmt: skip
    own.add(push_operation_items.put_operation(operation))
    feed_id = f"{connection_id}/{ACCOUNT}"
    return PushOperationCheck(feed_id=feed_id, operation_key=operation.key, company_id=own.company.id)


def _is_held(own: Given, feed: Feed) -> None:
    if not hold_items.holds_on(own.store, feed.hold_subjects):
        raise Failed(f"{feed.id} should be held")


def _take_from_dead_letters(instance: Instance, body: str) -> None:
    sqs = instance.client("sqs")
    url = sqs.get_queue_url(QueueName=f"{STACK}-transactions-dead-letters.fifo")["QueueUrl"]
    for message in sqs.receive_message(QueueUrl=url, MaxNumberOfMessages=10, VisibilityTimeout=1).get("Messages", []):
        if message["Body"] == body:
            sqs.delete_message(QueueUrl=url, ReceiptHandle=message["ReceiptHandle"])
