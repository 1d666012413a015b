"""The bytes that an invocation logs: what its handler writes, what Lambda adds, and API Gateway's access log.

Each handler runs with its sample event, and its work is replaced by nothing: what counts is what it says about it.
"""

from __future__ import annotations

import io
import json
import os
import re
import sys
from collections import Counter
from collections.abc import Callable, Iterator
from contextlib import contextmanager, redirect_stdout
from datetime import UTC, datetime
from functools import lru_cache
from types import ModuleType, SimpleNamespace
from typing import Any
from unittest.mock import patch

from feedlane.events import event as event_types
from feedlane.events.relay import Reply
from feedlane.webhooks.delivery import Attempt, Delivery, DeliveryState
from tests.handlers import ROOT, Context, load, sample
from tests.stack.template import functions, of_type, template, variables_of

# CloudWatch adds this to each line.
LINE_BYTES = 26
NOW = datetime(2026, 5, 4, 9, 30, tzinfo=UTC)
_ID = "52fdfc07-2182-454f-963f-5f0f9a621d72"
_TRACE = "Root=1-6651f6a0-52fdfc072182654f163f5f0f;Parent=9a621d729566c74d;Sampled=1;Lineage=1:a87bd80c:0"
# As the Lambda developer guide shows them (JSON log format).
_START = {"time": "2026-05-04T09:30:00.500Z", "type": "platform.start", "record": {"requestId": _ID, "version": "1"}}
_REPORT = {
    "time": "2026-05-04T09:30:00.900Z",
    "type": "platform.report",
    "record": {
        "requestId": _ID,
        "metrics": {"durationMs": 412.61, "billedDurationMs": 413, "memorySizeMB": 1024, "maxMemoryUsedMB": 131},
        "tracing": {"spanId": "9a621d729566c74d", "type": "X-Amzn-Trace-Id", "value": _TRACE},
        "status": "success",
    },
}
_ACCESS = {
    "requestId": "JKJaXmPLvHcESHA=",
    "requestTime": "04/May/2026:09:30:00 +0000",
    "httpMethod": "POST",
    "path": f"/companies/{_ID}/connections/{_ID}/push/bankAccounts/{_ID}/bankTransactions",
    "routeKey": "$default",
    "status": "200",
    "responseLatency": "412",
    "responseLength": "1234",
    "integrationLatency": "410",
    "identity.sourceIp": "203.0.113.171",
    "integrationErrorMessage": "-",
}


@contextmanager
def as_deployed(function: str) -> Iterator[None]:
    """With the function's variables as the template sets them."""
    given = {name: "INFO" if name.endswith("LEVEL") else f"https://{name.lower()}" for name in variables_of(function)}
    given |= {"POWERTOOLS_SERVICE_NAME": f"feedlane-{function}", "POWERTOOLS_METRICS_NAMESPACE": "Feedlane/feedlane"}
    with patch.dict(os.environ, given | {"_X_AMZN_TRACE_ID": _TRACE}), patch.object(sys, "path", list(sys.path)):
        sys.path.insert(0, str(ROOT / "functions" / function))
        yield


def lines_of(
    function: str, event: dict[str, Any] | None = None, prepare: Callable[[ModuleType], None] | None = None
) -> list[str]:
    """What the handler writes when it handles the event, as a rule its sample."""
    written = io.StringIO()
    with as_deployed(function), redirect_stdout(written):
        app = load(function)
        (prepare or WORK[function])(app)
        before = app.logger.registered_handler.setStream(written)
        try:
            app.handler(sample(function) if event is None else event, Context("push_statements"))
        finally:
            if before is not None:
                app.logger.registered_handler.setStream(before)
    return written.getvalue().splitlines()


@lru_cache
def handler_lines(function: str) -> tuple[str, ...]:
    """The same for the event of a push that has been delivered, where the sample is of something rarer."""
    event = json.loads(json.dumps(sample(function)).replace(event_types.HELD, event_types.WRITE_SUCCESSFUL))
    return tuple(lines_of(function, event))


def size(lines: Iterator[str] | tuple[str, ...] | list[str]) -> int:
    return sum(len(line.encode()) + LINE_BYTES for line in lines)


def metrics_in(lines: tuple[str, ...] | list[str]) -> set[str]:
    """The custom metrics that CloudWatch makes of these lines."""
    directives = [
        one
        for line in lines
        if line.startswith("{")
        for one in json.loads(line).get("_aws", {}).get("CloudWatchMetrics", [])
    ]
    return {metric["Name"] for one in directives for metric in one["Metrics"]}


