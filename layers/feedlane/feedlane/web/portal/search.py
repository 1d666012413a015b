"""The search box: a name or an id leads straight to its page, after a bounded number of reads."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from itertools import chain, islice
from urllib.parse import urlencode

from feedlane.companies.company import Company
from feedlane.companies.connection import Connection
from feedlane.companies.source_account import SourceAccount
from feedlane.doors import SEGMENT_BYTES_MAX
from feedlane.feeds.push_operation import PushOperation
from feedlane.store import keys
from feedlane.store.records import record_in
from feedlane.store.store import Store
from feedlane.store.table import Index, Item
from feedlane.web.filters import last_four, short_day
from feedlane.web.portal.connection_words import name_of
from feedlane.web.portal.feeds.feeds import feed_path
from feedlane.web.portal.feeds.push_operations import push_path
from feedlane.web.portal.session import portal_page, require_operator
from feedlane.web.portal.webhooks.webhook import delivery_path
from feedlane.web.request import Request
from feedlane.web.response import Response, see_other
from feedlane.web.site import Site
from feedlane.webhooks import items as webhook_items
from feedlane.webhooks.consumer import Consumer

# Names are in no index: they are looked for in so many companies, the newest, and in so many connections and accounts.
NAMES_READ_MAX = 1_000
HITS_MAX = 25
# Fewer of a number's last digits would find a tenth of all accounts.
DIGITS_MIN = 4


@dataclass(frozen=True)
class Hit:
    """`kind` says what it is, `name` which one; `more` tells it from others of the same name."""

    kind: str
    name: str
    path: str
    more: str = ""
    company_id: str = ""


def show(site: Site, request: Request) -> Response:
    operator = require_operator(site, request)
    text = request.query.get("q", "").strip()
    hits = list(islice(find(site.store, text), HITS_MAX)) if text else []
    if len(hits) == 1:
        return see_other(request.url(hits[0].path))
    return portal_page(
        site,
        operator,
        "search",
        title="Search",
        q=text,
        hits=hits,
        companies=_names_of_companies(site.store, hits),
        names_read=NAMES_READ_MAX,
    )


def _names_of_companies(store: Store, hits: Sequence[Hit]) -> dict[str, str]:
    """By their ids, from one read."""
    found = store.table.get_many(keys.company(id) for id in dict.fromkeys(hit.company_id for hit in hits) if id)
    return {company.id: company.name for company in map(Company.model_validate, found.values())}


def find(store: Store, text: str) -> Iterator[Hit]:
    """What has this id. If nothing has, what has the text in its name."""
    # A longer text is no key that DynamoDB takes.
    by_id = list(_by_id(store, text)) if len(text.encode()) <= SEGMENT_BYTES_MAX else []
    return iter(by_id) if by_id else _by_name(store, text.casefold())


def _by_id(store: Store, text: str) -> Iterator[Hit]:
    found = store.table.get_many([keys.company(text), keys.consumer(text)])
    if company := record_in(Company, found.get(keys.company(text))):
        yield _company_hit(company)
    if consumer := record_in(Consumer, found.get(keys.consumer(text))):
        yield Hit("Webhook", consumer.url, f"/portal/webhooks/{consumer.id}")
    for item in store.table.query(keys.CONNECTIONS, start=text, end=text, index=Index.LISTS):
        yield _connection_hit(Connection.model_validate(item))
    for item in store.table.query(keys.HOLDS, start=text, end=text, index=Index.LISTS):
        yield Hit("Hold", str(item["problem"]["title"]), f"/portal/holds?{urlencode({'q': text})}")
    for item in store.table.query(keys.ACCOUNTS, start=text, end=text, index=Index.LISTS):
        yield _account_hit(SourceAccount.model_validate(item))
    yield from _events(store, text)
    yield from _push_operations(store, text)


def _events(store: Store, event_id: str) -> Iterator[Hit]:
    """An event, at each consumer that it is delivered to."""
    consumers = {keys.delivery(one.id, event_id): one for one in webhook_items.consumers(store)}
    for key in store.table.get_many(consumers):
        consumer = consumers[key]
        yield Hit("Event, sent to", consumer.url, delivery_path(consumer.id, event_id))


def _push_operations(store: Store, key: str) -> Iterator[Hit]:
    """An operation is stored with its company, so it is looked for in each of them."""
    companies = (company.id for company in _companies(store))
    found = store.table.get_many(keys.push_operation(company_id, key) for company_id in companies)
    for item in found.values():
        operation = PushOperation.model_validate(item)
        yield Hit("Push operation", operation.key, push_path(operation.company_id, operation.key))


def _by_name(store: Store, wanted: str) -> Iterator[Hit]:
    """Lists that are not needed any more, because there are hits enough, are not read."""
    connections = map(Connection.model_validate, _first(store, keys.CONNECTIONS))
    accounts = map(SourceAccount.model_validate, _first(store, keys.ACCOUNTS))
    return chain(
        (_company_hit(company) for company in _companies(store) if wanted in company.name.casefold()),
        (_connection_hit(connection) for connection in connections if _has_tenant(connection, wanted)),
        (_account_hit(account) for account in accounts if _has_text(account, wanted)),
    )


def _first(store: Store, partition: str) -> Iterator[Item]:
    yield from store.table.query(partition, limit=NAMES_READ_MAX, index=Index.LISTS)


def _has_tenant(connection: Connection, wanted: str) -> bool:
    """Whether its organisation has the text in its name, or as its id."""
    tenant = connection.tenant
    return tenant is not None and (wanted in tenant.name.casefold() or wanted == tenant.id.casefold())


def _has_text(account: SourceAccount, wanted: str) -> bool:
    """Whether the text is its id or in its name, or its number ends in it: people know the last four digits."""
    is_number = len(wanted) >= DIGITS_MIN and account.account_number.casefold().endswith(wanted)
    return is_number or wanted == account.id.casefold() or wanted in account.account_name.casefold()


def _companies(store: Store) -> Iterator[Company]:
    """The newest ones."""
    items = store.table.query(keys.COMPANIES, reverse=True, limit=NAMES_READ_MAX, index=Index.LISTS)
    return map(Company.model_validate, items)


def _company_hit(company: Company) -> Hit:
    tags = " ".join(f"{name}:{value}" for name, value in company.tags.items())
    created = f"created {short_day(company.created)}"
    return Hit("Company", company.name, f"/portal/companies/{company.id}", f"{created} · {tags}" if tags else created)


def _connection_hit(connection: Connection) -> Hit:
    path = f"/portal/companies/{connection.company_id}#connection-{connection.id}"
    created = f"created {short_day(connection.created)}"
    return Hit("Connection", name_of(connection), path, created, connection.company_id)


def _account_hit(account: SourceAccount) -> Hit:
    path = feed_path(account.connection_id, account.id)
    number = f"{last_four(account.account_number)} · {account.currency}"
    return Hit("Feed", account.account_name or account.id, path, number, account.company_id)
