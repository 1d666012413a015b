"""Why Codat refuses, where its answer leaves that open: it is asked for the connection, and for the account."""

from __future__ import annotations

from feedlane.codat_upstream.answers import Item, Unreadable, envelope_in, object_in, objects_in
from feedlane.codat_upstream.client import CodatClient
from feedlane.codat_upstream.problems import (
    ACCESS_REFUSED,
    INVALID,
    KEY_REJECTED,
    NOT_FOUND,
    REFUSED,
    refusal_for,
    said_by_codat,
)
from feedlane.codat_upstream.push_json import FeedPlace, connection_path
from feedlane.companies.reconnection import CONNECTION_REMOVED, RECONNECTION_NEEDED
from feedlane.feeds.obstacles import CALL_ERRORS, Obstacle
from feedlane.feeds.upstream import NoAnswer, Refusal, TenantAccess
from feedlane.scope import Scope

LINKED = "Linked"
_NOT_FED = ("pending", "disconnected")


def of_the_key(client: CodatClient, refusal: Refusal) -> Refusal:
    """The refusal of the key itself, if Codat refuses it everywhere: 403 is also what it says to an outdated one."""
    if refusal.problem.type != ACCESS_REFUSED:
        return refusal
    try:
        answer = client.call("", "GET", "/companies", params={"page": "1", "pageSize": "1"})
    except CALL_ERRORS:
        return refusal
    is_refused = answer.status_code in (401, 403) and envelope_in(answer) is not None
    return refusal_for(refusal.problem.but(type=KEY_REJECTED)) if is_refused else refusal


def explained(client: CodatClient, access: TenantAccess, refusal: Refusal, place: FeedPlace) -> Refusal:
    """What a refused push is about. The refusal stays as it is if Codat does not tell more now.

    Findings of Codat's validation may come from a connection that has ended: they are not believed to say so.
    """
    is_open = said_by_codat(refusal.problem) or refusal.problem.type == INVALID
    if not is_open or not place.account_id:
        return refusal
    try:
        return _with_account(client, access, _with_connection(client, access, refusal, place), place)
    except (*CALL_ERRORS, Unreadable):
        return refusal


def explained_conflict(client: CodatClient, access: TenantAccess, answer: NoAnswer, place: FeedPlace) -> Obstacle:
    """What a 409 to a push is about, if the connection or the feed has ended: then repeating it is in vain.

    Otherwise the push is in progress, or will be possible soon. Whether it was taken is in doubt in any case.
    """
    if answer.problem is None:
        return answer
    refusal = refusal_for(answer.problem)
    found = explained(client, access, refusal, place)
    return answer if found == refusal else found.but(in_doubt=True)


def explained_for_mapping(client: CodatClient, access: TenantAccess, refusal: Refusal, place: FeedPlace) -> Refusal:
    """The same for an account that is not mapped yet."""
    if not said_by_codat(refusal.problem):
        return refusal
    try:
        return _with_connection(client, access, refusal, place)
    except (*CALL_ERRORS, Unreadable):
        return refusal


def explained_conflict_for_mapping(
    client: CodatClient, access: TenantAccess, answer: NoAnswer, place: FeedPlace
) -> Obstacle:
    """The same for an account that is not mapped yet."""
    if answer.problem is None:
        return answer
    refusal = refusal_for(answer.problem)
    found = explained_for_mapping(client, access, refusal, place)
    return answer if found == refusal else found


def _with_connection(client: CodatClient, access: TenantAccess, refusal: Refusal, place: FeedPlace) -> Refusal:
    answer = client.call(access.tenant_id, "GET", connection_path(access.tenant_id, place.connection_id))
    if answer.is_success:
        status = object_in(answer).get("status")
        if not isinstance(status, str):
            raise Unreadable
        is_linked = status == LINKED
        if is_linked and refusal.problem.type == NOT_FOUND:
            return refusal_for(refusal.problem.but(type=REFUSED))
        return refusal if is_linked else _connection_ended(refusal)
    is_gone = answer.status_code == 404 and envelope_in(answer) is not None
    return _connection_ended(refusal) if is_gone else refusal


def _connection_ended(refusal: Refusal) -> Refusal:
    """As when Xero has removed a connection: only the customer can restore it."""
    problem = CONNECTION_REMOVED.but(answer=refusal.problem.answer)
    return Refusal(scope=Scope.CONNECTION, reason=RECONNECTION_NEEDED, problem=problem)


def _with_account(client: CodatClient, access: TenantAccess, refusal: Refusal, place: FeedPlace) -> Refusal:
    """If it is not the connection: whether Codat has ended the feed."""
    if refusal.scope is Scope.CONNECTION:
        return refusal
    path = f"{connection_path(access.tenant_id, place.connection_id)}/bankFeedAccounts/mapping"
    answer = client.call(access.tenant_id, "GET", path)
    if not answer.is_success:
        return refusal
    is_ended = _is_ended(objects_in(answer), place.account_id)
    return refusal.but(scope=Scope.FEED, reason="feed-connection-gone") if is_ended else refusal


def _is_ended(mappings: list[Item], account_id: str) -> bool:
    mine = next((item for item in mappings if item.get("sourceAccountId") == account_id), None)
    return mine is None or mine.get("status") in _NOT_FED
