"""Takes one statement out of a deployed function's policy, and puts it back."""

import json
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

from local.instance import STACK, Instance
from tests.stack.template import Need

POLICY = "needs"


@contextmanager
def taken_out(instance: Instance, need: Need) -> Iterator[None]:
    iam = instance.client("iam")
    role = role_of(instance, need.function)
    document = _policy(iam, role)
    less = [statement for statement in document["Statement"] if statement["Sid"] != need.sid]
    assert len(less) == len(document["Statement"]) - 1, f"{need.sid} stands {document} times"
    _put(iam, role, document | {"Statement": less})
    try:
        yield
    finally:
        _put(iam, role, document)


def role_of(instance: Instance, function: str) -> str:
    """The name of the role that the deployed function runs with."""
    configuration = instance.client("lambda").get_function_configuration(FunctionName=f"{STACK}-{function}")
    return str(configuration["Role"].rsplit("/", 1)[1])


def is_allowed(instance: Instance, function: str, actions: list[str], resource: str) -> bool:
    """Whether the function's role may do all of this, by IAM's own evaluation."""
    iam = instance.client("iam")
    role = iam.get_role(RoleName=role_of(instance, function))["Role"]["Arn"]
    answer = iam.simulate_principal_policy(PolicySourceArn=role, ActionNames=actions, ResourceArns=[resource])
    return all(result["EvalDecision"] == "allowed" for result in answer["EvaluationResults"])


def _policy(iam: Any, role: str) -> dict[str, Any]:
    found: dict[str, Any] = iam.get_role_policy(RoleName=role, PolicyName=POLICY)["PolicyDocument"]
    return found


def _put(iam: Any, role: str, document: dict[str, Any]) -> None:
    iam.put_role_policy(RoleName=role, PolicyName=POLICY, PolicyDocument=json.dumps(document))
