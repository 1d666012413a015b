"""Source accounts at Codat and their mapping, which together are what Xero calls feed connections.

Codat's source account has the platform's own id. So the accounts of a platform that used Codat before are adopted as
they are, and an account that a crash left behind is found again.
"""

from __future__ import annotations

from typing import Any

from feedlane.codat_upstream.answers import Item
from feedlane.codat_upstream.asking import ask, object_of, objects_of, text_in
from feedlane.codat_upstream.client import CodatClient
from feedlane.codat_upstream.connection_state import LINKED
from feedlane.codat_upstream.problems import envelope_problems
from feedlane.codat_upstream.push_json import FeedPlace, connection_path, quoted
from feedlane.companies.source_account import KIND_BY_ACCOUNT_TYPE, SourceAccount
from feedlane.errors import ReconnectionNeeded, Refused
from feedlane.feeds.upstream import FeedConnection, NewFeedConnection, TargetAccount, TenantAccess
from feedlane.ids import account_token

CONNECTED, CONNECTING, PENDING, DISCONNECTED = "connected", "connecting", "pending", "disconnected"
# What the platform gave for Codat's second vocabulary, passed on unchanged.
_PASSED_ON = ("routingInfo", "accountInfo")


def list_all(client: CodatClient, access: TenantAccess) -> list[FeedConnection]:
    """The connection's accounts that are mapped."""
    mapped = [item for item in _mappings(client, access) if _status(item) in (CONNECTED, CONNECTING)]
    return [_feed_connection(access, FeedPlace(access.tenant_connection_id, _id(item)), item) for item in mapped]


def find(client: CodatClient, access: TenantAccess, place: FeedPlace) -> FeedConnection | None:
    """None if the account is not mapped any more.

    A mapping shows as connected only on the next call about it: this one is such a call. Until then it is connecting,
    or pending, which Codat says of a mapping that it has not saved yet, and of none: then the account itself shows
    whether its feed has ended.
    """
    item = _mapping_of(client, access, place)
    if item is None or _status(item) == DISCONNECTED:
        return None
    if _status(item) == PENDING and _has_ended(client, access, place):
        return None
    return _feed_connection(access, place, item)


def create(client: CodatClient, access: TenantAccess, new: NewFeedConnection) -> FeedConnection:
    """Maps the account, which is created at Codat first, or adopted; or returns the mapping that there is."""
    if new.source is None:
        raise ValueError("Codat has to be told of the source account")
    place = FeedPlace(access.tenant_connection_id, new.source.id)
    ensure_account(client, access, new.source)
    there = _mapping_of(client, access, place)
    if there is not None and _status(there) in (CONNECTED, CONNECTING) and _is_wanted(there, new):
        return _feed_connection(access, place, there)
    body = {"sourceAccountId": place.account_id} | ({"targetAccountId": new.account_id} if new.account_id else {})
    made = object_of(ask(client, access, "POST", _mapping_path(access, place), body, place))
    error = made.get("error")
    if error or _status(made) == "failed":
        raise Refused(envelope_problems({"error": error or "Codat did not map the account"} | made, 400)[0])
    return _feed_connection(access, place, {"targetAccountId": new.account_id} | made)


def ensure_account(client: CodatClient, access: TenantAccess, account: SourceAccount) -> None:
    """Creates the source account at Codat, unless it is there. Raises as `create` does.

    Codat asks the customer for the right to bank feeds only if the connection has accounts by then.
    """
    place = FeedPlace(access.tenant_connection_id, account.id)
    if _is_there(client, access, account.id):
        return
    try:
        ask(client, access, "POST", _accounts_path(access, place), _source_account(account), place)
    except Refused:
        # Another call may have created it meanwhile; Codat has several words for that.
        if not _is_there(client, access, account.id):
            raise


def targets(client: CodatClient, access: TenantAccess) -> list[TargetAccount]:
    """The accounts that Codat offers for any of the connection's source accounts.

    Codat filters them by the currency and the kind of each source account, and does not repeat either.
    """
    kinds = {
        text_in(item, "id"): KIND_BY_ACCOUNT_TYPE.get(text_in(item, "accountType")) for item in _list(client, access)
    }
    found: dict[str, TargetAccount] = {}
    for item in _mappings(client, access):
        kind, currency = kinds.get(_id(item)), text_in(item, "sourceCurrency")
        options = item.get("targetAccountOptions")
        for option in options if isinstance(options, list) and kind is not None else ():
            id = text_in(option, "id") if isinstance(option, dict) else ""
            if id and kind is not None:
                name, number = text_in(option, "name"), text_in(option, "accountNumber")
                found[id] = TargetAccount(id=id, name=name, number=number, currency=currency, kind=kind)
    return list(found.values())


