"""The template as data, for tests that go over all of it."""

from dataclasses import dataclass
from functools import lru_cache
from pathlib import Path
from typing import Any

from local.template import template

__all__ = ["ROOT", "Need", "template"]

ROOT = Path(__file__).resolve().parent.parent.parent


@dataclass(frozen=True)
class Need:
    """One statement of one function's policy."""

    function: str
    sid: str

    def __str__(self) -> str:
        return f"{self.function}-{self.sid}"


def of_type(kind: str) -> dict[str, dict[str, Any]]:
    """Resources of this type, by logical id."""
    return {id: resource for id, resource in template()["Resources"].items() if resource["Type"] == kind}


def functions() -> dict[str, dict[str, Any]]:
    """The functions' properties, by the name of their folder."""
    found = of_type("AWS::Serverless::Function").values()
    return {Path(function["Properties"]["CodeUri"]).name: function["Properties"] for function in found}


@lru_cache
def allows_recursion(function: str) -> bool:
    """Whether Lambda lets the function run again and again in one chain of messages."""
    shared: dict[str, Any] = template()["Globals"]["Function"]
    return bool((shared | functions()[function]).get("RecursiveLoop") == "Allow")


@dataclass(frozen=True)
class QueueSettings:
    """`receives_max` is 0 for a queue without a dead-letter queue."""

    visibility_seconds: int
    retention_seconds: int
    receives_max: int


@lru_cache
def queue_settings(queue: str) -> QueueSettings:
    """What the template says about the queue with this logical id; SQS's defaults where it says nothing."""
    properties = template()["Resources"][queue]["Properties"]
    return QueueSettings(
        visibility_seconds=properties.get("VisibilityTimeout", 30),
        retention_seconds=properties.get("MessageRetentionPeriod", 345_600),
        receives_max=properties.get("RedrivePolicy", {}).get("maxReceiveCount", 0),
    )


@dataclass(frozen=True)
class Queue:
    """What a function's mapping and its queue say. `concurrency` is that of the chosen `Concurrency`."""

    concurrency: int
    visibility_seconds: int
    receives_max: int


def queue_of(function: str, concurrency: str) -> Queue:
    resources = template()["Resources"]
    for mapping in of_type("AWS::Lambda::EventSourceMapping").values():
        properties = mapping["Properties"]
        if resources[properties["FunctionName"]["Ref"]]["Properties"] is functions()[function]:
            queue = resources[properties["EventSourceArn"]["Fn::GetAtt"][0]]["Properties"]
            return Queue(
                properties["ScalingConfig"]["MaximumConcurrency"]["Fn::If"][1 if concurrency == "full" else 2],
                queue["VisibilityTimeout"],
                queue["RedrivePolicy"]["maxReceiveCount"],
            )
    raise AssertionError(f"{function} has no queue")


def variables_of(function: str) -> dict[str, object]:
    """The environment variables that the template sets for the function."""
    shared: dict[str, object] = template()["Globals"]["Function"]["Environment"]["Variables"]
    return shared | functions()[function]["Environment"]["Variables"]


def statements(function: str) -> list[dict[str, Any]]:
    """All that the function's role allows: its own statements, and those of the managed policies attached to it."""
    role = template()["Resources"][functions()[function]["Role"]["Fn::GetAtt"][0]]["Properties"]
    managed = [template()["Resources"][policy["Ref"]]["Properties"] for policy in role["ManagedPolicyArns"]]
    return [statement for policy in role["Policies"] + managed for statement in policy["PolicyDocument"]["Statement"]]


def needs() -> list[Need]:
    return [Need(function, statement["Sid"]) for function in functions() for statement in statements(function)]
