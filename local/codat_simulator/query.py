"""Codat's query language over items in their JSON form: comparisons joined by `&&` and `||`, grouped by braces."""

import re
from collections.abc import Callable
from decimal import Decimal, InvalidOperation
from typing import Any

from local.codat_simulator.errors import CodatError

LENGTH_MAX = 2048
Json = dict[str, Any]
Test = Callable[[Json], bool]

_COMPARISON = re.compile(r"\s*([\w.:-]+)\s*(!=|>=|<=|=|~|>|<)\s*(.*?)\s*", re.DOTALL)
_PART = re.compile(r"&&|\|\||[{}]|(?:[^&|{}]|&(?!&)|\|(?!\|))+")


def matches(query: str, *, name: str) -> Test:
    """The query as a test. Raises a 400 for a bad query; a property that no item has raises it when tested."""
    parts = [part for part in _PART.findall(query) if part.strip()]
    if len(query) >= LENGTH_MAX or not parts:
        raise _malformed()
    test = _any_of(parts, name)
    if parts:
        raise _malformed()
    return test


def matches_tags(query: str) -> Callable[[dict[str, str]], bool]:
    """The parameter `tags`: `uid=cust_1 && region != uk`, case-sensitive. A missing tag equals nothing."""
    comparisons = [_comparison(part) for part in query.split("&&")]
    if any(sign not in ("=", "!=", "~") for _, sign, _ in comparisons):
        raise _malformed()

    def test(tags: dict[str, str]) -> bool:
        return all(_tag_matches(tags.get(key), sign, value) for key, sign, value in comparisons)

    return test


def ordered(items: list[Json], order_by: str, *, name: str) -> list[Json]:
    """Ascending by a property, or descending with a minus. Items without it come first."""
    path = order_by.removeprefix("-").strip()
    known = [_values(item, path.split(".")) for item in items]
    if items and not any(known):
        raise CodatError(400, f"Could not resolve property {path} on {name}")
    keys = [str(values[0]) if values else "" for values in known]
    ranked = sorted(range(len(items)), key=keys.__getitem__, reverse=order_by.startswith("-"))
    return [items[position] for position in ranked]


def _any_of(parts: list[str], name: str) -> Test:
    tests = [_all_of(parts, name)]
    while parts and parts[0] == "||":
        parts.pop(0)
        tests.append(_all_of(parts, name))
    return lambda item: any(test(item) for test in tests)


def _all_of(parts: list[str], name: str) -> Test:
    tests = [_one(parts, name)]
    while parts and parts[0] == "&&":
        parts.pop(0)
        tests.append(_one(parts, name))
    return lambda item: all(test(item) for test in tests)


def _one(parts: list[str], name: str) -> Test:
    if not parts:
        raise _malformed()
    part = parts.pop(0)
    if part == "{":
        inner = _any_of(parts, name)
        if not parts or parts.pop(0) != "}":
            raise _malformed()
        return inner
    path, sign, wanted = _comparison(part)

    def test(item: Json) -> bool:
        if path.split(".")[0].lower() not in {key.lower() for key in item}:
            raise CodatError(400, f"Could not resolve property {path} on {name}")
        values = _values(item, path.split("."))
        if sign == "!=":
            return all(_compares(value, "!=", wanted) for value in values)
        return any(_compares(value, sign, wanted) for value in values)

    return test


def _comparison(part: str) -> tuple[str, str, str]:
    found = _COMPARISON.fullmatch(part)
    if found is None or not found[3]:
        raise _malformed()
    return found[1], found[2], found[3]


def _values(item: Any, path: list[str]) -> list[Any]:
    """The values at a path; those of every element where it passes through a list."""
    if isinstance(item, list):
        return [value for element in item for value in _values(element, path)]
    if not path:
        return [] if item is None else [item]
    if not isinstance(item, dict):
        return []
    found = next((value for key, value in item.items() if key.lower() == path[0].lower()), None)
    return _values(found, path[1:])


def _compares(value: Any, sign: str, wanted: str) -> bool:
    if isinstance(value, bool):
        value = str(value).lower()
    left: Any
    right: Any
    if isinstance(value, int | Decimal):
        try:
            left, right = Decimal(value), Decimal(wanted)
        except InvalidOperation:
            raise _malformed() from None
    else:
        left, right = str(value).lower(), wanted.lower()
    outcomes: dict[str, bool] = {
        "=": left == right,
        "!=": left != right,
        "~": str(right) in str(left),
        ">": left > right,
        "<": left < right,
        ">=": left >= right,
        "<=": left <= right,
    }
    return outcomes[sign]


def _tag_matches(value: str | None, sign: str, wanted: str) -> bool:
    if sign == "!=":
        return value != wanted
    return value is not None and (value == wanted if sign == "=" else wanted in value)


def _malformed() -> CodatError:
    return CodatError(400, "Error parsing query - Malformed query.")
