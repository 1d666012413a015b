"""A platform with very many companies, each with a linked connection, a source account and its feed."""

from __future__ import annotations

from collections import Counter
from datetime import timedelta
from functools import cache

from feedlane.companies import items as company_items
from feedlane.feeds import items as feed_items
from feedlane.ids import derived_id
from feedlane.store import keys
from feedlane.store.blocks import ITEMS_PER_BLOCK
from feedlane.store.store import Store
from feedlane.store.table import Item
from tests import builders
from tests.builders import NOW


def add_companies(store: Store, count: int) -> None:
    """Numbered from 0, in the order of creation. Company 7 is `Bakery 7` with the tag `uid=cust_7`."""
    store.table.put_many(_items(count))


@cache
def _items(count: int) -> tuple[Item, ...]:
    """Cached: ten thousand companies take some seconds."""
    items: list[Item] = []
    for number in range(count):
        connection_id = derived_id("connection", str(number))
        company = builders.company(
            derived_id("company", str(number)),
            name=f"Bakery {number}",
            tags={"uid": f"cust_{number}"},
            created=NOW - timedelta(seconds=count - number),
            connection_ids=(connection_id,),
            block=number // ITEMS_PER_BLOCK,
        )
        tenant = builders.tenant(derived_id("tenant", str(number)))
        connection = builders.linked(connection_id, company_id=company.id, tenant=tenant)
        feed = builders.feed(connection, f"account-{number}")
        writes = (
            company_items.add_company(company),
            company_items.add_connection(connection),
            company_items.add_source_account(builders.mapped_account(feed)),
            feed_items.add_feed(feed),
        )
        items += [write.item for write in writes]
    blocks = Counter(f"b{number // ITEMS_PER_BLOCK}" for number in range(count))
    pk, sk = keys.COMPANY_BLOCKS
    return (*items, {"pk": pk, "sk": sk, **blocks})
