"""Accounting's `where` and `order`: comparisons with AND, OR and brackets, and fields to sort by."""

import re
import uuid
from collections.abc import Callable
from typing import Any

Item = dict[str, Any]
Condition = Callable[[Item], bool]

_TOKEN = re.compile(
    r'\s*(?:(?P<text>"[^"]*")|(?P<symbol>&&|\|\||==|!=|[()])|(?P<word>\w+)(?:\.(?P<method>\w+)(?=\())?)', re.ASCII
)
_TEXT_METHODS: dict[str, Callable[[str, str], bool]] = {
    "startswith": str.startswith,
    "endswith": str.endswith,
    "contains": str.__contains__,
}
_CASES: dict[str, Callable[[str], str]] = {"tolower": str.lower, "toupper": str.upper}
_WORDS = {"true": True, "false": False, "null": None}


class NotUnderstood(Exception):
    """Xero's QueryParseException."""


def read_where(where: str) -> Condition:
    """Raises NotUnderstood. An empty clause matches everything."""
    return _Parser(where).read() if where.strip() else lambda item: True


def sort(items: list[Item], order: str, fields: frozenset[str]) -> list[Item]:
    """Sorts by `Name`, `Name DESC` or `Type ASC,Name`. Raises NotUnderstood for anything but these fields."""
    for part in reversed(order.split(",") if order.strip() else []):
        name, _, direction = part.strip().partition(" ")
        if name not in fields or direction.strip().upper() not in ("", "ASC", "DESC"):
            raise NotUnderstood
        is_descending = direction.strip().upper() == "DESC"
        items = sorted(items, key=lambda item: str(item.get(name, "")).lower(), reverse=is_descending)
    return items


class _Parser:
    def __init__(self, where: str) -> None:
        self._tokens = _tokens(where)

    def read(self) -> Condition:
        condition = self._either()
        if self._tokens:
            raise NotUnderstood
        return condition

    def _either(self) -> Condition:
        conditions = [self._both()]
        while self._accept("||", "or"):
            conditions.append(self._both())
        return lambda item: any(condition(item) for condition in conditions)

    def _both(self) -> Condition:
        conditions = [self._comparison()]
        while self._accept("&&", "and"):
            conditions.append(self._comparison())
        return lambda item: all(condition(item) for condition in conditions)

    def _comparison(self) -> Condition:
        if self._accept("("):
            condition = self._either()
            self._require(")")
            return condition
        kind, field, method = self._next()
        if kind != "word":
            raise NotUnderstood
        method = method.lower()
        if method in _TEXT_METHODS:
            self._require("(")
            wanted = self._value()
            self._require(")")
            return _calls(field, _TEXT_METHODS[method], wanted)
        if method:
            if method not in _CASES:
                raise NotUnderstood
            self._require("(")
            self._require(")")
        return self._equality(field, _CASES.get(method, lambda text: text))

    def _equality(self, field: str, change: Callable[[str], str]) -> Condition:
        operator = self._next()[1]
        if operator not in ("==", "!="):
            raise NotUnderstood
        wanted = self._value()
        is_equal = operator == "=="
        if field.endswith("ID") and not isinstance(wanted, uuid.UUID | None):
            raise NotUnderstood  # Xero: a Guid and a String cannot be compared

        def condition(item: Item) -> bool:
            found = item.get(field)
            if isinstance(wanted, uuid.UUID):
                found = uuid.UUID(found) if found else None
            elif isinstance(found, str):
                found = change(found)
            return (found == wanted) is is_equal

        return condition

    def _value(self) -> Any:
        """A text in quotes, true, false, null, or `Guid("…")` in any case."""
        kind, text, _ = self._next()
        if kind == "text":
            return text
        if kind == "word" and text.lower() in _WORDS:
            return _WORDS[text.lower()]
        if kind != "word" or text.lower() != "guid":
            raise NotUnderstood
        self._require("(")
        try:
            value = uuid.UUID(self._next()[1])
        except ValueError:
            raise NotUnderstood from None
        self._require(")")
        return value

    def _next(self) -> tuple[str, str, str]:
        if not self._tokens:
            raise NotUnderstood
        return self._tokens.pop(0)

    def _accept(self, *texts: str) -> bool:
        if self._tokens and self._tokens[0][0] != "text" and self._tokens[0][1].lower() in texts:
            self._tokens.pop(0)
            return True
        return False

    def _require(self, text: str) -> None:
        if not self._accept(text):
            raise NotUnderstood


def _calls(field: str, test: Callable[[str, str], bool], wanted: Any) -> Condition:
    if not isinstance(wanted, str):
        raise NotUnderstood
    return lambda item: isinstance(item.get(field), str) and test(item[field], wanted)


def _tokens(where: str) -> list[tuple[str, str, str]]:
    """Kind, text and method of each token."""
    tokens, at, where = [], 0, where.rstrip()
    while at < len(where):
        match = _TOKEN.match(where, at)
        if match is None:
            raise NotUnderstood
        kind = match.lastgroup if match.lastgroup != "method" else "word"
        assert kind is not None, "every alternative is named"
        tokens.append((kind, match[kind].strip('"'), match["method"] or ""))
        at = match.end()
    return tokens
