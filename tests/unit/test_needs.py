"""What roles allow and what the functions do with it: no kind of item, and no action of the vault, is too much.

That none is missing needs no test of its own: the fakes refuse what a role does not allow, and that fails the test
which needed it. Some tests here compare with what all the others have done: they run last, and only after all of them.
"""

from __future__ import annotations

from pathlib import Path

import pytest

from feedlane.vault.callers import ALLOWED
from tests import rights
from tests.rights import Grant, granted, is_like, kind_of

# The functions that anybody can reach.
ON_THE_INTERNET = ("public_api", "link", "oauth_callback", "portal")
WRITES = {"dynamodb:PutItem", "dynamodb:UpdateItem", "dynamodb:DeleteItem", "dynamodb:BatchWriteItem"}
# Not theirs: the app's settings and keys of the API, consumers, and the vault's own items.
NOT_THE_CUSTOMERS = {"APP", "API_KEYS", "CONSUMERS", "CONSUMER#*", "LIMIT#*", "TOKEN_SET#*"}
FORBIDDEN = {
    "public_api": {"TOKEN_SET#*", "STATE#*", "SESSION#*"},
    "portal": {"TOKEN_SET#*", "STATE#*"},
    "link": NOT_THE_CUSTOMERS,
    "oauth_callback": NOT_THE_CUSTOMERS | {"CONNECTION#*"},
}
HERE = Path(__file__).parent


@pytest.fixture
def everything_else_has_run(request: pytest.FixtureRequest) -> None:
    if missing := set(HERE.rglob("test_*.py")) - {item.path for item in request.session.items}:
        pytest.skip(f"needs all unit tests, and {len(missing)} files of them were not run")


def writes_of(function: str) -> list[Grant]:
    return [grant for grant in granted(function) if grant.action in WRITES]


@pytest.mark.parametrize("function", ON_THE_INTERNET)
def test_whoever_faces_the_internet_writes_only_kinds_of_items_that_are_named(function: str) -> None:
    assert writes_of(function)
    for grant in writes_of(function):
        assert grant.partitions, grant
        # Whole kinds, without an id: `*` alone would be every item.
        assert all(kind_of(pattern) == pattern and not pattern.startswith("*") for pattern in grant.partitions), grant


@pytest.mark.parametrize("function", ON_THE_INTERNET)
def test_nobody_there_can_write_what_is_not_theirs(function: str) -> None:
    writable = {pattern for grant in writes_of(function) for pattern in grant.partitions or ("*",)}
    for kind in FORBIDDEN[function]:
        assert not any(is_like(kind, pattern) for pattern in writable), kind


@pytest.mark.last
@pytest.mark.usefixtures("everything_else_has_run")
@pytest.mark.parametrize("function", ON_THE_INTERNET)
def test_every_kind_of_item_that_may_be_written_is_written_with_that_action(function: str) -> None:
    allowed = {(grant.action, kind) for grant in writes_of(function) for kind in grant.partitions or ("*",)}
    written = {(action, kind) for who, action, kind in rights.seen if who == function and action in WRITES}
    assert written == allowed


@pytest.mark.last
@pytest.mark.usefixtures("everything_else_has_run")
@pytest.mark.parametrize("function", ALLOWED)
def test_every_action_of_the_vault_that_is_allowed_to_a_caller_is_asked_for(function: str) -> None:
    assert {action for who, action in rights.asked_of_vault if who == function} == ALLOWED[function]


def test_a_pattern_is_read_as_iam_reads_it() -> None:
    grant = Grant("dynamodb:PutItem", rights.TABLE, frozenset({"FEED#*", "APP"}))
    assert grant.covers("dynamodb:PutItem", rights.TABLE, ["FEED#k/a", "FEED#", "APP"])
    for key in ("feed#k/a", "FEED", "APP#1", "XAPP", "OTHER#FEED#k"):
        assert not grant.covers("dynamodb:PutItem", rights.TABLE, ["FEED#k/a", key])
    assert not grant.covers("dynamodb:DeleteItem", rights.TABLE, ["FEED#k/a"])
    # No value at all satisfies every value, so such an action must not be allowed to anybody: a scan, for example.
    assert grant.covers("dynamodb:PutItem", rights.TABLE, [])
    assert is_like("a.b", "a.?")
    assert not is_like("axb", "a.?")


@pytest.mark.parametrize("function", ON_THE_INTERNET)
def test_no_action_is_allowed_whose_requests_name_no_partition(function: str) -> None:
    """IAM's `ForAllValues` is met by a request without any value. All of these name partitions, as a scan does not."""
    table = {grant.action for grant in granted(function) if grant.resource.startswith(rights.TABLE)}
    named = {"GetItem", "BatchGetItem", "Query", "ConditionCheckItem"}
    assert table <= WRITES | {f"dynamodb:{action}" for action in named}
