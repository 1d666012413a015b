"""`dead-letters list` shows every letter that SQS will show, says how many it did not, and changes nothing."""

from __future__ import annotations

import json

import pytest
from click.testing import CliRunner

from cli import dead_letters
from cli.__main__ import cli
from feedlane.aws import dead_letter_queue
from feedlane.queues import with_reason
from tests.fakes.sqs import FakeSqs

PUSHES = "stack-transactions-dead-letters.fifo"
CHECKS, STATEMENTS = "stack-statement-checks-dead-letters", "stack-statements-dead-letters.fifo"


@pytest.fixture
def sqs(monkeypatch: pytest.MonkeyPatch) -> FakeSqs:
    fake = FakeSqs()
    monkeypatch.setattr(dead_letters.OperatorAws, "client", lambda *_: fake)
    return fake


def listed(kind: str) -> list[str]:
    done = CliRunner().invoke(cli, ["dead-letters", "list", kind, "--stack", "stack"])
    assert done.exit_code == 0, done.output
    return done.output.splitlines()


def visible(sqs: FakeSqs, queue: str) -> int:
    name = "ApproximateNumberOfMessages"
    return int(sqs.get_queue_attributes(QueueUrl=queue, AttributeNames=[name])["Attributes"][name])


def send_checks(sqs: FakeSqs, number: int) -> set[str]:
    body = json.dumps({"kind": "statement", "feed_id": "k/a", "number": 7, "turn": 3})
    return {sqs.send_message(QueueUrl=CHECKS, MessageBody=body)["MessageId"] for _ in range(number)}


def ids_in(lines: list[str]) -> list[str]:
    return [line.split()[0] for line in lines if line.startswith("  message-")]


def test_all_letters_are_listed_each_once_and_all_are_visible_again(sqs: FakeSqs) -> None:
    sent = send_checks(sqs, 257)
    first, *lines = listed("checks")
    assert first.split("  ")[:2] == ["checks", "257"]
    assert sorted(ids_in(lines)) == sorted(sent)
    assert len(lines) == 257  # and nothing about letters that are missing
    assert visible(sqs, CHECKS) == 257
    assert sorted(ids_in(listed("checks"))) == sorted(sent)


def test_an_answer_without_a_new_letter_is_not_yet_the_end(sqs: FakeSqs, monkeypatch: pytest.MonkeyPatch) -> None:
    sent, receive = send_checks(sqs, 25), sqs.receive_message
    number = 0

    def empty_every_other_time(**request: object) -> dict[str, object]:
        nonlocal number
        number += 1
        return receive(**request) if number % 2 else {}

    monkeypatch.setattr(sqs, "receive_message", empty_every_other_time)
    assert set(ids_in(listed("checks"))) == sent


def test_of_a_feed_with_more_letters_than_sqs_shows_the_rest_is_said_to_be_there(sqs: FakeSqs) -> None:
    for group in ("k/a", "k/b"):
        for number in range(14):
            message = {"MessageGroupId": group, "MessageDeduplicationId": f"{group}-{number}"}
            sqs.send_message(QueueUrl=STATEMENTS, MessageBody=json.dumps({"feedId": group}), **message)
    _, *lines = listed("statements")
    assert len(ids_in(lines)) == 20
    assert lines[-1].startswith("  showed 20 of about 28: ")
    assert visible(sqs, STATEMENTS) == 28


def test_what_somebody_else_is_reading_is_said_to_be_there(sqs: FakeSqs) -> None:
    send_checks(sqs, 12)
    taken = sqs.receive_message(QueueUrl=CHECKS, MaxNumberOfMessages=5, VisibilityTimeout=30)
    _, *lines = listed("checks")
    assert len(ids_in(lines)) == 12 - len(taken["Messages"])
    assert lines[-1].startswith(f"  showed {12 - len(taken['Messages'])} of about 12: ")


def test_the_list_has_an_end(sqs: FakeSqs, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(dead_letter_queue, "LISTED_MAX", 30)
    send_checks(sqs, 45)
    _, *lines = listed("checks")
    assert len(ids_in(lines)) == 30
    assert lines[-1].startswith("  showed 30 of about 45: ")
    assert visible(sqs, CHECKS) == 45


def test_a_letter_that_is_visible_again_before_the_end_is_not_listed_again(
    sqs: FakeSqs, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Reading takes longer than the letters stay hidden: the list ends, and says so."""
    send_checks(sqs, 300)
    receive = sqs.receive_message

    def slowly(**request: object) -> dict[str, object]:
        sqs.now += 10
        return receive(**request)

    monkeypatch.setattr(sqs, "receive_message", slowly)
    monkeypatch.setattr(dead_letter_queue, "seconds", lambda: sqs.now)
    _, *lines = listed("checks")
    ids = ids_in(lines)
    assert len(ids) == len(set(ids))
    assert lines[-1].startswith(f"  showed {len(ids)} of about 300: ")


@pytest.mark.parametrize("has_room", [True, False])
def test_all_are_put_back_once_even_if_one_fails_again_at_once(
    sqs: FakeSqs, monkeypatch: pytest.MonkeyPatch, has_room: bool
) -> None:
    """Also one of nearly a MiB, whose reason is in its deduplication id: it came back for ever."""
    send, sent = sqs.send_message, []

    def set_aside_again(**request: str) -> dict[str, str]:
        answer = send(**request)
        sent.append(answer["MessageId"])
        assert len(sent) == 1
        id = answer["MessageId"] if has_room else with_reason(answer["MessageId"], "companyId: is unknown")
        send(QueueUrl=PUSHES, MessageBody="{}", MessageGroupId="g", MessageDeduplicationId=id)
        return answer

    send(QueueUrl=PUSHES, MessageBody="{}", MessageGroupId="g", MessageDeduplicationId="d")
    monkeypatch.setattr(sqs, "send_message", set_aside_again)
    done = CliRunner().invoke(cli, ["dead-letters", "put-back", "transactions", "--all", "--stack", "stack"])
    assert "1 put back, 0 left" in done.output
    assert visible(sqs, PUSHES) == 1
