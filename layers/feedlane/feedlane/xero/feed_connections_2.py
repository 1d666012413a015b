"""Feed connections at Xero by API 2.0: created and deleted at once, each item with its own outcome.

There is no Idempotency-Key. Whoever has no answer looks for the feed connection by its account token first.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

from feedlane.companies.source_account import AccountKind
from feedlane.errors import Refused
from feedlane.feeds.refusals import FEED_CONNECTION_GONE_TYPES, NOT_ENABLED_FOR_2, refusal_of
from feedlane.feeds.upstream import Failed, FeedConnection, NewFeedConnection, TenantAccess
from feedlane.money import dumps
from feedlane.problem import Problem
from feedlane.xero.accounting import Accounting
from feedlane.xero.api import XeroApi, object_in, objects_in, only_item, unreadable
from feedlane.xero.feed_connections import (
    PAGES_MAX,
    account_number,
    feed_connection_in,
    is_rejected,
    made,
    rejection_in,
    request_item,
)
from feedlane.xero.outcomes import raise_obstacle

FEED_CONNECTIONS_2_PATH = "/bankfeeds.xro/2.0/FeedConnections"
# Xero states no maximum, and shows at most so many in its specification.
PAGE_SIZE = 1000
_ACCOUNT_IN_DETAIL = re.compile(r"accountId\W{1,3}([0-9a-f]{8}(?:-[0-9a-f]{4}){3}-[0-9a-f]{12})", re.IGNORECASE)


class PartlyMade(Exception):
    """Xero did not complete the creation, and something of it survives: perhaps the account that it had to make."""

    def __init__(self, problem: Problem, account_id: str | None) -> None:
        super().__init__(problem.type)
        self.problem = problem
        self.account_id = account_id


def list_all(api: XeroApi, access: TenantAccess) -> list[FeedConnection]:
    """All of this app's feed connections in the organisation, page by page until one brings nothing new.

    Except rejected ones, as by API 1.0: it may be one of those that this version lists too.
    """
    found: dict[str, dict[str, Any]] = {}
    for page in range(1, PAGES_MAX + 1):
        params = {"page": str(page), "pageSize": str(PAGE_SIZE)}
        with _of_this_version():
            items = objects_in(api.fetch(access, FEED_CONNECTIONS_2_PATH, params), "items")
        fresh = {str(item["id"]): item for item in items if item.get("id")}
        if fresh.keys() <= found.keys():
            return [feed_connection_in(item) for item in found.values() if not is_rejected(item)]
        found = fresh | found
    raise unreadable()


def find(api: XeroApi, access: TenantAccess, feed_connection_id: str) -> FeedConnection | None:
    """None if there is none here."""
    try:
        with _of_this_version():
            item = only_item(api.fetch(access, f"{FEED_CONNECTIONS_2_PATH}/{feed_connection_id}"))
    except Refused as refused:
        if refused.problem.type in FEED_CONNECTION_GONE_TYPES or refused.problem.status == 404:
            return None
        raise
    if not item.get("id"):
        raise unreadable()
    return feed_connection_in(item)


def create(api: XeroApi, access: TenantAccess, new: NewFeedConnection) -> FeedConnection:
    """Connects an account, once: the one that is named, or that has the number, or else a new one.

    Xero itself no longer looks for the number. So a repeat would make a second account where the first answer was lost
    between the account and its feed. Raises `PartlyMade`, and `Refused`, also if it is there already.
    """
    if new.account_id is None:
        new = new.but(account_id=_account_with_number(api, access, new))
    kind = "NewAccount" if new.account_id is None else "ExistingAccount"
    with _of_this_version():
        item = _post(api, access, kind, request_item(new))
        _raise_outcome(item)
    # Of a new account, only the feed connection itself tells the id: it is read before the account is connected.
    return made(item, new)


def delete(api: XeroApi, access: TenantAccess, feed_connection_id: str) -> bool:
    """Deletes it. False if Xero does not know it here. One that is deleted in part is asked for again by a repeat."""
    try:
        with _of_this_version():
            item = _post(api, access, "DeleteRequests", {"id": feed_connection_id})
            problem = rejection_in(item)
            if problem is not None and problem.type in FEED_CONNECTION_GONE_TYPES:
                return False
            if str(item.get("status", "")).upper() != "SUCCESS":
                _raise_outcome(item)
                raise unreadable()
    except Refused as refused:
        if refused.problem.type not in FEED_CONNECTION_GONE_TYPES:
            raise
        return False
    except PartlyMade as partly:
        raise_obstacle(Failed(problem=partly.problem))
    return True


def _post(api: XeroApi, access: TenantAccess, kind: str, item: dict[str, Any]) -> dict[str, Any]:
    body = dumps({"items": [item]}).encode()
    return only_item(object_in(api.ask(access, "POST", f"{FEED_CONNECTIONS_2_PATH}/{kind}", content=body)))


def _raise_outcome(item: dict[str, Any]) -> None:
    """Raises unless the item says that it was done. Decided by its status: Xero still renames the types."""
    status, problem = str(item.get("status", "")).upper(), rejection_in(item)
    if status == "SUCCESS" or (not status and problem is None):
        return
    problem = problem or Problem(type="about:blank", title=status.capitalize() or "Failed", status=_code_in(item))
    if status == "REJECTED" and problem.status < 500:
        raise_obstacle(refusal_of(problem))
    named = _ACCOUNT_IN_DETAIL.search(problem.detail)
    raise PartlyMade(problem, named.group(1) if named else None)


def _code_in(item: dict[str, Any]) -> int:
    code = item.get("statusCode")
    return code if isinstance(code, int) and 400 <= code < 600 else 500


def _account_with_number(api: XeroApi, access: TenantAccess, new: NewFeedConnection) -> str | None:
    """The active account of this kind, currency and number, as API 1.0 looks for it. None if there is not exactly one.

    The last four digits say too little about a card: it must also have the name.
    """
    number, name = account_number(new), request_item(new)["accountName"]
    fitting = [
        target
        for target in Accounting(api).bank_accounts(access)
        if (target.kind, target.currency) == (new.kind, new.currency)
        if _comparable(target.number, new.kind) == _comparable(number, new.kind)
    ]
    named = [target for target in fitting if target.name == name]
    if named or new.kind is AccountKind.CREDIT_CARD:
        fitting = named
    return fitting[0].id if len(fitting) == 1 else None


def _comparable(number: str, kind: AccountKind) -> str:
    """Without the dashes and spaces between the parts of a number, in which it is shown in many ways."""
    bare = re.sub(r"[\s-]", "", number).casefold()
    return bare[-4:] if kind is AccountKind.CREDIT_CARD else bare


@contextmanager
def _of_this_version() -> Iterator[None]:
    """That the app may not use this API says nothing about statements, for which it uses 1.0."""
    try:
        yield
    except Refused as refused:
        if refused.problem.type != "invalid-application":
            raise
        raise Refused(refused.problem.but(type=NOT_ENABLED_FOR_2)) from None
