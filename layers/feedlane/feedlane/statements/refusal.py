"""What a refusal says about a statement: whether it was not taken, and whether one line may be to blame. Pure."""

from __future__ import annotations

from feedlane.feeds.upstream import Refusal
from feedlane.scope import Scope

# Refusals of a statement's content. Unchanged bytes are refused every time, so they were not taken before either.
CONTENT_REFUSAL_STATUSES = frozenset({400, 413, 422})
# The reasons that may concern a single line. Others name the account, the feed connection or the dates of the whole.
LINE_REASONS = frozenset({"invalid-data", "invalid-balance", "refused"})


def proves_not_taken(refusal: Refusal) -> bool:
    """Whether the refusal is about the statement's content. A dead grant is a 400 too, and proves nothing."""
    return refusal.scope is Scope.FEED and refusal.problem.status in CONTENT_REFUSAL_STATUSES


def may_be_one_line(refusal: Refusal) -> bool:
    """Whether the statement may be refused for one of its lines, so that the others would be accepted."""
    return proves_not_taken(refusal) and refusal.reason in LINE_REASONS
