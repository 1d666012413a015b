"""The FeedConnections endpoints of 2.0. Each item is done at once and has its own outcome; nothing is matched."""

from functools import wraps
from typing import Any

from local.simulator.answers import JSON, Answer
from local.simulator.api_call import ApiCall
from local.simulator.bank_feeds import Endpoint, Refused, bank_feeds_call, read_items, require_role
from local.simulator.feed_checks import why_malformed_2, why_refused
from local.simulator.feed_connections import active_content, visible
from local.simulator.organisations import Account, Organisation, new_id
from local.simulator.paging import page_of
from local.simulator.problems import Problem, gateway, problem, root
from local.simulator.state import FeedConnection, Simulator

ITEMS_MAX = 50
DEFAULT_PAGE_SIZE = 10
ZEROS = "00000000-0000-0000-0000-000000000000"
GONE = "This Feed Connection either never existed, or has already been deleted."


def feed_connections_call(endpoint: Endpoint) -> Endpoint:
    """An endpoint for apps with feed connections 2.0. A body must say that it is JSON."""

    @bank_feeds_call
    @wraps(endpoint)
    def answer(sim: Simulator, call: ApiCall) -> Answer:
        if not sim.app.feed_connections_2_enabled:
            raise Refused(problem("invalid-application"))
        media_type = call.headers.get("content-type", "").partition(";")[0].strip().lower()
        if call.method == "POST" and media_type != JSON:
            return gateway(415, "UnsupportedMediaType")
        return endpoint(sim, call)

    return answer


@feed_connections_call
def list_feed_connections(sim: Simulator, call: ApiCall) -> Answer:
    pagination, shown = page_of(_active(sim, call), call.query, default_size=DEFAULT_PAGE_SIZE)
    return Answer(200, {"pagination": pagination, "items": [active_content(feed) for feed in shown]})


@feed_connections_call
def show_feed_connection(sim: Simulator, call: ApiCall) -> Answer:
    """404 for whatever is no id of one that the app may see: nobody can find out what another app has."""
    for feed in _active(sim, call):
        if feed.id == call.path_params["id"].lower():
            return Answer(200, active_content(feed))
    return root(problem("bank-feed-not-found", "The bank feed was not found."))


@feed_connections_call
def connect_existing_accounts(sim: Simulator, call: ApiCall) -> Answer:
    return _create_all(sim, call, is_new_account=False)


@feed_connections_call
def connect_new_accounts(sim: Simulator, call: ApiCall) -> Answer:
    return _create_all(sim, call, is_new_account=True)


@feed_connections_call
def delete_feed_connections(sim: Simulator, call: ApiCall) -> Answer:
    require_role(call)
    items = _read(call)
    ids = [item["id"] for item in items if item.get("id")]
    if len({str(id).lower() for id in ids}) < len(ids):
        raise Refused(
            problem("invalid-request", "Multiple requests to delete a single feed connection exist in the request.")
        )
    return _envelope([_delete(sim, call, item) for item in items])


def _create_all(sim: Simulator, call: ApiCall, *, is_new_account: bool) -> Answer:
    if not call.org.takes_feed_connections:
        raise Refused(problem("invalid-organisation-bank-feeds"))
    require_role(call)
    return _envelope([_create(sim, call, item, is_new_account) for item in _read(call)])


def _read(call: ApiCall) -> list[dict[str, Any]]:
    items = read_items(call)
    if len(items) > ITEMS_MAX:
        raise Refused(problem("invalid-request", f"Exceeded limit of {ITEMS_MAX} items per request."))
    return items


def _active(sim: Simulator, call: ApiCall) -> list[FeedConnection]:
    """Those that 1.0 is still setting up, or has rejected, are not there."""
    return [feed for feed in visible(sim, call, version=2) if feed.is_active(sim.now())]


def _create(sim: Simulator, call: ApiCall, item: dict[str, Any], is_new_account: bool) -> dict[str, Any]:
    now, organisation = sim.now(), call.org
    live = [feed for feed in sim.feed_connections.values() if not (feed.is_deleted(now) or feed.is_rejected(now))]
    given = {name: value for name, value in item.items() if not (name == "accountId" and value == ZEROS)}
    # Without a number, nothing is matched: a new account is new, and an existing one is named by its id.
    unmatched = given | {"accountNumber": ""}
    fault = (
        why_malformed_2(item if is_new_account else given, sim.behaviour, is_new_account=is_new_account)
        or why_refused(unmatched, organisation, live, sim.behaviour, multi_region=sim.app.multi_region)
        or _account_fault(given, organisation, is_new_account)
    )
    if fault is not None:
        return _outcome("REJECTED", fault, accountToken=item.get("accountToken"))
    if call.partly == "nothing":
        return _not_replaced(sim, given)
    account = _new_account(given, organisation) if is_new_account else organisation.account(given["accountId"].lower())
    assert account is not None, "checked by why_refused"
    if is_new_account and call.partly:
        return _not_connected(sim, given, account)
    feed = FeedConnection(
        id=sim.new_id(),
        client_id=call.client_id,
        tenant_id=organisation.tenant_id,
        account_token=given["accountToken"],
        account_type=given["accountType"],
        account_id=account.account_id,
        account_number=account.number,
        account_name=account.name,
        currency=given["currency"],
        country=given.get("country") or organisation.country,
        active_from=now,
        version=2,
    )
    sim.feed_connections[feed.id] = feed
    if call.partly:
        return _not_recorded(sim, feed)
    return {"id": feed.id, "accountToken": feed.account_token, "status": "SUCCESS", "statusCode": 201}


