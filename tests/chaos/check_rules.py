"""Checks the rules over all feeds: frozen bytes, tokens, secrets."""

from __future__ import annotations

from itertools import pairwise

from feedlane.ids import fingerprint
from feedlane.statements import items as statement_items
from feedlane.statements.statement import StatementRecord
from feedlane.vault.leases import LEASE_DURATION
from local.simulator.state import DEFAULT_CLIENT_SECRET
from tests.chaos.world import World
from tests.chaos.xero import STATEMENTS, Call


def chains(world: World) -> list[str]:
    """Lambda stopped no chain of messages: the dead letter would stay until somebody puts it back."""
    return [
        f"chains: Lambda stopped {len(queue.stopped)} chains of messages at {name}, in loops that are too long"
        for name, queue in world.queues.items()
        if queue.stopped
    ]


def receives(world: World) -> list[str]:
    """No outage makes a dead letter, and no message waits so long that its queue drops it."""
    return [
        f"nothing lost: {name} gave up {len(messages)} messages, because {why}"
        for name, queue in world.queues.items()
        for messages, why in ((queue.exhausted, "they were received too often"), (queue.expired, "they were too old"))
        if messages
    ]


def frozen(world: World) -> list[str]:
    """4. Every posted statement was stored before, and all its posts have the same bytes."""
    posts = [call for call in world.transport.calls if call.path == STATEMENTS and call.method == "POST"]
    violations = ["frozen: a statement was posted that was not stored"] if not all(p.was_stored for p in posts) else []
    bodies_of: dict[str, set[bytes]] = {}
    known = _statements_by_key(world)
    for post in posts:
        statement = known.get(post.key)
        if statement is None:
            violations.append("frozen: a statement was posted under an unknown key")
            continue
        bodies_of.setdefault(f"{statement.feed_id}#{statement.number}", set()).add(post.body)
        if post.body != statement_items.statement_request(world.store, statement):
            violations.append(f"frozen: statement {statement.number} was posted with other bytes than were stored")
    violations += [
        f"frozen: {name} was posted as {len(bodies)} different bodies"
        for name, bodies in bodies_of.items()
        if len(bodies) > 1
    ]
    return violations[:3]


def days(world: World) -> list[str]:
    """1. No statement is cut before its last day has begun at the organisation."""
    return [f"order: a statement of {day} was stored before that day" for day in world.table.early[:3]]


def _statements_by_key(world: World) -> dict[str, StatementRecord]:
    known = {}
    for key, item in world.table.items.items():
        if key[1].startswith("STATEMENT#") and "#BODY#" not in key[1]:
            statement = StatementRecord.model_validate(item)
            for turn in range(statement.key_turn + 3):
                known[fingerprint(f"{statement.feed_id}#{statement.number}#{turn}")] = statement
    return known


def tokens(world: World) -> list[str]:
    """6. A token is stored before it is used, and refreshes of a token set do not overlap."""
    violations, stored = [], "\n".join(world.secrets.texts)
    used = {call.token for call in world.transport.calls if call.path != "/connect/token"}
    if any(token and token not in stored for token in used):
        violations.append("tokens: a token was used that was not stored")
    return violations + _refreshes(world)


def _refreshes(world: World) -> list[str]:
    by_user: dict[str, list[Call]] = {}
    for call in world.transport.calls:
        if call.path == "/connect/token" and b"grant_type=refresh_token" in call.body:
            token = world.sim.refresh_tokens.get(_field(call.body, "refresh_token"))
            if token is None:
                return ["tokens: a refresh token was sent that Xero never issued"]
            by_user.setdefault(token.grant.user.user_id, []).append(call)
    for user_id, calls in by_user.items():
        for before, after in pairwise(calls):
            overlaps = before.ended and after.at < before.ended and after.task is not before.task
            if overlaps and not _lost_its_lease(world, user_id, before, after):
                return ["tokens: two refreshes of one token set overlap"]
    return []


def _lost_its_lease(world: World, user_id: str, before: Call, after: Call) -> bool:
    """Whether a consent may have taken the lease from the refresh: the next need not wait then."""
    return any(
        user == user_id and began <= after.at and stored >= before.at - LEASE_DURATION
        for user, began, stored in world.consents
    )


def _field(body: bytes, name: str) -> str:
    return dict(part.split("=", 1) for part in body.decode().split("&"))[name]


def secrets(world: World) -> list[str]:
    """7. No item, message, event or log record has a client secret or a token."""
    canaries = {DEFAULT_CLIENT_SECRET, *world.sim.refresh_tokens, *world.sim.access_tokens}
    places = {
        "an item": "\n".join(map(repr, world.table.written)),
        "a message": "\n".join(message.body for queue in world.queues.values() for message in queue.ever),
        "the log": world.log.getvalue(),
    }
    violations = []
    for where, text in places.items():
        if any(canary in text for canary in canaries):
            violations.append(f"secrets: a secret or token is in {where}")
    return violations
