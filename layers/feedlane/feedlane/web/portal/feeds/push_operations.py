"""The push operations of a company, and those of a feed on its page: the latest first."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any
from urllib.parse import quote

from feedlane.companies import items as company_items
from feedlane.companies.source_account import SourceAccount
from feedlane.feeds import push_operation_items
from feedlane.feeds.push_operation import Door, PushOperation, PushStatus
from feedlane.ids import feed_id
from feedlane.store import keys
from feedlane.store.records import record_in
from feedlane.store.store import Store
from feedlane.store.table import Item
from feedlane.web.portal.listing import ListQuery, Page, list_query, read_page
from feedlane.web.portal.session import portal_page, require_operator
from feedlane.web.portal.states import State, Tone
from feedlane.web.request import Request
from feedlane.web.response import Response
from feedlane.web.site import Site

DOORS = (
    State(Door.API, "API", Tone.PLAIN),
    State(Door.QUEUE, "queue", Tone.PLAIN),
    State(Door.RELEASE, "release of a hold", Tone.PLAIN),
)
STATUSES = (
    State(PushStatus.PENDING, "pending", Tone.WARN),
    State(PushStatus.SUCCESS, "delivered", Tone.GOOD),
    State(PushStatus.FAILED, "failed", Tone.BAD),
    State(PushStatus.TIMED_OUT, "timed out", Tone.BAD),
)
DOOR_WORDS = {door.name: door.words for door in DOORS}
_STATUS_STATES = {status.name: status for status in STATUSES}
_FILTERS = ("account", "door", "status")


@dataclass(frozen=True)
class PushRow:
    operation: PushOperation
    account: SourceAccount | None

    @property
    def state(self) -> State:
        return status_state(self.operation)

    @property
    def door(self) -> str:
        return DOOR_WORDS[self.operation.door]

    @property
    def path(self) -> str:
        return push_path(self.operation.company_id, self.operation.key)


def status_state(operation: PushOperation) -> State:
    return _STATUS_STATES[operation.status]


def push_path(company_id: str, key: str) -> str:
    return f"/portal/push-operations/{quote(company_id, safe='')}/{quote(key, safe='')}"


def show(site: Site, request: Request, company_id: str) -> Response:
    operator = require_operator(site, request)
    company = company_items.company(site.store, company_id)
    query = list_query(request, *_FILTERS)
    return portal_page(
        site,
        operator,
        "feeds/push_operations",
        title="Push operations",
        section="companies",
        company=company,
        page=_page(site.store, query, company_id),
        doors=DOORS,
        statuses=STATUSES,
    )


def of_feed(store: Store, request: Request, account: SourceAccount) -> dict[str, Any]:
    """What the page of a feed shows of them."""
    query = list_query(request, "show", "door", "status")
    return {"page": _page(store, query, account.company_id, account), "doors": DOORS, "statuses": STATUSES}


def newest(store: Store, company_id: str, limit: int) -> list[PushRow]:
    return _with_accounts(store, list(push_operation_items.operations_of_company(store, company_id, limit)))


def _page(store: Store, query: ListQuery, company_id: str, account: SourceAccount | None = None) -> Page[PushRow]:
    def is_wanted(row: PushRow) -> bool:
        operation = row.operation
        is_of = operation.feed_id == wanted_feed if account is not None else _names(row, query["account"])
        return is_of and query["door"] in ("", operation.door) and query["status"] in ("", operation.status)

    wanted_feed = feed_id(account.connection_id, account.id) if account is not None else ""

    return read_page(
        store,
        query,
        keys.pushes(company_id),
        lambda items: _rows(store, items),
        is_wanted if account is not None or query.is_filtered else None,
        newest_first=True,
    )


def _names(row: PushRow, text: str) -> bool:
    """Whether the account has the text in its id or its name."""
    names = (row.operation.account_id, row.account.account_name if row.account else "")
    return any(text.casefold() in name.casefold() for name in names)


def _rows(store: Store, items: list[Item]) -> list[PushRow]:
    return _with_accounts(store, [PushOperation.model_validate(item) for item in items])


def _with_accounts(store: Store, operations: list[PushOperation]) -> list[PushRow]:
    account_keys = [keys.source_account(one.connection_id, one.account_id) for one in operations]
    found = store.table.get_many(dict.fromkeys(account_keys))
    pairs = zip(operations, account_keys, strict=True)
    return [PushRow(operation, record_in(SourceAccount, found.get(key))) for operation, key in pairs]
