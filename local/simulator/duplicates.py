"""Which lines of a statement Xero already has."""

from typing import TypeVar

from local.simulator.state import FeedConnection, Simulator, Statement
from local.simulator.statement_checks import StatementDraft

Content = tuple[str, ...]
Key = TypeVar("Key")


def known_lines(sim: Simulator, feed: FeedConnection, draft: StatementDraft) -> list[bool]:
    """For each line, whether it was used before, in another statement or above. Lines without id are new."""
    feeds = _feeds_with_the_same_ids(sim, feed)
    by_id, by_content = _what_counts(sim)
    ids = draft.transaction_ids
    known_ids = [_is_known(sim, id, [one.used_transaction_ids for one in feeds]) for id in ids]
    if by_id and not by_content:
        return [known or repeated for known, repeated in zip(known_ids, _repeated(ids), strict=True)]
    contents = _contents(sim, draft)
    known_contents = [_is_known(sim, content, [one.used_contents for one in feeds]) for content in contents]
    known = [a or b for a, b in zip(known_contents, _repeated(contents), strict=True)]
    return [a or (by_id and b) for a, b in zip(known, known_ids, strict=True)]


def remember_lines(sim: Simulator, feed: FeedConnection, draft: StatementDraft, statement: Statement) -> None:
    """The new lines of an accepted statement are used from now on."""
    _, by_content = _what_counts(sim)
    contents = _contents(sim, draft) if by_content else [None] * len(statement.dropped)
    for id, content, dropped in zip(draft.transaction_ids, contents, statement.dropped, strict=True):
        if id is not None and not dropped:
            feed.used_transaction_ids[id] = statement
        if content is not None and not dropped:
            feed.used_contents[content] = statement


def _what_counts(sim: Simulator) -> tuple[bool, bool]:
    """Whether a known id makes a line known, and whether known content does."""
    return sim.behaviour.duplicate_key != "idAndContent", sim.behaviour.duplicate_key != "id"


def _contents(sim: Simulator, draft: StatementDraft) -> list[Content | None]:
    with_id = sim.behaviour.duplicate_key == "idAndContent"
    lines = zip(draft.received["statementLines"], draft.line_amounts, draft.transaction_ids, strict=True)
    return [
        None if id is None else (id if with_id else str(line.get("description")), line["postedDate"], f"{amount:f}")
        for line, amount, id in lines
    ]


def _feeds_with_the_same_ids(sim: Simulator, feed: FeedConnection) -> list[FeedConnection]:
    if sim.behaviour.duplicate_scope == "feedConnection":
        return [feed]
    key = (feed.tenant_id, feed.account_id)
    return [other for other in sim.feed_connections.values() if (other.tenant_id, other.account_id) == key]


def _is_known(sim: Simulator, key: Key | None, used: list[dict[Key, Statement]]) -> bool:
    """A rejected statement was never delivered, so what it used is free again, unless the switch says otherwise."""
    if key is None:
        return False
    stays_used = sim.behaviour.rejected_ids == "used"
    return any(key in one and (stays_used or one[key].status(sim.now()) != "REJECTED") for one in used)


def _repeated(keys: list[Key | None]) -> list[bool]:
    seen: set[Key] = set()
    repeated = []
    for key in keys:
        repeated.append(key is not None and key in seen)
        if key is not None:
            seen.add(key)
    return repeated
