"""Dead letters through the command line: the fake queues and MiniStack's behave the same."""

from __future__ import annotations

import json
import uuid
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from typing import Any

import pytest
from click.testing import CliRunner, Result

from cli import dead_letters
from cli.__main__ import cli
from feedlane.aws.queues import SQSQueues
from tests.fakes.sqs import FakeSqs

PUSH = {"version": 1, "companyId": "company-1", "connectionId": "k", "accountId": "a", "transactions": [{"id": "t1"}]}
NAMES = (
    "transactions.fifo",
    "statements.fifo",
    "statement-checks",
    "webhook-deliveries",
    "events",
    "transactions-dead-letters.fifo",
    "statements-dead-letters.fifo",
    "statement-checks-dead-letters",
    "webhook-deliveries-dead-letters",
    "events-dead-letters",
    "schedule-dead-letters",
)


@dataclass
class Deployment:
    """Queues of a stack that has no functions: what is put back stays there to be looked at."""

    sqs: Any
    stack: str

    def run(self, *words: str) -> Result:
        return CliRunner().invoke(cli, ["dead-letters", *words, "--stack", self.stack])

    def url(self, name: str) -> str:
        return str(self.sqs.get_queue_url(QueueName=f"{self.stack}-{name}")["QueueUrl"])

    def send(self, name: str, body: Any, group: str = "", reason: str = "", deduplication: str = "") -> str:
        text = body if isinstance(body, str) else json.dumps(body)
        told = {"reason": {"DataType": "String", "StringValue": reason}} if reason else {}
        fifo = {"MessageGroupId": group, "MessageDeduplicationId": deduplication or str(uuid.uuid4())}
        more = {"MessageAttributes": told} | (fifo if group else {})
        return str(self.sqs.send_message(QueueUrl=self.url(name), MessageBody=text, **more)["MessageId"])

    def take(self, name: str) -> list[dict[str, Any]]:
        """What is on a queue, taken off it."""
        found = []
        while some := self._receive(name):
            for message in some:
                self.sqs.delete_message(QueueUrl=self.url(name), ReceiptHandle=message["ReceiptHandle"])
            found += some
        return found

    def _receive(self, name: str) -> list[dict[str, Any]]:
        answer = self.sqs.receive_message(
            QueueUrl=self.url(name), MaxNumberOfMessages=10, VisibilityTimeout=30, AttributeNames=["All"],
            MessageAttributeNames=["All"],
        )  # fmt: skip
        return list(answer.get("Messages", []))


@pytest.fixture(params=["memory", "sqs"])
def deployment(request: pytest.FixtureRequest, monkeypatch: pytest.MonkeyPatch) -> Iterator[Deployment]:
    stack = f"letters-{uuid.uuid4().hex[:8]}"
    made: Callable[[str], Any]
    if request.param == "memory":
        fake = FakeSqs()
        made = {"sqs": fake}.__getitem__
    else:
        made = request.getfixturevalue("instance").client
        for name in NAMES:
            fifo = {"FifoQueue": "true", "DeduplicationScope": "messageGroup"} if name.endswith(".fifo") else {}
            fifo |= {"FifoThroughputLimit": "perMessageGroupId"} if fifo else {}
            made("sqs").create_queue(QueueName=f"{stack}-{name}", Attributes=fifo)
    monkeypatch.setattr(dead_letters.OperatorAws, "client", lambda own, service: made(service))
    found = Deployment(made("sqs"), stack)
    yield found
    if request.param == "sqs":
        for name in NAMES:
            found.sqs.delete_queue(QueueUrl=found.url(name))


def test_the_list_tells_how_many_what_and_why_and_never_what_they_contain(deployment: Deployment) -> None:
    secret = PUSH | {"transactions": [{"id": "t1", "description": "canary", "amount": 5}]}
    kept = deployment.send("transactions-dead-letters.fifo", secret, "k/a")
    poison = deployment.send("transactions-dead-letters.fifo", "{canary", "other", "body: is not valid JSON")
    deployment.send("statements-dead-letters.fifo", {"feedId": "k/a"}, "k/a")
    check = {"kind": "statement", "feed_id": "k/a", "number": 7, "turn": 3}
    deployment.send("statement-checks-dead-letters", check)
    deployment.send("webhook-deliveries-dead-letters", {"consumerId": "consumer-1", "eventId": "event-1"})
    event = {"detail-type": "bankFeeds.held", "detail": {"id": "event-2", "payload": {"number": "canary"}}}
    deployment.send("events-dead-letters", event)

    told = deployment.run("list").output
    assert "canary" not in told
    lines = told.splitlines()
    assert [line.split("  ")[:2] for line in lines if not line.startswith(" ")] == [
        ["transactions", "2"], ["statements", "1"], ["checks", "1"], ["deliveries", "1"], ["events", "1"],
        ["schedule", "0"],
    ]  # fmt: skip
    assert any(kept in line and "1 transaction for company company-1" in line for line in lines)
    assert any(poison in line and line.endswith("body: is not valid JSON") for line in lines)
    for meaning in (
        "wake-up for feed k/a", "check of statement 7 for feed k/a", "event event-1 for consumer consumer-1",
        "event event-2 (bankFeeds.held), not routed",
    ):  # fmt: skip
        assert meaning in told

    # Looking changes nothing: the same is there again at once.
    assert deployment.run("list").output == told


