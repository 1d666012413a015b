"""The portal's holds: grouped by their reason, and released, several at once, after a look at the numbers."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from feedlane.errors import Conflict, NotFound
from feedlane.holds import items as hold_items
from feedlane.holds import release as hold_release
from feedlane.holds.counts import hold_counts
from feedlane.holds.held_feeds import WaitingCount, count_waiting
from feedlane.holds.hold import Hold
from feedlane.store import keys
from feedlane.web.filters import counted
from feedlane.web.portal.holds.held import HoldRow, hold_groups, hold_rows, released_rows, rows_of_marks
from feedlane.web.portal.holds.hold_words import words_of
from feedlane.web.portal.listing import PAGE_SIZE, ListQuery, Page, list_query, read_page
from feedlane.web.portal.session import Operator, portal_page, require_operator
from feedlane.web.request import Request
from feedlane.web.response import Response, see_other
from feedlane.web.site import Site

# So many may be released at once: a list never shows more.
RELEASED_MAX = PAGE_SIZE
_PATH = "/portal/holds"


@dataclass(frozen=True)
class _Choice:
    """A hold that is to be released, with what waits behind it."""

    row: HoldRow
    waiting: WaitingCount


def show(site: Site, request: Request) -> Response:
    operator = require_operator(site, request)
    query, counts = list_query(request, "q", "reason"), hold_counts(site.store)
    page = _page(site, query) if query.is_filtered or query.after or query.before else None
    groups = hold_groups(site.store, counts) if page is None else []
    rows = page.rows if page else [row for group in groups for row in group.rows]
    return portal_page(
        site,
        operator,
        "holds/holds",
        title="Holds",
        section="holds",
        query=query,
        page=page,
        words=words_of(query["reason"]) if query["reason"] else None,
        groups=groups,
        is_under_way=any(row is not None and row.hold.releasing for row in rows),
        counts=counts,
        reasons=[(reason, words_of(reason), count) for reason, count in counts.by_reason.items()],
        released=released_rows(site.store),
        done=_done(request),
    )


def confirm_one(site: Site, request: Request, hold_id: str) -> Response:
    return _release(site, request, [hold_id])


def confirm(site: Site, request: Request) -> Response:
    """Shows what the release of the selected holds sends, and releases them once that is confirmed."""
    return _release(site, request, (request.form.get("hold") or [])[:RELEASED_MAX])


def _release(site: Site, request: Request, hold_ids: Sequence[str]) -> Response:
    operator = require_operator(site, request)
    holds = hold_items.find_holds(site.store, hold_ids)
    if not holds:
        return see_other(request.url(f"{_PATH}?released=0" if hold_ids else _PATH))
    if request.method == "POST" and request.field("confirmed"):
        return _released(site, request, operator, holds)
    choices = [_Choice(row, count_waiting(site.store, row.hold)) for row in hold_rows(site.store, holds)]
    return portal_page(
        site,
        operator,
        "holds/holds_release",
        title="Release holds",
        section="holds",
        choices=choices,
        waiting=sum(choice.waiting.number for choice in choices),
        is_complete=all(choice.waiting.is_complete for choice in choices),
        companies=len({choice.row.hold.company_id for choice in choices if choice.row.hold.company_id}),
    )


def _released(site: Site, request: Request, operator: Operator, holds: Sequence[Hold]) -> Response:
    """Each by itself: one that cannot be released now does not keep the others."""
    released = kept = 0
    for hold in holds:
        try:
            hold_release.release(site.ports, site.clock(), hold, by=operator.session.key_name)
            released += 1
        except NotFound:
            continue
        except Conflict:
            kept += 1
    return see_other(request.url(f"{_PATH}?released={released}" + (f"&kept={kept}" if kept else "")))


def _done(request: Request) -> str:
    """What the release that led here has done."""
    released, kept = request.query.get("released", ""), request.query.get("kept", "")
    sentences = []
    if released == "0" and not kept:
        sentences.append("This hold has already been released.")
    elif released.isdecimal() and released != "0":
        sentences.append(
            f"{counted(int(released), 'hold')} released. What waited is sent in order: below is what becomes of it."
        )
    if kept.isdecimal():
        sentences.append(
            f"{counted(int(kept), 'hold')} could not be released: an account is disconnected, or just changing."
        )
    return " ".join(sentences)


def _page(site: Site, query: ListQuery) -> Page[HoldRow | None]:
    """The holds of one reason, the oldest first; with a search, those among all that fit it."""
    if query["q"] or not query["reason"]:
        return read_page(
            site.store,
            query,
            keys.HOLDS,
            lambda items: list[HoldRow | None](hold_rows(site.store, [Hold.model_validate(item) for item in items])),
            (lambda row: row is not None and _is_wanted(row, query)) if query.is_filtered else None,
        )

    def rows(marks: list[dict[str, object]]) -> list[HoldRow | None]:
        by_subject = {(row.hold.scope.value, row.hold.subject): row for row in rows_of_marks(site.store, marks)}
        return [by_subject.get((str(mark["scope"]), str(mark["subject"]))) for mark in marks]

    return read_page(site.store, query, keys.holds_of_reason(query["reason"]), rows)


def _is_wanted(row: HoldRow, query: ListQuery) -> bool:
    if query["reason"] not in ("", row.hold.reason):
        return False
    wanted, hold = query["q"].casefold(), row.hold
    names = [hold.id, hold.subject, hold.problem.title, hold.problem.type, hold.transaction_id or ""]
    names += [row.company.name] if row.company else []
    names += [row.account.account_name, row.account.id] if row.account else []
    return any(wanted in name.casefold() for name in names)