def units(log_bytes: float) -> Counter[str]:
    """The units of so many bytes: taken in, and kept for as long as the template says."""
    log_gb = log_bytes / 1e9
    months = parameter({"Ref": "LogRetentionDays"}) / 30.4
    return Counter(log_gb=log_gb, log_gb_month=log_gb * months)  # type: ignore[arg-type]


def is_traced() -> bool:
    """Whether X-Ray records the invocations. It records the first of each second: all of those that are apart."""
    return bool(parameter(template()["Globals"]["Function"].get("Tracing", "PassThrough")) == "Active")


def platform_bytes(function: str) -> int:
    """What Lambda itself logs of a successful invocation, at the template's level."""
    config = template()["Globals"]["Function"]["LoggingConfig"] | functions()[function]["LoggingConfig"]
    level = parameter(config.get("SystemLogLevel", "INFO"))
    return 0 if level == "WARN" else size([json.dumps(_START), json.dumps(_REPORT)])


def access_log_bytes() -> int:
    """A line of the API's access log."""
    [stage] = of_type("AWS::ApiGatewayV2::Stage").values()
    form = stage["Properties"]["AccessLogSettings"]["Format"]
    return size([re.sub(r"\$context\.([A-Za-z.]+)", lambda match: _ACCESS[match[1]], form)])


def parameter(value: Any) -> Any:
    """The value; for a reference to a parameter, its default."""
    return template()["Parameters"][value["Ref"]]["Default"] if isinstance(value, dict) else value


def _public_api(app: ModuleType) -> None:
    app.authenticate = lambda *_: None  # type: ignore[attr-defined]
    app.current_parts = lambda: SimpleNamespace(store=None, clock=lambda: None)  # type: ignore[attr-defined]
    answer = {"statusCode": 200, "headers": {}, "body": ""}
    app.app = SimpleNamespace(context={}, resolve=lambda *_: answer)  # type: ignore[attr-defined]


def _record(app: ModuleType) -> None:
    app.record = app.ports = lambda *_: None  # type: ignore[attr-defined]


def _push(app: ModuleType) -> None:
    app.wiring = SimpleNamespace(sender=lambda: SimpleNamespace(send=lambda _: None))  # type: ignore[attr-defined]


def _check(app: ModuleType) -> None:
    app.wiring = SimpleNamespace(checks=lambda: SimpleNamespace(dispatch=lambda _: None))  # type: ignore[attr-defined]


def _relay(app: ModuleType) -> None:
    app.bus = lambda: SimpleNamespace(put=lambda entries: [Reply.ACCEPTED] * len(entries))  # type: ignore[attr-defined]


def _route(app: ModuleType) -> None:
    app.ports = lambda: SimpleNamespace(store=None)  # type: ignore[attr-defined]
    app.webhook_items = SimpleNamespace(consumers=lambda _: [])  # type: ignore[attr-defined]
    app.route = lambda *_: [None]  # type: ignore[attr-defined]
    app.route_all = lambda _, events, *__: {event.id: 1 for event in events}  # type: ignore[attr-defined]


def _deliver(app: ModuleType) -> None:
    [record] = sample("deliver_webhooks")["Records"]
    ids = json.loads(record["body"])
    delivery = Delivery(
        consumer_id=ids["consumerId"],
        event_id=ids["eventId"],
        event_type=event_types.WRITE_SUCCESSFUL,
        event_subject="",
        event_time=NOW,
        company_id=_ID,
        state=DeliveryState.SUCCESS,
        tries=1,
        attempts=(Attempt(time=NOW, status=204, duration_ms=123),),
    )
    app.system_clock = lambda: NOW  # type: ignore[attr-defined]
    app.deliverer = lambda: SimpleNamespace(deliver=lambda *_: delivery)  # type: ignore[attr-defined]
    app.replayer = lambda: None  # type: ignore[attr-defined]


def _vault(app: ModuleType) -> None:
    app.vault = lambda: None  # type: ignore[attr-defined]
    app.perform = lambda *_: {}  # type: ignore[attr-defined]


WORK: dict[str, Callable[[ModuleType], None]] = {
    "public_api": _public_api,
    "record_transactions": _record,
    "push_statements": _push,
    "check_statements": _check,
    "relay_events": _relay,
    "route_events": _route,
    "deliver_webhooks": _deliver,
    "credential_vault": _vault,
}
