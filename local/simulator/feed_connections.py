"""The FeedConnections endpoints: list, show, create and delete, the last two asynchronous."""

from typing import Any

from local.simulator.answers import Answer
from local.simulator.api_call import ApiCall
from local.simulator.bank_feeds import Refused, bank_feeds_call, read_items
from local.simulator.feed_checks import why_invalid
from local.simulator.organisations import Account, Organisation, new_id
from local.simulator.paging import page_of
from local.simulator.problems import Problem, problem, root
from local.simulator.state import FeedConnection, Simulator


@bank_feeds_call
def list_feed_connections(sim: Simulator, call: ApiCall) -> Answer:
    pagination, shown = page_of(_visible(sim, call), call.query)
    return Answer(200, {"pagination": pagination, "items": [render(sim, one) for one in shown]})


@bank_feeds_call
def show_feed_connection(sim: Simulator, call: ApiCall) -> Answer:
    for one in _visible(sim, call):
        if one.id == call.path_params["id"].lower():
            return Answer(200, render(sim, one))
    return root(problem("bank-feed-not-found"))


@bank_feeds_call
def create_feed_connections(sim: Simulator, call: ApiCall) -> Answer:
    if not call.org.bank_feeds and not call.org.feed_connections_allowed:
        raise Refused(problem("invalid-organisation-bank-feeds"))
    items = read_items(call)
    return _items_answer([_create(sim, call, one) for one in items])


@bank_feeds_call
def delete_feed_connections(sim: Simulator, call: ApiCall) -> Answer:
    items = read_items(call)
    return _items_answer([_delete(sim, call, one) for one in items])


def render(sim: Simulator, feed: FeedConnection) -> dict[str, Any]:
    """An active feed connection has no status at all."""
    now = sim.now()
    content: dict[str, Any] = {
        "id": feed.id,
        "accountToken": feed.account_token,
        "accountType": feed.account_type,
        "accountNumber": feed.account_number,
        "accountName": feed.account_name,
        "accountId": feed.account_id,
        "currency": feed.currency,
        "country": feed.country,
    }
    if feed.is_pending(now) or feed.deleted_from is not None:
        content["status"] = "PENDING"
    elif feed.is_rejected(now):
        content |= {"status": "REJECTED", "error": feed.rejected}
    return content


def _visible(sim: Simulator, call: ApiCall) -> list[FeedConnection]:
    """Only objects of the same app and organisation can be seen."""
    key = (call.client_id, call.org.tenant_id)
    return [
        one
        for one in sim.feed_connections.values()
        if (one.client_id, one.tenant_id) == key and not one.is_deleted(sim.now())
    ]


def _create(sim: Simulator, call: ApiCall, item: dict[str, Any]) -> dict[str, Any]:
    now, known = sim.now(), sim.feed_connections.values()
    live = [one for one in known if not (one.is_deleted(now) or one.is_rejected(now))]
    fault = why_invalid(item, call.org, live, multi_region=sim.app.multi_region)
    if fault is not None:
        return _rejected(item, "accountToken", fault)
    account = _account_for(item, call.org)
    feed = FeedConnection(
        id=new_id(),
        client_id=call.client_id,
        tenant_id=call.org.tenant_id,
        account_token=item["accountToken"],
        account_type=item["accountType"],
        account_id=account.account_id,
        account_number=item.get("accountNumber") or account.number,
        account_name=account.name,
        currency=item["currency"],
        country=item.get("country") or call.org.country,
        active_from=sim.after(sim.timing.feed_connection_seconds),
    )
    sim.feed_connections[feed.id] = feed
    return {"id": feed.id, "accountToken": feed.account_token, "status": "PENDING"}


def _account_for(item: dict[str, Any], organisation: Organisation) -> Account:
    """The account named by id or matched by number; a number that matches none makes a new account."""
    if item.get("accountId"):
        named = organisation.account(item["accountId"].lower())
        assert named is not None, "checked before"
        return named
    number, bank_type = item["accountNumber"], item["accountType"]
    matched = organisation.account_numbered(number, bank_type)
    if matched is not None:
        return matched
    name = item.get("accountName") or f"Bank account {number[-4:]}"
    created = Account(new_id(), name, "", number, item["currency"], bank_type)
    organisation.accounts.append(created)
    return created


def _delete(sim: Simulator, call: ApiCall, item: dict[str, Any]) -> dict[str, Any]:
    feed = sim.feed_connections.get(str(item.get("id", "")).lower())
    if feed is None or feed.client_id != call.client_id or feed.is_deleted(sim.now()):
        return _rejected(item, "id", problem("feed-not-found-or-already-deleted"))
    if feed.tenant_id != call.org.tenant_id:
        fault = problem("feed-connected-in-different-organisation")
        del fault["status"]  # Xero's own sample of this answer has none
        return {"accountToken": feed.account_token, "status": "REJECTED", "error": fault}
    if feed.deleted_from is None:
        feed.deleted_from = sim.after(sim.timing.feed_connection_seconds)
    return {"id": feed.id, "status": "PENDING"}


def _rejected(item: dict[str, Any], name: str, fault: Problem) -> dict[str, Any]:
    return {name: item.get(name), "status": "REJECTED", "error": fault}


def _items_answer(items: list[dict[str, Any]]) -> Answer:
    """202 as soon as one item was taken; 400 when all were rejected, whatever their own status says."""
    return Answer(400 if all(one["status"] == "REJECTED" for one in items) else 202, {"items": items})
