"""Feed connections at Xero (API 1.0): listed in pages, created and deleted asynchronously."""

from __future__ import annotations

import re
from typing import Any

from feedlane.companies.source_account import AccountKind
from feedlane.errors import Invalid, Refused
from feedlane.feeds.refusals import (
    FEED_CONNECTION_GONE_TYPES,
    MEANING_BY_TYPE,
    NO_TYPE,
    item_problems,
    refusal_of,
)
from feedlane.feeds.upstream import FeedConnection, NewFeedConnection, TenantAccess
from feedlane.lengths import truncate, units
from feedlane.money import dumps
from feedlane.problem import Problem
from feedlane.scope import Scope
from feedlane.xero.api import XeroApi, object_in, objects_in, only_item, unreadable
from feedlane.xero.outcomes import raise_obstacle
from feedlane.xero.paging import Unreadable, all_items

FEED_CONNECTIONS_PATH = "/bankfeeds.xro/1.0/FeedConnections"
PAGES_MAX = 500
ACCOUNT_NUMBER_LENGTH_MAX = 40
ACCOUNT_NAME_LENGTH_MAX = 30
CARD_NUMBER_DIGITS = 4


def list_all(api: XeroApi, access: TenantAccess) -> list[FeedConnection]:
    """All of this app's feed connections in the organisation, except rejected ones."""

    def page(params: dict[str, str]) -> dict[str, Any]:
        answer = api.fetch(access, FEED_CONNECTIONS_PATH, params)
        return answer | {"items": objects_in(answer, "items")}

    try:
        items = list(all_items(page, PAGES_MAX))
    except Unreadable:
        raise unreadable() from None
    return [feed_connection_in(item) for item in items if item.get("id") and not is_rejected(item)]


def find(api: XeroApi, access: TenantAccess, feed_connection_id: str) -> FeedConnection | None:
    """None if the feed connection no longer exists. One that Xero has rejected comes with the reason."""
    try:
        item = only_item(api.fetch(access, f"{FEED_CONNECTIONS_PATH}/{feed_connection_id}"))
    except Refused as refused:
        problem = refused.problem
        if problem.type in FEED_CONNECTION_GONE_TYPES or problem.status == 404:
            return None
        if problem.type not in MEANING_BY_TYPE or refusal_of(problem).scope is not Scope.FEED:
            raise
        # The problem is about the feed connection, not about the caller's access.
        item = {"error": problem.model_dump(), "status": "REJECTED"}
    rejection = rejection_in(item)
    if rejection is not None:
        connection = feed_connection_in({"id": feed_connection_id} | item)
        return connection.but(active=False, rejection=rejection)
    if not item.get("id"):
        raise unreadable()
    return feed_connection_in(item)


def create(api: XeroApi, access: TenantAccess, new: NewFeedConnection, key: str) -> FeedConnection:
    """Asks for the feed connection, once. Raises `Refused`, also if it is there already."""
    body = dumps({"items": [request_item(new)]}).encode()
    item = only_item(object_in(api.ask(access, "POST", FEED_CONNECTIONS_PATH, content=body, idempotency_key=key)))
    _raise_rejection(item)
    return made(item, new).but(active=not item.get("status"))


def made(item: dict[str, Any], new: NewFeedConnection) -> FeedConnection:
    """The new feed connection, not known to be active yet. Raises `Unavailable` if the answer does not name it."""
    if not item.get("id"):
        raise unreadable()
    return FeedConnection(
        id=str(item["id"]),
        account_token=new.account_token,
        account_id=item.get("accountId") or new.account_id,
        account_name=item.get("accountName"),
        active=False,
    )


def delete(api: XeroApi, access: TenantAccess, feed_connection_id: str, key: str) -> bool:
    """Asks Xero to delete it, which takes effect a little later. False if Xero does not know it: it may be gone."""
    body = dumps({"items": [{"id": feed_connection_id}]}).encode()
    try:
        answer = api.ask(access, "POST", f"{FEED_CONNECTIONS_PATH}/DeleteRequests", content=body, idempotency_key=key)
        items = objects_in(object_in(answer), "items")
        if not items:
            raise unreadable()
        _raise_rejection(items[0])
    except Refused as refused:
        if refused.problem.type not in FEED_CONNECTION_GONE_TYPES:
            raise
        return False
    return True


def request_item(new: NewFeedConnection) -> dict[str, Any]:
    """By account id if there is one, so that Xero never creates an account by accident."""
    item: dict[str, Any] = {"accountToken": new.account_token, "accountType": new.kind.value}
    if new.account_id:
        item["accountId"] = new.account_id
    else:
        name = truncate(new.account_name, ACCOUNT_NAME_LENGTH_MAX)
        item |= {"accountNumber": account_number(new), "accountName": name}
    item["currency"] = new.currency
    return item | ({"country": new.country} if new.country else {})


def account_number(new: NewFeedConnection) -> str:
    """Xero identifies a credit card by its last four digits, and must not be sent more."""
    if new.kind is AccountKind.CREDIT_CARD:
        digits = re.sub(r"\D", "", new.account_number, flags=re.ASCII)
        if len(digits) < CARD_NUMBER_DIGITS:
            raise Invalid.field("accountNumber", f"must have at least {CARD_NUMBER_DIGITS} digits for a credit card")
        return digits[-CARD_NUMBER_DIGITS:]
    if not 1 <= units(new.account_number) <= ACCOUNT_NUMBER_LENGTH_MAX:
        raise Invalid.field("accountNumber", f"must have 1 to {ACCOUNT_NUMBER_LENGTH_MAX} characters")
    return new.account_number


def with_our_token(connections: list[FeedConnection], new: NewFeedConnection) -> FeedConnection | None:
    """The one with our token, unless it feeds an account other than the requested one."""
    for connection in connections:
        is_same_account = new.account_id is None or connection.account_id in (None, new.account_id)
        if connection.account_token == new.account_token and is_same_account:
            return connection
    return None


def feed_connection_in(item: dict[str, Any]) -> FeedConnection:
    """Xero leaves the status out once a feed connection is active."""
    return FeedConnection(
        id=str(item["id"]),
        account_token=str(item.get("accountToken") or ""),
        account_id=item.get("accountId"),
        account_name=item.get("accountName"),
        active=not item.get("status"),
    )


def is_rejected(item: dict[str, Any]) -> bool:
    return str(item.get("status", "")).upper() == "REJECTED"


def rejection_in(item: dict[str, Any]) -> Problem | None:
    problems = item_problems(item, 400)
    if problems:
        return problems[0]
    return Problem(type=NO_TYPE, title="Rejected", status=400) if is_rejected(item) else None


def _raise_rejection(item: dict[str, Any]) -> None:
    problem = rejection_in(item)
    if problem is not None:
        raise_obstacle(refusal_of(problem))
