"""Codat's query language, and pages."""

from __future__ import annotations

from collections.abc import Callable

import pytest
from hypothesis import given
from hypothesis import strategies as st

from feedlane.codat.paging import page_of, page_request
from feedlane.codat.query import Fields, query_predicate, tag_predicate
from feedlane.errors import Invalid

FIELDS: Fields = {
    "name": None, "status": None, "count": None, "enabled": None, "created": None,
    "connections": {"status": None},
}  # fmt: skip
THING = {
    "name": "A & B | C", "status": "Linked", "count": 7, "enabled": True, "created": "2026-05-01T09:30:00.000Z",
    "connections": [{"status": "Linked"}, {"status": "PendingAuth"}],
}  # fmt: skip


@pytest.mark.parametrize(
    ("query", "matches"),
    [
        ("", True),
        ("status=linked", True),
        ("status!=Linked", False),
        ("name~a &", True),
        ("name=A & B | C", True),
        ('name="A & B | C"', True),
        ("status=Linked && count=7", True),
        ("status=Linked&&count=8", False),
        ("status=Unlinked || count>6", True),
        ("{status=Unlinked || count=7} && enabled=true", True),
        ("count>=7 && count<8 && count!=9", True),
        ("enabled=false", False),
        ("created>2026-04-30", True),
        ("created=2026-05-01", True),
        ("created<2026-05-01T09:29:59Z", False),
        ("connections.status=PendingAuth", True),
        ("connections.status!=PendingAuth", False),
        ("Connections.Status=Unlinked", False),
    ],
)
def test_queries(query: str, matches: bool) -> None:
    assert query_predicate(query, FIELDS, "Thing")(THING) is matches


@pytest.mark.parametrize(
    "query", ["status", "=x", "status=", "{status=Linked", "status=Linked}", "&&", "status=a &&", "x" * 2048, "a}b=c"]
)
def test_malformed_queries(query: str) -> None:
    with pytest.raises(Invalid, match="Malformed query"):
        query_predicate(query, FIELDS, "Thing")


@pytest.mark.parametrize("query", ["colour=red", "connections.colour=red", "name.first=x"])
def test_unknown_properties(query: str) -> None:
    with pytest.raises(Invalid, match=r"Could not resolve property .* on Thing"):
        query_predicate(query, FIELDS, "Thing")


def test_a_number_is_compared_with_numbers_only() -> None:
    with pytest.raises(Invalid):
        query_predicate("count>many", FIELDS, "Thing")(THING)


@given(st.text(max_size=60))
def test_no_query_is_a_crash(query: str) -> None:
    """It matches or not, or it is refused with a reason."""
    for outcome in (
        _outcome(lambda: query_predicate(query, FIELDS, "Thing")(THING)),
        _outcome(lambda: tag_predicate(query)({"a": "b"})),
    ):
        assert isinstance(outcome, bool) or outcome


def _outcome(match: Callable[[], bool]) -> bool | str:
    try:
        return match()
    except Invalid as error:
        return error.message


def test_tags_are_matched_case_and_all() -> None:
    tags = {"uid": "cust_1", "region": "uk"}
    assert tag_predicate("uid=cust_1 && region != fr")(tags)
    assert tag_predicate("uid~cust")(tags)
    assert not tag_predicate("uid=CUST_1")(tags)
    assert tag_predicate("missing!=x")(tags)
    assert not tag_predicate("missing=x")(tags)


def test_a_page_in_the_middle_links_both_ways() -> None:
    things = [{"name": f"n{number}", "count": number} for number in range(250)]
    request = page_request({"page": "2", "query": "count>=0", "orderBy": "-count"}, FIELDS, "Thing")
    page = page_of(request, "/things", things)
    assert [page["results"][0]["count"], page["results"][-1]["count"]] == [149, 50]
    assert page["totalResults"] == 250
    query = "pageSize=100&query=count%3E%3D0&orderBy=-count"
    assert page["_links"] == {
        "self": {"href": "/things"},
        "current": {"href": f"/things?page=2&{query}"},
        "next": {"href": f"/things?page=3&{query}"},
        "previous": {"href": f"/things?page=1&{query}"},
    }


def test_things_without_the_property_are_ordered_first() -> None:
    request = page_request({"orderBy": "name"}, FIELDS, "Thing")
    page = page_of(request, "/things", [{"name": "b"}, {"name": None}, {"name": "A"}])
    assert [thing["name"] for thing in page["results"]] == [None, "A", "b"]


@pytest.mark.parametrize(
    "parameters",
    [{"page": "0"}, {"page": "x"}, {"pageSize": "5001"}, {"pageSize": "-1"}, {"orderBy": "colour"}, {"page": "²"}],
)
def test_bad_pages(parameters: dict[str, str]) -> None:
    with pytest.raises(Invalid):
        page_request(parameters, FIELDS, "Thing")