def test_letters_go_back_in_their_groups_and_in_order(deployment: Deployment) -> None:
    for number in range(25):
        account = "ab"[number % 2]
        push = PUSH | {"accountId": account, "transactions": [{"id": f"t{number:02d}"}]}
        deployment.send("transactions-dead-letters.fifo", push, f"k/{account}")

    done = deployment.run("put-back", "transactions", "--all")
    assert done.exit_code == 0
    assert done.output.endswith("25 put back, 0 left in the queue\n")
    back = deployment.take("transactions.fifo")
    for account, parity in (("a", 0), ("b", 1)):
        group = [found for found in back if found["Attributes"]["MessageGroupId"] == f"k/{account}"]
        ids = [json.loads(found["Body"])["transactions"][0]["id"] for found in group]
        assert ids == [f"t{number:02d}" for number in range(25) if number % 2 == parity]
    assert deployment.take("transactions-dead-letters.fifo") == []


def test_one_letter_goes_back_and_the_others_stay(deployment: Deployment) -> None:
    ids = [deployment.send("webhook-deliveries-dead-letters", {"eventId": f"e{number}"}) for number in range(12)]
    assert deployment.run("put-back", "deliveries", "--message", ids[11]).exit_code == 0
    assert [json.loads(found["Body"]) for found in deployment.take("webhook-deliveries")] == [{"eventId": "e11"}]
    assert {found["MessageId"] for found in deployment.take("webhook-deliveries-dead-letters")} == set(ids[:11])


def test_an_event_goes_back_to_the_queue_of_events(deployment: Deployment) -> None:
    event = {"source": "feedlane", "detail-type": "bankFeeds.held", "detail": {"id": "event-1"}}
    deployment.send("events-dead-letters", event)
    assert deployment.run("put-back", "events", "--all").exit_code == 0
    assert [json.loads(found["Body"]) for found in deployment.take("events")] == [event]
    assert deployment.take("events-dead-letters") == []


def test_what_is_not_there_is_said(deployment: Deployment) -> None:
    missing = deployment.run("put-back", "statements", "--message", "nothing")
    assert missing.exit_code == 1
    assert "nothing was not found" in missing.output
    assert deployment.run("put-back", "statements").exit_code == 2
    assert deployment.run("put-back", "statements", "--all", "--message", "nothing").exit_code == 2


def test_sqs_takes_a_letter_although_it_had_the_same_message_just_before(deployment: Deployment) -> None:
    deployment.send("statements.fifo", {"feedId": "k/a"}, "k/a", deduplication="bell")
    assert len(deployment.take("statements.fifo")) == 1
    deployment.send("statements-dead-letters.fifo", {"feedId": "k/a"}, "k/a", deduplication="bell")
    assert deployment.run("put-back", "statements", "--all").exit_code == 0
    [back] = deployment.take("statements.fifo")
    assert json.loads(back["Body"]) == {"feedId": "k/a"}


def test_a_command_that_dies_between_sending_and_removing_does_not_send_twice(
    deployment: Deployment, monkeypatch: pytest.MonkeyPatch
) -> None:
    def dies(*_: Any) -> None:
        raise KeyboardInterrupt

    deployment.send("transactions-dead-letters.fifo", PUSH, "k/a")
    with monkeypatch.context() as patch:
        patch.setattr(dead_letters.DeadLetterQueue, "remove", dies)
        assert deployment.run("put-back", "transactions", "--all").exit_code != 0
    assert deployment.run("put-back", "transactions", "--all").exit_code == 0
    assert len(deployment.take("transactions.fifo")) == 1
    assert deployment.take("transactions-dead-letters.fifo") == []


def test_one_that_comes_back_while_the_others_go_stays_where_it_is(
    deployment: Deployment, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Poison is set aside again at once; the command has an end all the same."""
    deployment.send("transactions-dead-letters.fifo", "{", "k/a", "body: is not valid JSON")
    remove = dead_letters.DeadLetterQueue.remove

    def set_aside_again(queue: Any, letter: Any) -> None:
        remove(queue, letter)
        for message in deployment.take("transactions.fifo"):
            again = message["MessageId"]
            deployment.send("transactions-dead-letters.fifo", "{", "k/a", "body: is not valid JSON", again)

    monkeypatch.setattr(dead_letters.DeadLetterQueue, "remove", set_aside_again)
    done = deployment.run("put-back", "transactions", "--all")
    assert done.output.endswith("1 put back, 0 left in the queue\n")
    [stays] = deployment.take("transactions-dead-letters.fifo")
    assert stays["MessageAttributes"]["reason"]["StringValue"] == "body: is not valid JSON"


def test_what_aws_refuses_ends_the_command_with_its_words(
    deployment: Deployment, monkeypatch: pytest.MonkeyPatch
) -> None:
    if isinstance(deployment.sqs, FakeSqs):
        pytest.skip("the fake has every queue that is named")
    missing = Deployment(deployment.sqs, "no-such-stack").run("list")
    assert missing.exit_code == 1
    assert "Error: " in missing.output
    assert "queue" in missing.output.lower()


def test_the_functions_reason_is_the_one_that_is_shown(deployment: Deployment, monkeypatch: pytest.MonkeyPatch) -> None:
    """The attribute that `record_transactions` writes is the one that the list reads."""
    from feedlane import environment
    from feedlane.aws import clients as aws

    monkeypatch.setattr(aws, "client", lambda service: deployment.sqs)
    monkeypatch.setenv("TRANSACTIONS_DLQ_URL", deployment.url("transactions-dead-letters.fifo"))
    environment.environment.cache_clear()
    try:
        SQSQueues().dead_letter("k/a", "message-1", json.dumps(PUSH), "version: must be 1")
    finally:
        environment.environment.cache_clear()
    [line] = deployment.run("list", "transactions").output.splitlines()[1:]
    assert line.endswith("1 transaction for company company-1  version: must be 1")
