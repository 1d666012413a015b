"""Reading a control body: each field by name and kind, with errors that name the field."""

from collections.abc import Iterable
from decimal import Decimal
from typing import Any, TypeVar

from local.simulator.problems import CATALOGUE, Problem, problem

T = TypeVar("T")


class ControlError(Exception):
    """A field of a control request is wrong."""

    def __init__(self, field: str, reason: str, status: int = 400) -> None:
        super().__init__(f"{field}: {reason}")
        self.field = field
        self.reason = reason
        self.status = status


class Fields:
    """A JSON object with only the `known` fields. A null equals an absent field."""

    def __init__(self, body: Any, known: Iterable[str], within: str = "") -> None:
        self._within = within
        if not isinstance(body, dict):
            raise ControlError(within.rstrip(".") or "body", "must be a JSON object")
        self._body = {name: value for name, value in body.items() if value is not None}
        self._names = set(body)
        for name in body:
            if name not in set(known):
                raise self.error(name, f"unknown field; the known fields are {', '.join(sorted(known))}")

    def error(self, name: str, reason: str) -> ControlError:
        return ControlError(f"{self._within}{name}", reason)

    def mentions(self, name: str) -> bool:
        """Whether the body has the field, even as null."""
        return name in self._names

    def has(self, name: str) -> bool:
        return name in self._body

    def raw(self, name: str) -> Any:
        return self._body.get(name)

    def text(self, name: str, default: str | None = None) -> str:
        value = self._value(name, default)
        if not isinstance(value, str) or not value:
            raise self.error(name, "must be a non-empty string")
        return value

    def flag(self, name: str, default: bool) -> bool:
        value = self._value(name, default)
        if not isinstance(value, bool):
            raise self.error(name, "must be true or false")
        return value

    def whole(self, name: str, default: int | None = None, *, minimum: int = 0) -> int:
        value = self._value(name, default)
        if isinstance(value, bool) or not isinstance(value, int) or value < minimum:
            raise self.error(name, f"must be a whole number of at least {minimum}")
        return value

    def seconds(self, name: str, default: float | None = None) -> float:
        value = self._value(name, default)
        if isinstance(value, bool) or not isinstance(value, int | float | Decimal) or value < 0:
            raise self.error(name, "must be a number of seconds and not negative")
        return float(value)

    def one_of(self, name: str, choices: tuple[T, ...], default: T | None = None) -> T:
        value = self._value(name, default)
        if value not in choices:
            raise self.error(name, f"must be one of {', '.join(map(str, choices))}")
        return value  # type: ignore[no-any-return]

    def texts(self, name: str, default: Iterable[str] | None = None) -> list[str]:
        value = self._value(name, None if default is None else list(default))
        if not isinstance(value, list) or not all(isinstance(text, str) and text for text in value):
            raise self.error(name, "must be a list of non-empty strings")
        return value

    def headers(self, name: str) -> dict[str, str]:
        value = self._body.get(name, {})
        if not isinstance(value, dict) or not all(isinstance(header, str | int) for header in value.values()):
            raise self.error(name, "must be an object of header names and values")
        return {key: str(header) for key, header in value.items()}

    def problem(self, name: str) -> Problem:
        return read_problem(self._value(name, None), f"{self._within}{name}")

    def problems(self, name: str) -> list[Problem]:
        value = self._value(name, None)
        if not isinstance(value, list) or not value:
            raise self.error(name, "must be a non-empty list of problems or problem types")
        return [read_problem(item, f"{self._within}{name}[{index}]") for index, item in enumerate(value)]

    def _value(self, name: str, default: Any) -> Any:
        if name in self._body:
            return self._body[name]
        if default is None:
            raise self.error(name, "is required")
        return default


def read_problem(value: Any, field: str) -> Problem:
    """A problem from the catalogue by its type, or a problem object, completed from the catalogue if possible."""
    if isinstance(value, str):
        if value not in CATALOGUE:
            raise ControlError(field, f"unknown problem type {value!r}; use a problem object instead")
        return problem(value)
    if not isinstance(value, dict) or not value:
        raise ControlError(field, "must be a problem type or a problem object")
    if value.get("type") in CATALOGUE:
        return {**problem(value["type"]), **value}
    return value
