"""Pages as Codat has them: `page` and `pageSize` in, results with links out."""

from __future__ import annotations

import json
import re
from base64 import b64decode, urlsafe_b64encode
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import date, timedelta
from typing import Any, TypeVar
from urllib.parse import urlencode

from feedlane.codat.query import Fields, Predicate, property_of, query_predicate
from feedlane.doors import place_in, whole_number
from feedlane.errors import Invalid
from feedlane.money import dumps

PAGE_SIZE_DEFAULT = 100
PAGE_SIZE_MAX = 5000
CURSOR_PAGE_SIZE_MAX = 100
# A place is a sort key, which has at most 1,024 bytes.
CURSOR_LENGTH_MAX = 1_000
# Lambda answers at most 6 MB, and the headers need some.
ANSWER_BYTES_MAX = 5_900_000
# A filter or an order without an index reads the whole list: so many items are a few seconds.
SEARCHED_MAX = 10_000
_ONLY_ID = re.compile(r"\s{0,9}id\s{0,9}=\s{0,9}(?P<id>[\w-]{1,64})\s{0,9}", re.IGNORECASE)
_DAY_CONDITION = re.compile(
    r"\s{0,9}(?P<name>\w{1,40})\s{0,9}(?P<sign>>=|<=|>|<)\s{0,9}[\"']?(?P<day>\d{4}-\d{2}-\d{2})[\w:.+\-\"' ]{0,40}"
)
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
        """Without filter and order, only the items on the page have to be read."""
        return not self.echoed_parameters

    def is_in_order_of(self, name: str) -> bool:
        """Without a filter, in the order of this field, in either direction, or in none."""
        asked = self.order_by.removeprefix("-").casefold()
        return "query" not in self.echoed_parameters and asked in {"", name.casefold()}

    @property
    def is_descending(self) -> bool:
        return self.order_by.startswith("-")

    @property
    def only_id(self) -> str | None:
        """The id, if the filter is `id=…` alone."""
        match = _ONLY_ID.fullmatch(self.echoed_parameters.get("query", ""))
        return match["id"].lower() if match else None

    def days_of(self, property: str) -> tuple[str, str]:
        """The first and the last day (ISO) that the filter allows for a time; empty where it does not say.

        With a day to spare for time zones. Only conditions that are joined by && count.
        """
        query = self.echoed_parameters.get("query", "")
        first, last = "", ""
        for condition in [] if {"|", "{"} & set(query) else query.split("&&"):
            match = _DAY_CONDITION.fullmatch(condition)
            if match is None or match["name"].casefold() != property.casefold():
                continue
            day = _parsed_day(match["day"])
            if day is not None and ">" in match["sign"]:
                first = max(first, (day - timedelta(days=1)).isoformat())
            elif day is not None:
                last = min(last or "9", (day + timedelta(days=1)).isoformat())
        return first, last

    def names(self, property: str) -> bool:
        """Whether the filter or the order may name this property, or one below it."""
        return property.casefold() in " ".join(self.echoed_parameters.values()).casefold()


def _parsed_day(text: str) -> date | None:
    try:
        day = date.fromisoformat(text)
    except ValueError:
        return None
    return day if date.min.year < day.year < date.max.year else None


def page_request(parameters: Mapping[str, str], fields: Fields, name: str) -> PageRequest:
    """The requested page of items with these fields; `name` is the item's name in errors. Raises `Invalid`."""
    order_by = parameters.get("orderBy", "")
    if order_by:
        property_of(order_by.removeprefix("-"), fields, name)
    return PageRequest(
        number=whole_number("page", parameters.get("page", "1"), 1, 10**9),
        size=whole_number("pageSize", parameters.get("pageSize", str(PAGE_SIZE_DEFAULT)), 1, PAGE_SIZE_MAX),
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
    found = matches(request, results, lambda result: result)
    return page_envelope(request, path, list(slice_of(request, found)), len(found), extra)


def matches(request: PageRequest, items: Iterable[T], preview: Callable[[T], Json]) -> list[T]:
    """The items that match the request's filter, in its order. `preview` has the fields that it names."""
    found = [(item, view) for item in items if request.predicate(view := preview(item))]
    if request.order_by:
        found.sort(key=lambda pair: _rank(pair[1], request.order_by), reverse=request.order_by.startswith("-"))
    return [item for item, _ in found]


def slice_of(request: PageRequest, items: Sequence[T]) -> Sequence[T]:
    """The items on the page."""
    return items[request.start : request.start + request.size]


def page_size(parameters: Mapping[str, str]) -> int:
    """The size of a page that is followed by its link. Raises `Invalid`, also for a page or an order asked for."""
    for name, allowed in (("page", "1"), ("orderBy", "")):
        if parameters.get(name, "") not in {"", allowed}:
            raise Invalid.field(name, "does not apply to this list: follow _links.next", "NotSupported")
    return whole_number("pageSize", parameters.get("pageSize", str(PAGE_SIZE_DEFAULT)), 1, CURSOR_PAGE_SIZE_MAX)


def cursor_in(text: str) -> str:
    """The place where the previous page ended; empty for the first page. Raises `Invalid`."""
    if not text:
        return ""
    try:
        if len(text) > CURSOR_LENGTH_MAX:
            raise ValueError
        place = b64decode(text, altchars=b"-_", validate=True).decode()
    except ValueError:
        place = ""
    return place_in("after", place)


def cursor_page(path: str, parameters: Mapping[str, str], results: Iterable[tuple[str, Json]], end: str = "") -> Json:
    """A page of a list that is too long to count, with a link to the next page, if there is one.

    `results` come with their places in the list, of which `end` is the one where the reading ended (empty: at the
    list's end). A page that would be too large is shorter.
    """
    kept: list[Json] = []
    place, size = "", 0
    for next_place, result in results:
        size += answer_bytes(dumps(result))
        if kept and size > ANSWER_BYTES_MAX:
            end = place
            break
        kept.append(result)
        place = next_place
    links = {"self": {"href": path}, "current": {"href": f"{path}?{urlencode(parameters)}" if parameters else path}}
    if end:
        cursor = urlsafe_b64encode(end.encode()).decode()
        links["next"] = {"href": f"{path}?{urlencode({**parameters, 'after': cursor})}"}
    return {"results": kept, "_links": links}


def answer_bytes(body: str) -> int:
    """The size of a body in Lambda's answer, where it is a JSON string."""
    return len(json.dumps(body))


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


def _link(request: PageRequest, path: str, number: int, extra: Mapping[str, str] | None) -> Json:
    query = {"page": str(number), "pageSize": str(request.size)} | request.echoed_parameters | dict(extra or {})
    return {"href": f"{path}?{urlencode(query)}"}


def _rank(result: Json, order_by: str) -> tuple[bool, str | float]:
    value: Any = result
    for part in order_by.removeprefix("-").split("."):
        value = value.get(part) if isinstance(value, dict) else None
    if isinstance(value, bool) or not isinstance(value, (int, float)):
        return value is not None, str(value).casefold()
    return True, value
