"""Takes one statement away from a deployed function's role, and puts it back."""

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
    if less == document["Statement"]:
        with _detached(iam, role, need.sid):
            yield
        return
    assert len(less) == len(document["Statement"]) - 1, f"{need.sid} stands more than once in {document}"
    _put(iam, role, document | {"Statement": less})
    try:
        yield
    finally:
        _put(iam, role, document)


@contextmanager
def _detached(iam: Any, role: str, sid: str) -> Iterator[None]:
    """Takes the managed policy from this role that consists of this one statement."""
    [arn] = [
        policy["PolicyArn"]
        for policy in iam.list_attached_role_policies(RoleName=role)["AttachedPolicies"]
        if [statement["Sid"] for statement in _managed(iam, policy["PolicyArn"])] == [sid]
    ]
    iam.detach_role_policy(RoleName=role, PolicyArn=arn)
    try:
        yield
    finally:
        iam.attach_role_policy(RoleName=role, PolicyArn=arn)


def _managed(iam: Any, arn: str) -> list[dict[str, Any]]:
    version = iam.get_policy(PolicyArn=arn)["Policy"]["DefaultVersionId"]
    found: list[dict[str, Any]] = iam.get_policy_version(PolicyArn=arn, VersionId=version)["PolicyVersion"]["Document"][
        "Statement"
    ]
    return found


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
