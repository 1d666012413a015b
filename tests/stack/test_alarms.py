"""Each alarm watches a figure that is really told, and leads to its entry in the operator's manual."""

from __future__ import annotations

import copy
import json
import re
from collections.abc import Iterable
from datetime import timedelta
from types import SimpleNamespace
from typing import Any

import pytest

from feedlane.aws import clients as aws
from feedlane.aws import queues as sqs
from feedlane.aws.dead_letters import Waiting
from feedlane.aws.metrics import Metric
from feedlane.aws.table_stream import events_in
from feedlane.errors import AppKeysRejected, FeedlaneError, ReconnectionNeeded, Unavailable
from feedlane.events import event as event_types
from feedlane.events.relay import BusEntry, Reply
from feedlane.problem import Problem
from feedlane.store.store import Store
from feedlane.upkeep.watch import WatchResult
from feedlane.webhooks.delivery import RETRY_SCHEDULE_SECONDS
from feedlane.wiring import functions as wiring
from tests.builders import NOW
from tests.fakes.table import MemoryTable
from tests.handlers import Context, load, sample
from tests.stack.template import ROOT, functions, of_type, template, variables_of
from tests.worlds.webhooks import BROKEN, World

STACK = "feedlane"
CONSUMER = "9bf31c7f-f062-436a-96d3-c8bd1f8f2ff3"
PROBLEM = Problem(type="t", title="t", status=401, detail="d")
MANUAL = (ROOT / "docs" / "operations.md").read_text()

Figure = tuple[str, str, tuple[tuple[str, str], ...]]
"""Namespace, name and dimensions: what CloudWatch knows a metric by."""


@pytest.fixture(autouse=True)
def as_deployed(monkeypatch: pytest.MonkeyPatch) -> None:
    name = "POWERTOOLS_METRICS_NAMESPACE"
    [namespace] = {
        _resolved(variables_of(function)[name]) for function in functions() if name in variables_of(function)
    }
    monkeypatch.setenv(name, namespace)


# the manual


def test_each_alarm_leads_to_an_entry_of_the_manual_and_each_entry_has_its_alarm() -> None:
    found = [
        re.search(r" \(docs/operations\.md#([a-z0-9-]+)\)$", alarm["AlarmDescription"]) for alarm in alarms().values()
    ]
    anchors = [one[1] for one in found if one]
    assert len(anchors) == len(found)
    assert set(anchors) == {_anchor(title) for title in entries()}


@pytest.mark.parametrize("title", re.findall(r"^### (.+)$", MANUAL, re.MULTILINE))
def test_an_entry_says_what_to_check_how_to_fix_it_and_when_it_is_resolved(title: str) -> None:
    text = entries().get(title)
    if text is None:
        assert f"### {title}" in MANUAL.partition("\n## Routine tasks\n")[2]  # no alarm's, but a task's
        return
    for said in ("check", "fix", "resolved"):
        assert re.search(rf"^- \*\*[a-z, ]*\b{said}\b", text, re.MULTILINE | re.IGNORECASE), said


def test_links_within_the_manual_lead_somewhere() -> None:
    titles = {_anchor(title) for title in re.findall(r"^#+ (.+)$", MANUAL, re.MULTILINE)}
    assert set(re.findall(r"\]\(#([^)]+)\)", MANUAL)) <= titles
    for file in set(re.findall(r"\]\(([a-z][^)#]*)(?:#[^)]*)?\)", MANUAL)):
        assert (ROOT / "docs" / file).exists(), file


def test_an_alarm_that_can_say_ok_does_and_one_that_counts_events_does_not() -> None:
    """An event that has not come again does not mean that somebody has mended what it told of."""
    ours = {
        id: alarm
        for id, alarm in alarms().items()
        if alarm.get("Dimensions") == [{"Name": "service", "Value": "feedlane"}]
    }
    counting = {id for id, alarm in ours.items() if alarm["Statistic"] == "Sum" and alarm["EvaluationPeriods"] == 1}
    assert counting == {id for id, alarm in alarms().items() if "OKActions" not in alarm}
    assert len(counting) == 6
    assert "Six count events instead of watching a state." in MANUAL.replace("\n", " ")


# the figures


