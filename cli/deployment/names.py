"""Which names the stack's resources would get, and which of them AWS would refuse."""

from __future__ import annotations

import re
from collections.abc import Iterator
from typing import Any

from local.template import template

STACK = "${AWS::StackName}"
# The property that names a resource, and the most characters that AWS allows.
LIMITS = {
    "AWS::Serverless::Function": ("FunctionName", 64),
    "AWS::SQS::Queue": ("QueueName", 80),
    "AWS::Logs::LogGroup": ("LogGroupName", 512),
    "AWS::Events::EventBus": ("Name", 256),
    "AWS::ApiGatewayV2::Api": ("Name", 128),
}
_STACK_PATTERN = re.compile(r"[a-zA-Z][a-zA-Z0-9-]*")
_STACK_LENGTH_MAX = 128


def named() -> Iterator[tuple[str, str, int]]:
    """Each resource that the template names: its type, its name with `STACK` in it, the most characters allowed."""
    for resource in template()["Resources"].values():
        if resource["Type"] in LIMITS:
            property, limit = LIMITS[resource["Type"]]
            yield resource["Type"], _text(resource["Properties"][property]), limit


def stack_length_max() -> int:
    return min([_STACK_LENGTH_MAX, *(limit - len(name.replace(STACK, "")) for _, name, limit in named())])


def problem(stack: str) -> str | None:
    """Why a stack cannot have this name, or none."""
    if not _STACK_PATTERN.fullmatch(stack):
        return f"The stack's name {stack!r} must begin with a letter, and have only letters, digits and hyphens."
    longest = stack_length_max()
    if len(stack) <= longest:
        return None
    type, name, limit = min(named(), key=lambda each: each[2] - len(each[1]))
    full = name.replace(STACK, stack)
    return (
        f"The stack's name has {len(stack)} characters, and may have {longest}: "
        f"{full} would have {len(full)}, and AWS allows {limit} ({type})."
    )


def _text(name: Any) -> str:
    if name == {"Ref": "AWS::StackName"}:
        return STACK
    return str(name["Fn::Sub"])
