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
# A filter or an order without an index reads the whole list: so many items are a few seconds.
SEARCHED_MAX = 10_000
T = TypeVar("T")
Json = dict[str, Any]


@dataclass(frozen=True)
class PageRequest:
    number: int
    size: int
    predicate: Predicate
    order_by: str
    echoed_parameters: dict[str, str]
    """The filter and the order as the client sent them, for the links."""

    @property
    def start(self) -> int:
        """The place of its first item: 0 is the list's first."""
        return (self.number - 1) * self.size

    @property
    def is_unfiltered(self) -> bool:
        """Without filter and order, only the items on the page have to be converted to JSON."""
        return not self.echoed_parameters


def page_request(parameters: Mapping[str, str], fields: Fields, name: str) -> PageRequest:
    """The requested page of items with these fields; `name` is the item's name in errors. Raises `Invalid`."""
    order_by = parameters.get("orderBy", "")
    if order_by:
        property_of(order_by.removeprefix("-"), fields, name)
    return PageRequest(
        number=_whole_number("page", parameters.get("page", "1"), 10**9),
        size=_whole_number("pageSize", parameters.get("pageSize", str(PAGE_SIZE_DEFAULT)), PAGE_SIZE_MAX),
        predicate=query_predicate(parameters.get("query", ""), fields, name),
        order_by=order_by,
        echoed_parameters={key: parameters[key] for key in ("query", "orderBy") if parameters.get(key)},
    )


def require_searchable(total: int, items: str) -> None:
    """Raises `Invalid` if the list is too long for a filter or an order that reads all of it."""
    if total > SEARCHED_MAX:
        raise Invalid(
            f"There are more than {SEARCHED_MAX:,} {items}: too many for query, orderBy or tags. List them by page."
        )


def page_of(request: PageRequest, path: str, results: Iterable[Json], extra: Mapping[str, str] | None = None) -> Json:
    """The page of the results that match the request's filter, in its order."""
    matches = [result for result in results if request.predicate(result)]
    if request.order_by:
        matches = _sort_results(matches, request.order_by)
    return page_envelope(request, path, list(_slice_of(request, matches)), len(matches), extra)


def lazy_page(
    request: PageRequest,
    path: str,
    items: Sequence[T],
    shape: Callable[[Sequence[T]], list[Json]],
    extra: Mapping[str, str] | None = None,
) -> Json:
    """The same for a request without filter and order: `shape` gets only the items on the page."""
    return page_envelope(request, path, shape(_slice_of(request, items)), len(items), extra)


def page_size(parameters: Mapping[str, str]) -> int:
    return _whole_number("pageSize", parameters.get("pageSize", str(PAGE_SIZE_DEFAULT)), CURSOR_PAGE_SIZE_MAX)


def cursor_in(text: str) -> str:
    """The place where the previous page ended. Raises `Invalid`."""
    try:
        return urlsafe_b64decode(text).decode()
    except ValueError:
        raise Invalid.field("after", "must be the value in a page's next link", "Cursor") from None


def cursor_page(path: str, parameters: Mapping[str, str], results: list[Json], place: str) -> Json:
    """A page of a list that is too long to count, with a link to the page after `place`, if there is one."""
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


def _slice_of(request: PageRequest, items: Sequence[T]) -> Sequence[T]:
    start = (request.number - 1) * request.size
    return items[start : start + request.size]


def _link(request: PageRequest, path: str, number: int, extra: Mapping[str, str] | None) -> Json:
    query = {"page": str(number), "pageSize": str(request.size)} | request.echoed_parameters | dict(extra or {})
    return {"href": f"{path}?{urlencode(query)}"}


def _sort_results(results: list[Json], order_by: str) -> list[Json]:
    name = order_by.removeprefix("-")

    def rank(result: Json) -> tuple[bool, str | float]:
        value: Any = result
        for part in name.split("."):
            value = value.get(part) if isinstance(value, dict) else None
        if isinstance(value, bool) or not isinstance(value, (int, float)):
            return value is not None, str(value).casefold()
        return True, value

    return sorted(results, key=rank, reverse=order_by.startswith("-"))


def _whole_number(name: str, text: str, maximum: int) -> int:
    if not (text.isascii() and text.isdigit()) or not 1 <= int(text) <= maximum:
        raise Invalid.field(name, f"must be a whole number from 1 to {maximum}", "Range")
    return int(text)
