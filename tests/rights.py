"""What each function's role allows, read from the template. The fakes ask it before every call, as IAM would.

Whoever runs a function's code says so with `acting_as`. A call that the function's role does not allow is refused, as
AWS would refuse it. The code may survive that: a batch retries its message, and a page apologises. So the refusal is
also remembered, and fails the test (`tests/conftest.py`) or the chaos schedule. What runs outside `acting_as` is the
test itself, which may do everything.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable, Iterator
from contextlib import contextmanager
from contextvars import ContextVar
from dataclasses import dataclass
from functools import cache
from typing import Any, TypeVar, cast

from feedlane.store.table import Add, Condition, Delete, Index, Put, Write
from feedlane.vault import callers

VAULT = "credential_vault"
TABLE = "Table"
SECRETS = "arn:${AWS::Partition}:secretsmanager:${AWS::Region}:${AWS::AccountId}:secret:${AWS::StackName}/*"

_ACTIONS: dict[type[Write], str] = {
    Put: "dynamodb:PutItem",
    Delete: "dynamodb:DeleteItem",
    Add: "dynamodb:UpdateItem",
    Condition: "dynamodb:ConditionCheckItem",
}
# The only condition that the functions' statements have. The keys of a request are a set, so it needs this operator.
_LEADING_KEYS = ("ForAllValues:StringLike", "dynamodb:LeadingKeys")
_acting: ContextVar[tuple[str, ...]] = ContextVar("functions", default=())
_refused: list[str] = []
# The partitions that functions have asked for so far: function, action and the partition's kind.
seen: set[tuple[str, str, str]] = set()
# What functions have asked the vault for so far: function and action.
asked_of_vault: set[tuple[str, str]] = set()

T = TypeVar("T")


class AccessDenied(Exception):
    """The role of the function does not allow the call."""


@dataclass(frozen=True)
class Grant:
    """An action that a role allows on a resource. `partitions` are patterns of partition keys; None: on all."""

    action: str
    resource: str
    partitions: frozenset[str] | None = None

    def covers(self, action: str, resource: str, partitions: Iterable[str]) -> bool:
        """Whether this statement alone allows a request for these partitions, as IAM decides it."""
        if (action, resource) != (self.action, self.resource):
            return False
        patterns = self.partitions
        return patterns is None or all(any(is_like(key, pattern) for pattern in patterns) for key in partitions)


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
    return cast(T, _Acting(function, target, lambda _: None))


def invoked(vault: T) -> T:
    """The vault's service as its function runs it. Any other function that calls it needs the right to that."""
    return cast(T, _Acting(VAULT, vault, lambda action: None if _acting.get() == (VAULT,) else require_vault(action)))


class _Acting:
    def __init__(self, function: str, target: Any, before_call: Callable[[str], None]) -> None:
        self._function, self._target, self._before_call = function, target, before_call

    def __getattr__(self, name: str) -> Any:
        value = getattr(self._target, name)
        if not callable(value):
            return value

        def call(*arguments: Any, **keywords: Any) -> Any:
            self._before_call(name)
            with acting_as(self._function):
                return value(*arguments, **keywords)

        return call


@cache
def granted(function: str) -> frozenset[Grant]:
    """All that the function's role allows."""
    # Imported late: reading the template takes a second, which tests without a function do not need.
    from tests.stack.template import statements

    return frozenset(
        Grant(action, _resource(resource), _partitions(statement))
        for statement in statements(function)
        for action in _listed(statement["Action"])
        for resource in _listed(statement["Resource"])
    )


def require(action: str, resource: str, *partitions: str) -> None:
    """Raises `AccessDenied` if the role of an acting function does not allow the action.

    `partitions` are the partition keys that a request to the table names.
    """
    for function in _acting.get():
        grants = _by_call(granted(function)).get((action, resource), ())
        if not any(grant.covers(action, resource, partitions) for grant in grants):
            of_what = f" for {', '.join(sorted(set(map(kind_of, partitions))))}" if partitions else ""
            _refuse(f"{function} may not {action} on {resource}{of_what}")
        seen.update((function, action, kind_of(key)) for key in partitions)


def require_writes(writes: Iterable[Write]) -> None:
    """A transaction needs the right to each of its writes; there is none to the transaction itself.

    It is not documented whether a condition on partition keys sees those of one write or of the whole transaction. So
    each right must hold for all of them: then both readings allow the transaction.
    """
    listed = list(writes)
    partitions = [write.key[0] for write in listed]
    for action in dict.fromkeys(_ACTIONS[type(write)] for write in listed):
        require(action, TABLE, *partitions)


def index(index: Index) -> str:
    """The resource that an index of the table is."""
    return f"{TABLE}/index/{index}"


def require_vault(action: str = "access_token") -> None:
    """IAM allows a caller its own alias of the vault, and by the alias the vault knows what to allow."""
    for function in _acting.get():
        with acting_as(function):
            require("lambda:InvokeFunction", _alias_of(function))
        if action not in callers.ALLOWED.get(function, ()):
            _refuse(f"{function} may not ask the vault for {action}")
        asked_of_vault.add((function, action))


def take_refusals() -> list[str]:
    """What was refused since the last call, each once."""
    refusals = list(dict.fromkeys(_refused))
    _refused.clear()
    return refusals


def kind_of(partition: str) -> str:
    """`FEED#…` of a partition key without the ids: what a pattern of the template may say."""
    kind, separator, _ = partition.partition("#")
    return f"{kind}#*" if separator else kind


def is_like(text: str, pattern: str) -> bool:
    """IAM's `StringLike`: `*` is any text, `?` any character, and capital letters differ from small ones."""
    return _expression(pattern).fullmatch(text) is not None


@cache
def _expression(pattern: str) -> re.Pattern[str]:
    parts = [{"*": ".*", "?": "."}.get(character, re.escape(character)) for character in pattern]
    return re.compile("".join(parts), re.DOTALL)


@cache
def _by_call(grants: frozenset[Grant]) -> dict[tuple[str, str], list[Grant]]:
    """By action and resource."""
    found: dict[tuple[str, str], list[Grant]] = {}
    for grant in grants:
        found.setdefault((grant.action, grant.resource), []).append(grant)
    return found


@cache
def _alias_of(function: str) -> str:
    """The logical id of the caller's alias of the vault; the vault's own if it has none."""
    from tests.stack.template import of_type

    aliases = {alias["Properties"]["Name"]: id for id, alias in of_type("AWS::Lambda::Alias").items()}
    return aliases.get(function, "CredentialVault")


def _refuse(refusal: str) -> None:
    _refused.append(refusal)
    raise AccessDenied(refusal)


def _partitions(statement: dict[str, Any]) -> frozenset[str] | None:
    """Raises `AssertionError` for a condition that nobody here understands."""
    if "Condition" not in statement:
        return None
    operator, key = _LEADING_KEYS
    assert list(statement["Condition"]) == [operator], statement
    assert list(statement["Condition"][operator]) == [key], statement
    return frozenset(_listed(statement["Condition"][operator][key]))


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
