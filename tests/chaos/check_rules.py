"""Checks the rules over all feeds: frozen bytes, messages, days, secrets."""

from __future__ import annotations

from feedlane.ids import fingerprint
from feedlane.statements import items as statement_items
from feedlane.statements.statement import StatementRecord
from tests.chaos.world import World


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
    posts = world.books.posts()
    violations = ["frozen: a statement was posted that was not stored"] if not all(p.was_stored for p in posts) else []
    bodies_of: dict[str, set[bytes]] = {}
    known = _statements_by_key(world)
    for post in posts:
        statement = known.get(post.key)
        if statement is None:
            violations.append("frozen: a statement was posted under an unknown key")
            continue
        bodies_of.setdefault(f"{statement.feed_id}#{statement.number}", set()).add(post.request)
        if post.request != statement_items.statement_request(world.store, statement):
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
                key = fingerprint(f"{statement.feed_id}#{statement.number}#{turn}")
                known[world.books.key_of(key)] = statement
    return known


def secrets(world: World) -> list[str]:
    """7. No item, message, event or log record has a client secret, a token or a key."""
    canaries = world.books.canaries()
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