def _account_fault(item: dict[str, Any], organisation: Organisation, is_new_account: bool) -> Problem | None:
    if not is_new_account:
        account = organisation.account(item["accountId"].lower())
        is_other_currency = account is not None and account.currency != item["currency"]
        return problem("account-not-valid") if is_other_currency else None
    name = item["accountName"]
    if name.casefold() not in {account.name.casefold() for account in organisation.accounts if not account.deleted}:
        return None
    detail = f"An account named '{name}' already exists in this organisation. Specify a different AccountName."
    return problem("account-name-already-exists", detail)


def _new_account(item: dict[str, Any], organisation: Organisation) -> Account:
    name, number = item["accountName"], item["accountNumber"]
    account = Account(new_id(), name, "", number, item["currency"], item["accountType"])
    organisation.accounts.append(account)
    return account


def _delete(sim: Simulator, call: ApiCall, item: dict[str, Any]) -> dict[str, Any]:
    id = str(item.get("id") or ZEROS).lower()
    if id == ZEROS:
        detail = (
            "The request did not include the mandatory 'Id' field. It must be the GUID of an existing feed connection."
        )
        return _outcome("REJECTED", problem("missing-identifying-fields", detail))
    feed = next((feed for feed in visible(sim, call, version=2) if feed.id == id), None)
    if feed is None:
        title = "Feed Connection not found or already deleted"
        nothing = problem("feed-not-found-or-already-deleted", GONE, title=title, status=204)
        return _outcome("SUCCESS", nothing, id=item["id"])
    feed.deleted_from = sim.now()
    if call.partly:
        detail = f"Deletion of feed connection '{feed.id}' could not be confirmed. Resend the same DeleteRequests item."
        return _partial(sim, "delete-can-be-reattempted", "Feed Connection Only Partially Deleted", detail, id=feed.id)
    return {"id": feed.id, "status": "SUCCESS", "statusCode": 204}


def _not_connected(sim: Simulator, item: dict[str, Any], account: Account) -> dict[str, Any]:
    detail = (
        "The account creation was successful, the feed connection failed. Use accountId "
        f"'{account.account_id}' with POST v2/FeedConnections/ExistingAccount to connect it. Do not retry this item "
        f"unchanged: the AccountName '{account.name}' is already taken and an identical retry will be refused."
    )
    title = "Account Created But Not Connected"
    return _partial(sim, "account-created-but-not-connected", title, detail, accountToken=item["accountToken"])


def _not_replaced(sim: Simulator, item: dict[str, Any]) -> dict[str, Any]:
    title = "Migration Incomplete, Replacement Not Created"
    detail = "The account migration is only partially complete. Reattempt the create operation."
    return _partial(sim, "migration-can-be-reattempted", title, detail, accountToken=item["accountToken"])


def _not_recorded(sim: Simulator, feed: FeedConnection) -> dict[str, Any]:
    title, detail = "Connection Created But Not Recorded", "The feed connection was created, but not recorded."
    return _partial(sim, "connection-created-but-not-recorded", title, detail, accountToken=feed.account_token)


def _partial(sim: Simulator, kind: str, title: str, detail: str, **identity: Any) -> dict[str, Any]:
    name = f"partial-failure-{kind}" if sim.behaviour.partial_failures == "prefixed" else f"{kind}-incomplete"
    return _outcome("PARTIAL_FAILURE", problem(name, detail, title=title, status=500), **identity)


def _outcome(status: str, fault: Problem, **identity: Any) -> dict[str, Any]:
    known = {name: value for name, value in identity.items() if value is not None}
    return {**known, "status": status, "statusCode": fault["status"], "error": fault}


def _envelope(items: list[dict[str, Any]]) -> Answer:
    """200 if every item is 2xx, 400 if every item is 4xx, otherwise 207."""
    classes = {item["statusCode"] // 100 for item in items}
    return Answer(200 if classes == {2} else 400 if classes == {4} else 207, {"items": items})
