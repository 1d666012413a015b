"""Reading a control body: each field by name and kind, with errors that name the field."""

from collections.abc import Iterable
from decimal import Decimal
from typing import Any, TypeVar

from local.simulator.problems import CATALOGUE, Problem, problem

T = TypeVar("T")


class ControlError(Exception):
    """What was wrong with which field of a control request."""

    def __init__(self, field: str, reason: str, status: int = 400) -> None:
        super().__init__(f"{field}: {reason}")
        self.field = field
        self.reason = reason
        self.status = status


class Fields:
    """A JSON object of which only `known` fields are understood. A null is the same as an absent field."""

    def __init__(self, body: Any, known: Iterable[str], within: str = "") -> None:
        self._within = within
        if not isinstance(body, dict):
            raise ControlError(within.rstrip(".") or "body", "must be a JSON object")
        self._body = {name: value for name, value in body.items() if value is not None}
        self._names = set(body)
        for name in body:
            if name not in set(known):
                raise self.error(name, f"unknown field; known are {', '.join(sorted(known))}")

    def error(self, name: str, reason: str) -> ControlError:
        return ControlError(f"{self._within}{name}", reason)

    def names(self, name: str) -> bool:
        """Whether the field was written at all, be it as null."""
        return name in self._names

    def has(self, name: str) -> bool:
        return name in self._body

    def raw(self, name: str) -> Any:
        return self._body.get(name)

    def text(self, name: str, otherwise: str | None = None) -> str:
        value = self._value(name, otherwise)
        if not isinstance(value, str) or not value:
            raise self.error(name, "must be a non-empty string")
        return value

    def flag(self, name: str, otherwise: bool) -> bool:
        value = self._value(name, otherwise)
        if not isinstance(value, bool):
            raise self.error(name, "must be true or false")
        return value

    def whole(self, name: str, otherwise: int | None = None, *, least: int = 0) -> int:
        value = self._value(name, otherwise)
        if isinstance(value, bool) or not isinstance(value, int) or value < least:
            raise self.error(name, f"must be a whole number of at least {least}")
        return value

    def seconds(self, name: str, otherwise: float | None = None) -> float:
        value = self._value(name, otherwise)
        if isinstance(value, bool) or not isinstance(value, int | float | Decimal) or value < 0:
            raise self.error(name, "must be a number of seconds, not negative")
        return float(value)

    def one_of(self, name: str, choices: tuple[T, ...], otherwise: T | None = None) -> T:
        value = self._value(name, otherwise)
        if value not in choices:
            raise self.error(name, f"must be one of {', '.join(map(str, choices))}")
        return value  # type: ignore[no-any-return]

    def texts(self, name: str, otherwise: Iterable[str] | None = None) -> list[str]:
        value = self._value(name, None if otherwise is None else list(otherwise))
        if not isinstance(value, list) or not all(isinstance(one, str) and one for one in value):
            raise self.error(name, "must be a list of non-empty strings")
        return value

    def headers(self, name: str) -> dict[str, str]:
        value = self._body.get(name, {})
        if not isinstance(value, dict) or not all(isinstance(one, str | int) for one in value.values()):
            raise self.error(name, "must be an object of header names and values")
        return {key: str(one) for key, one in value.items()}

    def problem(self, name: str) -> Problem:
        return read_problem(self._value(name, None), f"{self._within}{name}")

    def problems(self, name: str) -> list[Problem]:
        value = self._value(name, None)
        if not isinstance(value, list) or not value:
            raise self.error(name, "must be a non-empty list of problems or problem types")
        return [read_problem(one, f"{self._within}{name}[{index}]") for index, one in enumerate(value)]

    def _value(self, name: str, otherwise: Any) -> Any:
        if name in self._body:
            return self._body[name]
        if otherwise is None:
            raise self.error(name, "is needed")
        return otherwise


def read_problem(value: Any, field: str) -> Problem:
    """A type of the catalogue by name, or a problem object, filled up from the catalogue if it can be."""
    if isinstance(value, str):
        if value not in CATALOGUE:
            raise ControlError(field, f"unknown problem type {value!r}; give a whole problem object instead")
        return problem(value)
    if not isinstance(value, dict) or not value:
        raise ControlError(field, "must be a problem type or a problem object")
    if value.get("type") in CATALOGUE:
        return {**problem(value["type"]), **value}
    return value
