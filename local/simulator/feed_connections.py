"""The FeedConnections endpoints: list, show, create and delete. The last two are asynchronous."""

from typing import Any

from local.simulator.answers import Answer
from local.simulator.api_call import ApiCall
from local.simulator.bank_feeds import Refused, bank_feeds_call, read_items, require_guid, require_role
from local.simulator.feed_checks import why_malformed, why_refused
from local.simulator.organisations import Account, Organisation, new_id
from local.simulator.paging import page_of
from local.simulator.problems import Problem, problem, root
from local.simulator.state import FeedConnection, Simulator


@bank_feeds_call
def list_feed_connections(sim: Simulator, call: ApiCall) -> Answer:
    pagination, shown = page_of(visible(sim, call), call.query, sim.behaviour.first_page)
    return Answer(
        sim.behaviour.feed_list_status, {"pagination": pagination, "items": [render(sim, feed) for feed in shown]}
    )


@bank_feeds_call
def show_feed_connection(sim: Simulator, call: ApiCall) -> Answer:
    require_guid(sim, call.path_params["id"], "FeedConnectionId")
    for feed in visible(sim, call):
        if feed.id == call.path_params["id"].lower():
            return Answer(200, render(sim, feed))
    return root(problem("bank-feed-not-found"))


@bank_feeds_call
def create_feed_connections(sim: Simulator, call: ApiCall) -> Answer:
    if sim.behaviour.feed_connections == "checked" and not call.org.takes_feed_connections:
        raise Refused(problem("invalid-organisation-bank-feeds"))
    require_role(call)
    items = read_items(call)
    return _items_answer([_create(sim, call, item) for item in items])


@bank_feeds_call
def delete_feed_connections(sim: Simulator, call: ApiCall) -> Answer:
    require_role(call)
    items = read_items(call)
    return _items_answer([_delete(sim, call, item) for item in items])


def render(sim: Simulator, feed: FeedConnection) -> dict[str, Any]:
    """An active feed connection has no status."""
    now, content = sim.now(), active_content(feed)
    if feed.is_pending(now) or feed.deleted_from is not None:
        content["status"] = "PENDING"
    elif feed.is_rejected(now):
        content |= {"status": "REJECTED", "error": feed.rejected}
    return content


def active_content(feed: FeedConnection) -> dict[str, Any]:
    return {
        "id": feed.id,
        "accountToken": feed.account_token,
        "accountType": feed.account_type,
        "accountNumber": feed.account_number,
        "accountName": feed.account_name,
        "accountId": feed.account_id,
        "currency": feed.currency,
        "country": feed.country,
    }


def visible(sim: Simulator, call: ApiCall, version: int = 1) -> list[FeedConnection]:
    """The feed connections of this app and organisation that this version of the API knows."""
    key = (call.client_id, call.org.tenant_id)
    return [
        feed
        for feed in sim.feed_connections.values()
        if (feed.client_id, feed.tenant_id) == key and not feed.is_deleted(sim.now())
        if feed.version == version or sim.behaviour.feed_versions == "shared"
    ]


def _create(sim: Simulator, call: ApiCall, item: dict[str, Any]) -> dict[str, Any]:
    now, known_feeds = sim.now(), sim.feed_connections.values()
    live = [known_feed for known_feed in known_feeds if not (known_feed.is_deleted(now) or known_feed.is_rejected(now))]
    malformed = why_malformed(item, sim.behaviour)
    if malformed is not None:
        return _rejected(item, "accountToken", malformed)
    fault = why_refused(item, call.org, live, sim.behaviour, multi_region=sim.app.multi_region)
    if fault is not None and sim.behaviour.feed_connections == "checked":
        return _rejected(item, "accountToken", fault)
    if sim.behaviour.feed_connections == "rejectedLater":
        fault = fault or problem("account-not-valid")
    account = _account_for(item, call.org) if fault is None else _rejected_account(item)
    feed = FeedConnection(
        id=sim.new_id(),
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
        rejected=fault,
    )
    sim.feed_connections[feed.id] = feed
    return {"id": feed.id, "accountToken": feed.account_token, "status": "PENDING"}


def _account_for(item: dict[str, Any], organisation: Organisation) -> Account:
    """The account with this id or number. A number without a match creates an account."""
    if item.get("accountId"):
        named = organisation.account(item["accountId"].lower())
        assert named is not None, "checked by why_refused"
        return named
    number, bank_type = item["accountNumber"], item["accountType"]
    matched = organisation.account_numbered(number, bank_type)
    if matched is not None:
        return matched
    name = item.get("accountName") or f"Bank account {number[-4:]}"
    created = Account(new_id(), name, "", number, item["currency"], bank_type)
    organisation.accounts.append(created)
    return created


def _rejected_account(item: dict[str, Any]) -> Account:
    """What was asked for: a feed connection that is rejected later creates no account."""
    account_id = (item.get("accountId") or "").lower()
    return Account(account_id, item.get("accountName") or "", "", item.get("accountNumber") or "", item["currency"])


def _delete(sim: Simulator, call: ApiCall, item: dict[str, Any]) -> dict[str, Any]:
    feed = sim.feed_connections.get(str(item.get("id", "")).lower())
    if feed is None or feed.client_id != call.client_id or feed.is_deleted(sim.now()):
        return _rejected(item, "id", problem("feed-not-found-or-already-deleted"))
    if feed.version != 1 and sim.behaviour.feed_versions == "apart":
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
    """202 if an item was accepted; 400 if all were rejected, whatever their own statuses."""
    return Answer(400 if all(item["status"] == "REJECTED" for item in items) else 202, {"items": items})
