"""Codat's query language: `name~Bakery && {status=Linked || status=Unlinked}`, over things in their JSON form.

Texts are compared without regard to case, as Codat's own examples need (`sourceType=accounting`). A property inside
a list (`dataConnections.status`) fits if it fits for any element.
"""

from __future__ import annotations

import operator
import re
from collections.abc import Callable
from datetime import datetime
from typing import Any

from feedlane.errors import Invalid

QUERY_LENGTH_MAX = 2048
MALFORMED = "Error parsing query - Malformed query."

Json = dict[str, Any]
Predicate = Callable[[Json], bool]
# The properties that can be asked for; a nested one has its own.
Fields = dict[str, "Fields | None"]

_TOKEN = re.compile(r"&&|\|\||[{}]|[^&|{}]+|[&|]")
_SYMBOLS, _LONE_SYMBOLS = {"&&", "||", "{", "}"}, {"&", "|"}
_COMPARISON = re.compile(r"\s*(?P<name>[^=!~<>]+?)\s*(?P<sign>!=|>=|<=|=|~|>|<)\s*(?P<value>.*?)\s*", re.DOTALL)
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
    """What the query asks for, as a test. `name` is what an error calls the thing queried. Raises `Invalid`."""
    return _parse_query(query, lambda text: _property_comparison(text, fields, name))


def tag_predicate(query: str) -> Callable[[dict[str, str]], bool]:
    """The same language over tags (`uid=cust_1 && region!=uk`), whose keys are free. Case matters, as for webhooks."""
    return _parse_query(query, _tag_comparison)


def property_of(path: str, fields: Fields, name: str) -> list[str]:
    """The parts of a property's path as the JSON has them. Raises `Invalid` for one that there is not."""
    parts: list[str] = []
    inside: Fields | None = fields
    for part in path.strip().split("."):
        known = {field.casefold(): field for field in inside or {}}
        if part.casefold() not in known:
            raise Invalid(f"Could not resolve property {path.strip()} on {name}")
        parts.append(known[part.casefold()])
        inside = (inside or {})[parts[-1]]
    return parts


def _parse_query(query: str, comparison: Callable[[str], Callable[[Any], bool]]) -> Callable[[Any], bool]:
    if len(query) >= QUERY_LENGTH_MAX:
        raise Invalid(MALFORMED)
    if not query.strip():
        return lambda _: True
    pieces = [piece for piece in _TOKEN.findall(query) if piece.strip()]
    test = _parse_or(pieces, comparison)
    if pieces:
        raise Invalid(MALFORMED)
    return test


def _parse_or(pieces: list[str], comparison: Callable[[str], Callable[[Any], bool]]) -> Callable[[Any], bool]:
    tests = [_parse_and(pieces, comparison)]
    while pieces[:1] == ["||"]:
        pieces.pop(0)
        tests.append(_parse_and(pieces, comparison))
    return lambda one: any(test(one) for test in tests)


def _parse_and(pieces: list[str], comparison: Callable[[str], Callable[[Any], bool]]) -> Callable[[Any], bool]:
    tests = [_parse_term(pieces, comparison)]
    while pieces[:1] == ["&&"]:
        pieces.pop(0)
        tests.append(_parse_term(pieces, comparison))
    return lambda one: all(test(one) for test in tests)


def _parse_term(pieces: list[str], comparison: Callable[[str], Callable[[Any], bool]]) -> Callable[[Any], bool]:
    if not pieces:
        raise Invalid(MALFORMED)
    piece = pieces.pop(0)
    if piece == "{":
        test = _parse_or(pieces, comparison)
        if pieces[:1] != ["}"]:
            raise Invalid(MALFORMED)
        pieces.pop(0)
        return test
    # A single & or | belongs to the value it stands in.
    while pieces and pieces[0] not in _SYMBOLS and (pieces[0] in _LONE_SYMBOLS or piece[-1] in _LONE_SYMBOLS):
        piece += pieces.pop(0)
    return comparison(piece)


def _split_comparison(text: str) -> tuple[str, str, str]:
    match = _COMPARISON.fullmatch(text)
    if match is None or not match["value"]:
        raise Invalid(MALFORMED)
    value = match["value"]
    quoted = len(value) > 1 and value[0] == value[-1] and value[0] in "\"'"
    return match["name"], match["sign"], value[1:-1] if quoted else value


def _property_comparison(text: str, fields: Fields, name: str) -> Predicate:
    path, sign, value = _split_comparison(text)
    parts = property_of(path, fields, name)
    return lambda one: _fits_any(_values(one, parts), sign, value)


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


def _values(one: Any, parts: list[str]) -> list[Any]:
    if isinstance(one, list):
        return [value for element in one for value in _values(element, parts)]
    if not parts:
        return [one]
    return _values(one.get(parts[0]), parts[1:]) if isinstance(one, dict) else []


def _fits_any(found: list[Any], sign: str, value: str) -> bool:
    if sign == "!=":
        return not any(_fits(one, "=", value) for one in found)
    return any(_fits(one, sign, value) for one in found)


def _fits(found: Any, sign: str, value: str) -> bool:
    if found is None:
        return False
    if isinstance(found, bool):
        return sign == "=" and str(found).casefold() == value.casefold()
    if isinstance(found, (int, float)):
        return _fits_number(found, sign, value)
    if _DATE.fullmatch(str(found)) and _DATE.fullmatch(value) and sign != "~":
        return _fits_date(str(found), sign, value)
    if sign == "~":
        return value.casefold() in str(found).casefold()
    if sign != "=":
        raise Invalid(MALFORMED)
    return str(found).casefold() == value.casefold()


def _fits_number(found: float, sign: str, value: str) -> bool:
    try:
        return sign in _OPERATORS and _OPERATORS[sign](found, float(value))
    except ValueError:
        raise Invalid(MALFORMED) from None


def _fits_date(found: str, sign: str, value: str) -> bool:
    """A value without a time speaks of the whole day."""
    if "T" not in value:
        return _OPERATORS[sign](found[:10], value)
    try:
        return _OPERATORS[sign](_moment(found), _moment(value))
    except ValueError:
        raise Invalid(MALFORMED) from None


def _moment(text: str) -> datetime:
    moment = datetime.fromisoformat(text)
    return moment if moment.tzinfo else datetime.fromisoformat(f"{text}Z" if "T" in text else f"{text}T00:00:00Z")
