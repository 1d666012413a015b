"""Codat's page of a list, with its links."""

from collections.abc import Mapping
from typing import Any
from urllib.parse import urlencode

from local.codat_simulator.errors import CodatError
from local.codat_simulator.query import matches, ordered
from local.simulator.answers import Answer
from local.simulator.api_call import ApiCall

PAGE_SIZE, PAGE_SIZE_MAX = 100, 5000
Json = dict[str, Any]


def page_of(call: ApiCall, items: list[Json], *, name: str) -> Answer:
    """The page that the call asks for, after its `query` and `orderBy`. `name` is the item's name in errors."""
    if call.query.get("query"):
        test = matches(call.query["query"], name=name)
        items = [item for item in items if test(item)]
    if call.query.get("orderBy"):
        items = ordered(items, call.query["orderBy"], name=name)
    page, size = _number(call.query, "page", 1, None), _number(call.query, "pageSize", PAGE_SIZE, PAGE_SIZE_MAX)
    links = {"self": {"href": call.path}, "current": _link(call, page, size)}
    if page * size < len(items):
        links["next"] = _link(call, page + 1, size)
    if page > 1:
        links["previous"] = _link(call, page - 1, size)
    shown = items[(page - 1) * size : page * size]
    body = {"results": shown, "pageNumber": page, "pageSize": size, "totalResults": len(items), "_links": links}
    return Answer(200, body)


def _link(call: ApiCall, page: int, size: int) -> dict[str, str]:
    kept = {name: value for name, value in call.query.items() if name in ("query", "orderBy", "tags")}
    return {"href": f"{call.path}?{urlencode({'page': page, 'pageSize': size, **kept})}"}


def _number(query: Mapping[str, str], name: str, default: int, most: int | None) -> int:
    text = query.get(name, str(default))
    number = int(text) if text.isascii() and text.isdigit() else 0
    if number < 1 or (most is not None and number > most):
        limit = f" and at most {most}" if most else ""
        raise CodatError(400, f"The value of {name} must be at least 1{limit}.")
    return number
