"""Pages as Codat has them: `page` and `pageSize` in, results with links out."""

from __future__ import annotations

from base64 import urlsafe_b64decode, urlsafe_b64encode
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, TypeVar
from urllib.parse import urlencode

from feedlane.codat.query import Fields, Predicate, property_of, query_predicate
from feedlane.errors import Invalid

PAGE_SIZE_DEFAULT = 100
PAGE_SIZE_MAX = 5000
CURSOR_PAGE_SIZE_MAX = 100
T = TypeVar("T")
Json = dict[str, Any]


@dataclass(frozen=True)
class PageRequest:
    number: int
    size: int
    wanted: Predicate
    order_by: str
    given: dict[str, str]

    @property
    def is_unfiltered(self) -> bool:
        """No filter and no order: only the things on the page need to be made into JSON."""
        return not self.given


def page_request(parameters: Mapping[str, str], fields: Fields, name: str) -> PageRequest:
    """The page asked for, of things with these fields; `name` is what errors call such a thing."""
    order_by = parameters.get("orderBy", "")
    if order_by:
        property_of(order_by.removeprefix("-"), fields, name)
    return PageRequest(
        number=_whole_number("page", parameters.get("page", "1"), 10**9),
        size=_whole_number("pageSize", parameters.get("pageSize", str(PAGE_SIZE_DEFAULT)), PAGE_SIZE_MAX),
        wanted=query_predicate(parameters.get("query", ""), fields, name),
        order_by=order_by,
        given={key: parameters[key] for key in ("query", "orderBy") if parameters.get(key)},
    )


def page_of(request: PageRequest, path: str, results: Iterable[Json], extra: Mapping[str, str] | None = None) -> Json:
    """The page of the results that the request wants, in its order."""
    found = [one for one in results if request.wanted(one)]
    if request.order_by:
        found = _sort_results(found, request.order_by)
    return page_envelope(request, path, list(_slice_of(request, found)), len(found), extra)


def lazy_page(
    request: PageRequest,
    path: str,
    things: Sequence[T],
    shape: Callable[[Sequence[T]], list[Json]],
    extra: Mapping[str, str] | None = None,
) -> Json:
    """The same for a request without filter and order: `shape` is called for what is on the page only."""
    return page_envelope(request, path, shape(_slice_of(request, things)), len(things), extra)


def page_size(parameters: Mapping[str, str]) -> int:
    return _whole_number("pageSize", parameters.get("pageSize", str(PAGE_SIZE_DEFAULT)), CURSOR_PAGE_SIZE_MAX)


def cursor_in(text: str) -> str:
    """The place that an earlier page ended at. Raises `Invalid`."""
    try:
        return urlsafe_b64decode(text).decode()
    except ValueError:
        raise Invalid.field("after", "must be as a page's next link has it", "Cursor") from None


def cursor_page(path: str, parameters: Mapping[str, str], results: list[Json], place: str) -> Json:
    """A page of a list too long to count: it links to the page after `place`, if there is one."""
    links = {"self": {"href": path}, "current": {"href": f"{path}?{urlencode(parameters)}" if parameters else path}}
    if place:
        cursor = urlsafe_b64encode(place.encode()).decode()
        links["next"] = {"href": f"{path}?{urlencode({**parameters, 'after': cursor})}"}
    return {"results": results, "_links": links}


def page_envelope(
    request: PageRequest, path: str, results: list[Json], total: int, extra: Mapping[str, str] | None = None
) -> Json:
    links = {"self": {"href": path}, "current": _link(request, path, request.number, extra)}
    if request.number * request.size < total:
        links["next"] = _link(request, path, request.number + 1, extra)
    if request.number > 1:
        links["previous"] = _link(request, path, request.number - 1, extra)
    return {
        "results": results,
        "pageNumber": request.number,
        "pageSize": request.size,
        "totalResults": total,
        "_links": links,
    }


def _slice_of(request: PageRequest, things: Sequence[T]) -> Sequence[T]:
    start = (request.number - 1) * request.size
    return things[start : start + request.size]


def _link(request: PageRequest, path: str, number: int, extra: Mapping[str, str] | None) -> Json:
    query = {"page": str(number), "pageSize": str(request.size)} | request.given | dict(extra or {})
    return {"href": f"{path}?{urlencode(query)}"}


def _sort_results(found: list[Json], order_by: str) -> list[Json]:
    name = order_by.removeprefix("-")

    def rank(one: Json) -> tuple[bool, str | float]:
        value: Any = one
        for part in name.split("."):
            value = value.get(part) if isinstance(value, dict) else None
        if isinstance(value, bool) or not isinstance(value, (int, float)):
            return value is not None, str(value).casefold()
        return True, value

    return sorted(found, key=rank, reverse=order_by.startswith("-"))


def _whole_number(name: str, text: str, most: int) -> int:
    if not (text.isascii() and text.isdigit()) or not 1 <= int(text) <= most:
        raise Invalid.field(name, f"must be a whole number from 1 to {most}", "Range")
    return int(text)
