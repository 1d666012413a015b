"""Codat's query language: `name~Bakery && {status=Linked || status=Unlinked}`, over items in their JSON form.

Strings are compared case-insensitively, as Codat's own examples need (`sourceType=accounting`). A property inside a
list (`dataConnections.status`) matches if that of any element does.
"""

from __future__ import annotations

import operator
import re
from collections import deque
from collections.abc import Callable
from datetime import datetime
from typing import Any

from feedlane.errors import Invalid

QUERY_LENGTH_MAX = 2048
BRACES_DEPTH_MAX = 20
MALFORMED = "Error parsing query - Malformed query."

Json = dict[str, Any]
Predicate = Callable[[Json], bool]
Test = Callable[[Any], bool]
# The properties that a query may name; a nested object has its own.
Fields = dict[str, "Fields | None"]

_TOKEN = re.compile(r"&&|\|\||[{}]|[^&|{}]+|[&|]")
_SYMBOLS, _LONE_SYMBOLS = {"&&", "||", "{", "}"}, {"&", "|"}
_SIGN = re.compile(r"!=|>=|<=|=|~|>|<")
_DATE = re.compile(r"\d{4}-\d{2}-\d{2}(T[\d:.]+(Z|[+-]\d{2}:\d{2})?)?")
_OPERATORS: dict[str, Callable[[Any, Any], bool]] = {
    "=": operator.eq,
    "!=": operator.ne,
    ">": operator.gt,
    "<": operator.lt,
    ">=": operator.ge,
    "<=": operator.le,
}


def query_predicate(query: str, fields: Fields, name: str) -> Predicate:
    """The query as a test of an item. `name` is the item's name in errors. Raises `Invalid`."""
    return _parse_query(query, lambda text: _property_comparison(text, fields, name))


def tag_predicate(query: str) -> Callable[[dict[str, str]], bool]:
    """The same language over tags (`uid=cust_1 && region!=uk`), whose keys are free. Case-sensitive like webhooks."""
    return _parse_query(query, _tag_comparison)


def property_of(path: str, fields: Fields, name: str) -> list[str]:
    """The parts of a property's path, spelt as in the JSON. Raises `Invalid` for an unknown property."""
    parts: list[str] = []
    nested: Fields | None = fields
    for part in path.strip().split("."):
        known = {field.casefold(): field for field in nested or {}}
        if part.casefold() not in known:
            raise Invalid(f"Could not resolve property {path.strip()} on {name}")
        parts.append(known[part.casefold()])
        nested = (nested or {})[parts[-1]]
    return parts


def _parse_query(query: str, comparison: Callable[[str], Test]) -> Test:
    if len(query) >= QUERY_LENGTH_MAX:
        raise Invalid(MALFORMED)
    if not query.strip():
        return lambda _: True
    pieces = deque(piece for piece in _TOKEN.findall(query) if piece.strip())
    test = _parse_or(pieces, comparison, 0)
    if pieces:
        raise Invalid(MALFORMED)
    return test


def _parse_or(pieces: deque[str], comparison: Callable[[str], Test], depth: int) -> Test:
    tests = [_parse_and(pieces, comparison, depth)]
    while pieces and pieces[0] == "||":
        pieces.popleft()
        tests.append(_parse_and(pieces, comparison, depth))
    return lambda item: any(test(item) for test in tests)


def _parse_and(pieces: deque[str], comparison: Callable[[str], Test], depth: int) -> Test:
    tests = [_parse_term(pieces, comparison, depth)]
    while pieces and pieces[0] == "&&":
        pieces.popleft()
        tests.append(_parse_term(pieces, comparison, depth))
    return lambda item: all(test(item) for test in tests)


def _parse_term(pieces: deque[str], comparison: Callable[[str], Test], depth: int) -> Test:
    if not pieces:
        raise Invalid(MALFORMED)
    piece = pieces.popleft()
    if piece == "{":
        if depth >= BRACES_DEPTH_MAX:
            raise Invalid(f"{MALFORMED} Braces may be nested {BRACES_DEPTH_MAX} deep.")
        test = _parse_or(pieces, comparison, depth + 1)
        if not pieces or pieces.popleft() != "}":
            raise Invalid(MALFORMED)
        return test
    # A single & or | is part of the value.
    parts = [piece]
    while pieces and pieces[0] not in _SYMBOLS and (pieces[0] in _LONE_SYMBOLS or parts[-1] in _LONE_SYMBOLS):
        parts.append(pieces.popleft())
    return comparison("".join(parts))


def _split_comparison(text: str) -> tuple[str, str, str]:
    """The name, the sign and the value, by the first sign: in linear time, whatever the text is."""
    match = _SIGN.search(text)
    name, sign, value = (
        (text[: match.start()].strip(), match[0], text[match.end() :].strip()) if match else ("", "", "")
    )
    # A "!" belongs to "!=", and to no name.
    if not name or "!" in name or not value:
        raise Invalid(MALFORMED)
    quoted = len(value) > 1 and value[0] == value[-1] and value[0] in "\"'"
    return name, sign, value[1:-1] if quoted else value


def _property_comparison(text: str, fields: Fields, name: str) -> Predicate:
    path, sign, value = _split_comparison(text)
    parts = property_of(path, fields, name)
    return lambda item: _any_matches(_values(item, parts), sign, value)


def _tag_comparison(text: str) -> Callable[[dict[str, str]], bool]:
    key, sign, value = _split_comparison(text)
    match sign:
        case "=":
            return lambda tags: tags.get(key) == value
        case "!=":
            return lambda tags: tags.get(key) != value
        case "~":
            return lambda tags: value in tags.get(key, "")
    raise Invalid(MALFORMED)


def _values(item: Any, parts: list[str]) -> list[Any]:
    if isinstance(item, list):
        return [value for element in item for value in _values(element, parts)]
    if not parts:
        return [item]
    return _values(item.get(parts[0]), parts[1:]) if isinstance(item, dict) else []


def _any_matches(actual_values: list[Any], sign: str, value: str) -> bool:
    if sign == "!=":
        return not any(_matches(actual, "=", value) for actual in actual_values)
    return any(_matches(actual, sign, value) for actual in actual_values)


def _matches(actual: Any, sign: str, value: str) -> bool:
    if actual is None:
        return False
    if isinstance(actual, bool):
        return sign == "=" and str(actual).casefold() == value.casefold()
    if isinstance(actual, (int, float)):
        return _number_matches(actual, sign, value)
    if _DATE.fullmatch(str(actual)) and _DATE.fullmatch(value) and sign != "~":
        return _date_matches(str(actual), sign, value)
    if sign == "~":
        return value.casefold() in str(actual).casefold()
    if sign != "=":
        raise Invalid(MALFORMED)
    return str(actual).casefold() == value.casefold()


def _number_matches(actual: float, sign: str, value: str) -> bool:
    try:
        return sign in _OPERATORS and _OPERATORS[sign](actual, float(value))
    except ValueError:
        raise Invalid(MALFORMED) from None


def _date_matches(actual: str, sign: str, value: str) -> bool:
    """A value without a time means the whole day."""
    if "T" not in value:
        return _OPERATORS[sign](actual[:10], value)
    try:
        return _OPERATORS[sign](_moment(actual), _moment(value))
    except ValueError:
        raise Invalid(MALFORMED) from None


def _moment(text: str) -> datetime:
    moment = datetime.fromisoformat(text)
    return moment if moment.tzinfo else datetime.fromisoformat(f"{text}Z" if "T" in text else f"{text}T00:00:00Z")
