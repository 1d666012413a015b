"""Calls to Codat that a person waits for: a success, or an error of the domain."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import httpx

from feedlane.codat_upstream import connection_state
from feedlane.codat_upstream.answers import Item, Unreadable, object_in, objects_in
from feedlane.codat_upstream.client import CodatClient
from feedlane.codat_upstream.outcomes import Conflict, obstacle_in, obstacle_of, raise_obstacle
from feedlane.codat_upstream.problems import refusal_for
from feedlane.codat_upstream.push_json import FeedPlace
from feedlane.errors import LimitReached, Unavailable
from feedlane.feeds.obstacles import CALL_ERRORS
from feedlane.feeds.upstream import Refusal, TenantAccess
from feedlane.money import dumps


def ask(
    client: CodatClient,
    access: TenantAccess,
    method: str,
    path: str,
    body: Mapping[str, Any] | None = None,
    place: FeedPlace | None = None,
    params: Mapping[str, str] | None = None,
) -> httpx.Response:
    """A successful answer only. Raises `Refused`, `ReconnectionNeeded`, `Unavailable`, also `LimitReached`."""
    content = None if body is None else dumps(body).encode("utf-8", "replace")
    try:
        answer = client.call(access.tenant_id, method, path, params=params, content=content)
    except LimitReached:
        raise  # ours: whoever waits is told so, and when to come again
    except CALL_ERRORS as error:
        raise_obstacle(obstacle_of(error))
    obstacle = obstacle_in(answer, client.now(), writes=body is not None)
    if isinstance(obstacle, Refusal) and place is not None:
        obstacle = connection_state.explained_for_mapping(client, access, obstacle, place)
    elif isinstance(obstacle, Conflict) and place is not None:
        unclear = refusal_for(obstacle.problem)
        told = connection_state.explained_for_mapping(client, access, unclear, place)
        obstacle = obstacle if told == unclear else told
    if obstacle is not None:
        raise_obstacle(obstacle)
    return answer


def object_of(answer: httpx.Response) -> Item:
    try:
        return object_in(answer)
    except Unreadable:
        raise _unreadable() from None


def objects_of(answer: httpx.Response) -> list[Item]:
    try:
        return objects_in(answer)
    except Unreadable:
        raise _unreadable() from None


def _unreadable() -> Unavailable:
    return Unavailable("Codat's answer could not be read")


def text_in(item: Item, name: str) -> str:
    value = item.get(name)
    return value if isinstance(value, str) else ""