def test_every_figure_of_ours_that_an_alarm_watches_is_told_by_the_handlers_and_the_other_way_round(
    capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    _relay(
        _event(event_types.HELD, scope="app"),
        _event(event_types.HELD, scope="feed"),
        _event(event_types.CONSUMER_DISABLED),
    )
    _relay(_event(event_types.CONNECTION_LIMIT_REACHED), _event(""))
    _deliver_to_the_end(monkeypatch)
    _refuse_token(Unavailable("out of reach"))
    _look_at_an_old_statement(monkeypatch)
    _run_the_watch(monkeypatch, rung={"FEED": 2, "PUSH": 1}, dead_letters=2)

    told = {figure for figure, _ in _told(capsys)}
    ours = {figure for figure in watched() if figure[0].startswith("Feedlane/")}
    assert told == ours
    assert {name for _, name, _ in told} == set(Metric)


def test_what_is_nobodys_business_is_not_counted(
    capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    _run_the_watch(monkeypatch, rung={}, dead_letters=0)
    _look_at_an_old_statement(monkeypatch, timedelta(minutes=14))
    _relay(_event(event_types.RELEASED), _event(event_types.WRITE_SUCCESSFUL), _event(event_types.COMPANY_CREATED))
    _refuse_token(ReconnectionNeeded(PROBLEM))
    _refuse_token(Unavailable("another action"), action="exchange_code")
    assert list(_told(capsys)) == []


def test_each_event_is_counted_once_for_every_time_that_the_bus_took_it(capsys: pytest.CaptureFixture[str]) -> None:
    held = [_event(event_types.HELD, scope="feed", id=f"event-{n}", subject=f"feed-{n}") for n in range(12)]
    _relay(*held)
    assert [(name, value) for (_, name, _), value in _told(capsys)] == [("FeedsHeld", 12.0)]

    with pytest.raises(Exception, match="did not accept"):
        _relay(*held, refuses="event-11")
    assert [(name, value) for (_, name, _), value in _told(capsys)] == [("FeedsHeld", 11.0)]


@pytest.mark.parametrize("error", [Unavailable("out of reach"), AppKeysRejected(PROBLEM)])
def test_a_token_that_cannot_be_had_is_counted(error: FeedlaneError, capsys: pytest.CaptureFixture[str]) -> None:
    _refuse_token(error)
    assert [(name, value) for (_, name, _), value in _told(capsys)] == [("TokenRefreshesFailed", 1.0)]


def test_a_delivery_is_late_by_what_it_was_due_not_by_how_long_it_lay_in_the_queue(
    capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    world = World()
    app = load("deliver_webhooks")
    monkeypatch.setattr(app, "deliverer", lambda: world.deliverer)
    monkeypatch.setattr(app, "replayer", lambda: world.replayer)
    monkeypatch.setattr(app, "system_clock", lambda: world.now)
    batch = _messages(world.now + timedelta(seconds=300), world.now - timedelta(seconds=42))
    batch["Records"].append(copy.deepcopy(batch["Records"][0]) | {"body": "not JSON", "messageId": "poison"})
    monkeypatch.setattr(sqs, "postpone", lambda *_: None)
    app.handler(batch, Context())
    assert [(name, value) for (_, name, _), value in _told(capsys)] == [("DeliveriesLate", 42.0)]


def test_what_aws_counts_is_asked_for_by_names_that_aws_has() -> None:
    known = {
        "AWS/SQS": ({"ApproximateNumberOfMessagesVisible", "ApproximateAgeOfOldestMessage"}, ("QueueName",)),
        "AWS/Lambda": (
            {"IteratorAge", "Errors", "Throttles", "Invocations", "RecursiveInvocationsDropped"},
            ("FunctionName",),
        ),
        "AWS/ApiGateway": ({"5xx"}, ("ApiId",)),
    }
    for namespace, name, dimensions in watched():
        if not namespace.startswith("Feedlane/"):
            names, keys = known[namespace]
            assert name in names
            # Without a dimension, Lambda counts for the whole account.
            of_the_account = {"Throttles", "Invocations", "RecursiveInvocationsDropped"}
            assert tuple(key for key, _ in dimensions) == (() if name in of_the_account else keys)


def test_each_function_that_somebody_waits_for_has_its_errors_watched_and_each_queue_its_oldest_message() -> None:
    failing = {value for _, metric, dimensions in watched() for _, value in dimensions if metric == "Errors"}
    mappings = of_type("AWS::Lambda::EventSourceMapping").values()
    behind = {mapping["Properties"]["FunctionName"]["Ref"] for mapping in mappings}
    started = {"TendConnections"}  # by the schedules, with a dead-letter queue
    integrations = str(list(of_type("AWS::ApiGatewayV2::Integration").values()))
    answered_for = {id for id in of_type("AWS::Serverless::Function") if f"${{{id}.Arn}}" in integrations}
    assert len(answered_for) == 4
    others = set(of_type("AWS::Serverless::Function")) - behind - started - answered_for
    assert failing == {str({"Ref": id}) for id in others}
    aged = {value for _, metric, dims in watched() for _, value in dims if metric == "ApproximateAgeOfOldestMessage"}
    worked_off = [id for id, queue in of_type("AWS::SQS::Queue").items() if "RedrivePolicy" in queue["Properties"]]
    assert aged == {str({"Fn::GetAtt": [id, "QueueName"]}) for id in worked_off}


def test_one_crash_of_a_page_or_of_the_api_in_each_of_two_periods_raises_an_alarm() -> None:
    [alarm] = [alarm for alarm in alarms().values() if alarm["MetricName"] == "5xx"]
    assert (alarm["Threshold"], alarm["Period"], alarm["EvaluationPeriods"]) == (0, 300, 2)


def test_the_alarm_for_loops_that_never_end_has_the_limit_of_the_parameter() -> None:
    [alarm] = [alarm for alarm in alarms().values() if alarm["MetricName"] == "Invocations"]
    assert alarm["Threshold"] == {"Ref": "InvocationsPerHourMax"}
    default = template()["Parameters"]["InvocationsPerHourMax"]["Default"]
    assert f"`InvocationsPerHourMax` times ({default:,})" in MANUAL


def test_every_alarm_tells_the_topic_and_the_topic_tells_the_operator() -> None:
    for alarm in alarms().values():
        assert alarm["AlarmActions"] == [{"Ref": "AlarmTopic"}]
        assert alarm.get("OKActions", alarm["AlarmActions"]) == alarm["AlarmActions"]
        assert alarm["TreatMissingData"] == "notBreaching"
    [mail] = of_type("AWS::SNS::Subscription").values()
    assert mail["Properties"] == {
        "TopicArn": {"Ref": "AlarmTopic"},
        "Protocol": "email",
        "Endpoint": {"Ref": "OperatorEmail"},
    }


def test_figures_have_no_dimension_that_grows_with_the_customers() -> None:
    ours = [figure for figure in watched() if figure[0].startswith("Feedlane/")]
    assert {dimensions for *_, dimensions in ours} == {(("service", "feedlane"),)}
    text = MANUAL.replace("\n", " ")
    assert f"{len(watched())} alarms (0.10 USD each)" in text
    assert f"{len(ours)} custom metrics (0.30 USD each)" in text


# the template


def alarms() -> dict[str, dict[str, Any]]:
    return {id: alarm["Properties"] for id, alarm in of_type("AWS::CloudWatch::Alarm").items()}


def watched() -> list[Figure]:
    found = []
    for alarm in alarms().values():
        dimensions = tuple((one["Name"], str(one["Value"])) for one in alarm.get("Dimensions", []))
        found.append((_resolved(alarm["Namespace"]), alarm["MetricName"], dimensions))
    return found


def _resolved(value: Any) -> str:
    return str(value["Fn::Sub"] if isinstance(value, dict) else value).replace("${AWS::StackName}", STACK)


def entries() -> dict[str, str]:
    """The manual's entries of alarms, by their titles."""
    part = MANUAL.partition("\n## Alarms\n")[2].partition("\n## ")[0]
    titled = [section.partition("\n") for section in re.split(r"^### ", part, flags=re.MULTILINE)[1:]]
    return {title: text for title, _, text in titled}


def _anchor(title: str) -> str:
    return re.sub(r"[^a-z0-9 -]", "", title.lower()).replace(" ", "-")


# the handlers


def _told(capsys: pytest.CaptureFixture[str]) -> Iterable[tuple[Figure, float]]:
    """What CloudWatch makes of the log's lines since the last look."""
    for line in capsys.readouterr().out.splitlines():
        logged = json.loads(line) if line.startswith("{") else {}
        for directive in logged.get("_aws", {}).get("CloudWatchMetrics", []):
            [dimensions] = directive["Dimensions"]
            for metric in directive["Metrics"]:
                figure = (directive["Namespace"], metric["Name"], tuple((name, logged[name]) for name in dimensions))
                [value] = logged[metric["Name"]]
                yield figure, value


def _event(type: str, scope: str = "feed", id: str = "event-1", subject: str = "") -> dict[str, Any]:
    """A record of the table's stream. Without a type it cannot be read."""
    record: dict[str, Any] = copy.deepcopy(sample("relay_events")["Records"][0])
    image = record["dynamodb"]["NewImage"]
    payload = json.loads(image["payload"]["S"])
    image |= {"payload": {"S": json.dumps(payload | {"scope": scope})}, "id": {"S": id}, "type": {"S": type}}
    image["subject"] = {"S": subject or id}
    if not type:
        del image["type"]
    return record


def _relay(*records: dict[str, Any], refuses: str = "") -> None:
    class Bus:
        def put(self, notices: list[BusEntry]) -> list[Reply]:
            return [Reply.NOT_NOW if notice.event.id == refuses else Reply.ACCEPTED for notice in notices]

    app = load("relay_events")
    app.bus = lambda: Bus()
    app.handler({"Records": list(records)}, Context())


def _messages(*dues: Any) -> dict[str, Any]:
    [record] = sample("deliver_webhooks")["Records"]
    made = []
    for number, due in enumerate(dues):
        body = json.loads(record["body"]) | {"due": due.isoformat()}
        made.append(record | {"messageId": f"message-{number}", "body": json.dumps(body)})
    return {"Records": made}


def _deliver_to_the_end(monkeypatch: pytest.MonkeyPatch) -> None:
    """A delivery whose every attempt is refused."""
    world = World()
    world.consumer(CONSUMER)
    world.happens(next(iter(events_in(sample("relay_events"), pytest.fail))).event)
    world.answers = [BROKEN] * len(RETRY_SCHEDULE_SECONDS)
    app = load("deliver_webhooks")
    monkeypatch.setattr(app, "deliverer", lambda: world.deliverer)
    monkeypatch.setattr(app, "replayer", lambda: world.replayer)
    for _ in RETRY_SCHEDULE_SECONDS:
        app.handler(sample("deliver_webhooks"), Context())
        world.now += timedelta(hours=13)


def _refuse_token(error: FeedlaneError, action: str = "access_token") -> None:
    class Vault:
        def access_token(self, *_: Any) -> Any:
            raise error

        exchange_code = access_token

    app = load("credential_vault")
    app.vault = lambda: Vault()
    given = {"access_token": {"token_set_id": "tokens"}, "exchange_code": {"code": "c", "redirect_uri": "r"}}
    answer = app.handler({"action": action} | given[action], Context("oauth_callback"))
    assert answer["error"]["kind"] == type(error).__name__


def _run_the_watch(monkeypatch: pytest.MonkeyPatch, rung: dict[str, int], dead_letters: int) -> None:
    found = WatchResult(
        replays_requeued=0, replays_given_up=(), refreshes_resolved=0, refreshes_ended=0, keys=False, rung=rung
    )
    ports = SimpleNamespace(store=Store(MemoryTable()), clock=lambda: NOW)
    monkeypatch.setattr(wiring, "watch", lambda: SimpleNamespace(run=lambda _: found, ports=ports))
    app = load("tend_connections")
    app.dead_letters = SimpleNamespace(waiting=lambda: Waiting(dead_letters, dead_letters))  # type: ignore[attr-defined]
    app.handler({"watch": True}, Context())


def _look_at_an_old_statement(monkeypatch: pytest.MonkeyPatch, age: timedelta = timedelta(hours=3)) -> None:
    """Both functions that see a statement tell its age in the same way."""
    monkeypatch.setattr(aws, "store", lambda: None)
    monkeypatch.setattr(sqs, "queues", lambda: None)
    monkeypatch.setattr(wiring, "upstream", lambda: None)
    for made in (wiring.sender.__wrapped__(), wiring.checks.__wrapped__()):
        made.record_age(age)
