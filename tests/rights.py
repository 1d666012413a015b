"""What each function's role allows, read from the template. The fakes ask it before every call, as IAM would.

Whoever runs a function's code says so with `acting_as`. A call that the function's role does not allow is refused, as
AWS would refuse it. The code may survive that: a batch retries its message, and a page apologises. So the refusal is
also remembered, and fails the test (`tests/conftest.py`) or the chaos schedule. What runs outside `acting_as` is the
test itself, which may do everything.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator
from contextlib import contextmanager
from contextvars import ContextVar
from functools import cache
from typing import Any, TypeVar, cast

from feedlane.store.table import Add, Condition, Delete, Index, Put, Write

VAULT = "credential_vault"
TABLE = "Table"
SECRETS = "arn:${AWS::Partition}:secretsmanager:${AWS::Region}:${AWS::AccountId}:secret:${AWS::StackName}/*"

_ACTIONS: dict[type[Write], str] = {
    Put: "dynamodb:PutItem",
    Delete: "dynamodb:DeleteItem",
    Add: "dynamodb:UpdateItem",
    Condition: "dynamodb:ConditionCheckItem",
}
_acting: ContextVar[tuple[str, ...]] = ContextVar("functions", default=())
_refused: list[str] = []

T = TypeVar("T")


class AccessDenied(Exception):
    """The role of the function does not allow the call."""


@contextmanager
def acting_as(*functions: str) -> Iterator[None]:
    """What is inside runs with this function's role. Of several functions that share code, each needs the rights.

    Without a name it is the test again: something that happens elsewhere while the function runs.
    """
    before = _acting.set(functions)
    try:
        yield
    finally:
        _acting.reset(before)


def acting(function: str, target: T) -> T:
    """The object, with all its methods run by this function."""
    return cast(T, _Acting(function, target, lambda: None))


def invoked(vault: T) -> T:
    """The vault's service as its function runs it. Any other function that calls it needs the right to invoke it."""
    return cast(T, _Acting(VAULT, vault, lambda: None if _acting.get() == (VAULT,) else require_vault()))


class _Acting:
    def __init__(self, function: str, target: Any, before_call: Callable[[], None]) -> None:
        self._function, self._target, self._before_call = function, target, before_call

    def __getattr__(self, name: str) -> Any:
        value = getattr(self._target, name)
        if not callable(value):
            return value

        def call(*arguments: Any, **keywords: Any) -> Any:
            self._before_call()
            with acting_as(self._function):
                return value(*arguments, **keywords)

        return call


@cache
def granted(function: str) -> frozenset[tuple[str, str]]:
    """Each action that the function's role allows, with its resource."""
    # Imported late: reading the template takes a second, which tests without a function do not need.
    from tests.stack.template import statements

    return frozenset(
        (action, _resource(resource))
        for statement in statements(function)
        for action in _listed(statement["Action"])
        for resource in _listed(statement["Resource"])
    )


def require(action: str, resource: str) -> None:
    """Raises `AccessDenied` if the role of an acting function does not allow the action."""
    for function in _acting.get():
        if (action, resource) not in granted(function):
            refusal = f"{function} may not {action} on {resource}"
            _refused.append(refusal)
            raise AccessDenied(refusal)


def require_writes(writes: Iterable[Write]) -> None:
    """A transaction needs the right to each of its writes; there is none to the transaction itself."""
    for write in writes:
        require(_ACTIONS[type(write)], TABLE)


def index(index: Index) -> str:
    """The resource that an index of the table is."""
    return f"{TABLE}/index/{index}"


def require_vault() -> None:
    require("lambda:InvokeFunction", "CredentialVault")


def take_refusals() -> list[str]:
    """What was refused since the last call, each once."""
    refusals = list(dict.fromkeys(_refused))
    _refused.clear()
    return refusals


def _listed(value: Any) -> list[Any]:
    return value if isinstance(value, list) else [value]


def _resource(value: Any) -> str:
    """The logical id, with what follows its ARN: `Table`, `Table/index/gsi1`."""
    if isinstance(value, str):
        return value
    if "Fn::GetAtt" in value:
        return str(value["Fn::GetAtt"][0])
    if "Ref" in value:
        return str(value["Ref"])
    text: str = value["Fn::Sub"]
    return text.replace("${Table.Arn}", TABLE)