def delete(client: CodatClient, access: TenantAccess, place: FeedPlace) -> None:
    """Ends the feed. The source account stays at Codat, to be mapped again. One that is gone already is no error."""
    path = f"{_accounts_path(access, place)}/{quoted(place.account_id)}"
    try:
        ask(client, access, "PATCH", path, {"id": place.account_id, "status": DISCONNECTED}, place)
    except (Refused, ReconnectionNeeded):
        there = find(client, access, place)
        if there is not None and (there.active or there.account_id):
            raise


def disconnect(client: CodatClient, company_id: str, connection_id: str) -> None:
    """Unlinks the connection. One that is not linked, or gone, is no error. Raises `Refused`, `Unavailable`."""
    access, path = TenantAccess(tenant_id=company_id, token_set_id=""), connection_path(company_id, connection_id)
    try:
        ask(client, access, "PATCH", path, {"status": "Unlinked"})
    except Refused:
        if object_of(ask(client, access, "GET", path)).get("status") == LINKED:
            raise
    except ReconnectionNeeded:
        return


def _has_ended(client: CodatClient, access: TenantAccess, place: FeedPlace) -> bool:
    of_place = access.but(tenant_connection_id=place.connection_id)
    account = next((item for item in _list(client, of_place) if text_in(item, "id") == place.account_id), None)
    return account is None or _status(account) == DISCONNECTED


def _is_there(client: CodatClient, access: TenantAccess, account_id: str) -> bool:
    return any(text_in(item, "id") == account_id for item in _list(client, access))


def _list(client: CodatClient, access: TenantAccess) -> list[Item]:
    place = FeedPlace(access.tenant_connection_id, "")
    return objects_of(ask(client, access, "GET", _accounts_path(access, place), place=place))


def _mappings(client: CodatClient, access: TenantAccess, place: FeedPlace | None = None) -> list[Item]:
    place = place or FeedPlace(access.tenant_connection_id, "")
    return objects_of(ask(client, access, "GET", _mapping_path(access, place), place=place))


def _mapping_of(client: CodatClient, access: TenantAccess, place: FeedPlace) -> Item | None:
    return next((item for item in _mappings(client, access, place) if _id(item) == place.account_id), None)


def _feed_connection(access: TenantAccess, place: FeedPlace, item: Item) -> FeedConnection:
    is_refused = bool(item.get("error")) or _status(item) == "failed"
    return FeedConnection(
        id=place.feed_connection_id,
        account_token=account_token(access.connection_id, place.account_id),
        account_id=text_in(item, "targetAccountId") or None,
        account_name=text_in(item, "targetAccountName") or None,
        active=_status(item) == CONNECTED and not is_refused,
        rejection=envelope_problems(item, 400)[0] if is_refused else None,
    )


def _is_wanted(item: Item, new: NewFeedConnection) -> bool:
    return new.account_id is None or text_in(item, "targetAccountId") in ("", new.account_id)


def _source_account(account: SourceAccount) -> dict[str, Any]:
    body: dict[str, Any] = {
        "id": account.id,
        "accountName": account.account_name,
        "accountType": account.account_type,
        "accountNumber": account.account_number,
        "currency": account.currency,
        "balance": account.balance,
    }
    if account.sort_code:
        body["sortCode"] = account.sort_code
    return body | {name: account.given[name] for name in _PASSED_ON if account.given.get(name) is not None}


def _accounts_path(access: TenantAccess, place: FeedPlace) -> str:
    return f"{connection_path(access.tenant_id, place.connection_id)}/connectionInfo/bankFeedAccounts"


def _mapping_path(access: TenantAccess, place: FeedPlace) -> str:
    return f"{connection_path(access.tenant_id, place.connection_id)}/bankFeedAccounts/mapping"


def _status(item: Item) -> str:
    return text_in(item, "status").lower()


def _id(item: Item) -> str:
    return text_in(item, "sourceAccountId")
