"""What an operator does who is told that it is not known whether Xero has a statement: looks into the account there."""

from __future__ import annotations

from contextlib import suppress

from feedlane.errors import Conflict, NotFound
from feedlane.statements import items as statement_items
from feedlane.statements.resolution import Resolution, resolve
from feedlane.statements.statement import Doubt, StatementRecord
from tests.chaos import check_delivery
from tests.chaos.books import own_id
from tests.chaos.world import Place, World
from tests.rights import acting_as


def resolve_told(world: World, place: Place) -> None:
    """Resolves the statement in doubt of the feed, if the platform was told of one."""
    feed = world.feed(place)
    if feed is None or feed.flight is None:
        return
    statement = statement_items.find_statement(world.store, feed.id, feed.flight.number)
    if statement is None or not statement.stuck:
        return
    outcome = _seen_at_xero(world, place, statement)
    with suppress(NotFound, Conflict), acting_as("public_api"):
        resolve(world.ports, world.now, feed.id, statement.number, outcome)
        world.faults.count(f"resolved_{statement.doubt}_{outcome}")


def _seen_at_xero(world: World, place: Place, statement: StatementRecord) -> Resolution:
    """What can only be there once more, because Xero drops it for its content, is entered by hand."""
    sent = world.books.line_ids(statement_items.statement_request(world.store, statement))
    arrived = {line.own_id for line in check_delivery.delivered(world, place)}
    missing = [id for id in map(own_id, sent) if id not in arrived]
    was_sent_anew = any("~" in id for id in sent)
    if missing and (statement.doubt is Doubt.LINES_MISSING or was_sent_anew):
        by_content = not world.books.knows_lines_by_id
        assert by_content or statement.doubt is not Doubt.LINES_MISSING, "Xero lacks lines without a reason"
        if by_content:
            world.entered_by_hand[place.feed_id].update(missing)
            missing = []
    return Resolution.NOT_DELIVERED if missing else Resolution.DELIVERED
