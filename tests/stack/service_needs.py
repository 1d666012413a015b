"""What Lambda itself needs of a function's role: to log, to trace, to read a queue or a stream, to keep a failure.

MiniStack does these things without asking for permission, unlike calls that a function makes. So their statements are
compared with what AWS documents as needed, evaluated by IAM against the deployed role and the deployed resources.
"""

from collections.abc import Callable

from local.instance import STACK, Instance
from tests.stack.permissions import is_allowed
from tests.stack.template import Need

Probe = Callable[[Instance], None]

# Lambda developer guide: "Configuring permissions" of each event source, of destinations, of logs and of X-Ray.
TAKE = ["sqs:ReceiveMessage", "sqs:DeleteMessage", "sqs:GetQueueAttributes"]
STREAM = ["dynamodb:DescribeStream", "dynamodb:GetRecords", "dynamodb:GetShardIterator", "dynamodb:ListStreams"]
TRACES = ["xray:PutTraceSegments", "xray:PutTelemetryRecords"]
LOGS = ["logs:CreateLogStream", "logs:PutLogEvents"]

CONSUMERS = {
    "record_transactions": "transactions.fifo",
    "push_statements": "statements.fifo",
    "check_statements": "statement-checks",
    "route_events": "events",
    "deliver_webhooks": "webhook-deliveries",
}


class Refused(AssertionError):
    """A service would be refused what it needs the function's role for."""


def probe(need: Need) -> Probe | None:
    """The probe of a statement that a service needs, or none if the function's own code needs it."""
    match need.sid:
        case "WriteLogs":
            return _needs(need.function, LOGS, _log_stream(need.function))
        case "SendTraces":
            return _needs(need.function, TRACES, lambda _: "*")
        case "TakeMessages":
            return _needs(need.function, TAKE, _queue(CONSUMERS[need.function]))
        case "ReadStream":
            return _needs(need.function, STREAM, _stream)
        case "KeepUndelivered":
            return _needs(need.function, ["sqs:SendMessage"], _queue("events-dead-letters"))
        case "KeepFailedRuns":
            return _needs(need.function, ["sqs:SendMessage"], _queue("schedule-dead-letters"))
    return None


def _needs(function: str, actions: list[str], resource: Callable[[Instance], str]) -> Probe:
    def check(instance: Instance) -> None:
        if not is_allowed(instance, function, actions, resource(instance)):
            raise Refused(f"{function} may not {actions} on {resource(instance)}")

    return check


def _queue(name: str) -> Callable[[Instance], str]:
    def arn(instance: Instance) -> str:
        sqs = instance.client("sqs")
        url = sqs.get_queue_url(QueueName=f"{STACK}-{name}")["QueueUrl"]
        answer = sqs.get_queue_attributes(QueueUrl=url, AttributeNames=["QueueArn"])
        return str(answer["Attributes"]["QueueArn"])

    return arn


def _log_stream(function: str) -> Callable[[Instance], str]:
    def arn(instance: Instance) -> str:
        name = f"/aws/lambda/{STACK}-{function}"
        groups = instance.client("logs").describe_log_groups(logGroupNamePrefix=name)["logGroups"]
        group = next(group for group in groups if group["logGroupName"] == name)
        return f"{group['arn'].removesuffix(':*')}:log-stream:any"

    return arn


def _stream(instance: Instance) -> str:
    table = instance.client("dynamodb").describe_table(TableName=instance.outputs()["TableName"])
    return str(table["Table"]["LatestStreamArn"])
