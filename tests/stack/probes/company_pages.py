"""Probes of the portal's pages of companies, feeds and push operations."""

from __future__ import annotations

from typing import Any
from urllib.parse import urlsplit

from feedlane.companies import items as company_items
from feedlane.companies.source_account import AccountMapping
from feedlane.feeds import items as feed_items
from feedlane.feeds import push_operation_items
from feedlane.feeds.push_operation import Door, PushOperation
from feedlane.ids import new_id
from local.instance import Instance
from tests.stack.probes.calling import Failed
from tests.stack.probes.given import Given, given
from tests.stack.probes.pages import operator, token_for


def makes_and_deletes_a_company(instance: Instance) -> None:
    """With a source account, which is disconnected, and a connection, which is deleted; renamed in between."""
    own = given(instance)
    made = _send(own, "/portal/companies/new", name="Probe of a page", tags="probe:never")
    path = urlsplit(made["headers"]["Location"]).path
    company_id = path.rpartition("/")[2]
    try:
        [connection] = company_items.connections(own.store, company_id)
        account = {"id": "probe", "name": "Probe", "type": "checking", "number": "20011234", "currency": "GBP"}
        ends = f"{path}/connections/{connection.id}"
        _send(own, f"{ends}/accounts/new", **account)
        _send(own, f"{path}/edit", name="Probe renamed", tags="")
        added = company_items.source_account(own.store, connection.id, "probe")
        mapping = AccountMapping(feed_connection_id=new_id(), account_token="probe")
        own.store.commit(company_items.put_source_account(added.but(mapping=mapping)))
        _send(own, f"{ends}/accounts/disconnect", account="probe")
        _send(own, f"{ends}/delete")
        _send(own, f"{path}/delete", name="Probe renamed")
    finally:
        if company_items.find_company(own.store, company_id):
            own.api.delete(f"/companies/{company_id}").raise_for_status()


def shows_a_push_while_the_index_is_behind(instance: Instance) -> None:
    """The feed's ledger has a line that no index has: as after a crash between the two."""
    own = given(instance)
    feed = own.feed(own.linked(), lines=1)
    operation = PushOperation(
        key=new_id(), company_id=feed.company_id, connection_id=feed.connection_id, account_id=feed.account_id,
        door=Door.API, requested_on=own.now, transactions=1, lines=1, through=1,
    )  # fmt: skip
    lines = feed_items.read_lines(own.store, feed.id, 1, 1)
    own.add(push_operation_items.put_operation(operation), *push_operation_items.add_pushed_lines(operation, lines))
    path = f"/portal/push-operations/{feed.company_id}/{operation.key}"
    answer = own.functions.page("portal", "GET", path, {"show": "transactions"}, cookies=operator(own))
    if answer["statusCode"] != 200:
        raise Failed(f"a push operation's page: {answer['statusCode']}")


def _send(own: Given, path: str, **fields: str) -> dict[str, Any]:
    """An operator's form, which has to lead on."""
    cookies = operator(own)
    form = fields | {"formToken": token_for(cookies)}
    answer = own.functions.page("portal", "POST", path, form=form, cookies=cookies)
    if answer["statusCode"] != 303:
        raise Failed(f"{path} answers {answer['statusCode']}: {answer['body'][:2000]}")
    return answer
