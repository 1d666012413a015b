"""Dead letters: what could not be processed, why, and back to where it came from. Never what they contain."""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass
from typing import Any
from urllib.parse import quote

from aws_lambda_powertools import Logger

from feedlane.companies.company import Company
from feedlane.companies.source_account import SourceAccount
from feedlane.errors import Unavailable
from feedlane.store import keys
from feedlane.store.records import record_in
from feedlane.store.store import Store
from feedlane.store.table import Item, Key
from feedlane.upkeep.dead_letter_count import note_count
from feedlane.web.error_pages import NoSuchPage
from feedlane.web.filters import counted
from feedlane.web.form_errors import FormError, whole_form
from feedlane.web.portal.feeds.feeds import feed_path
from feedlane.web.portal.holds.dead_letter_words import WORDS
from feedlane.web.portal.listing import number_in
from feedlane.web.portal.session import Operator, portal_page, require_operator
from feedlane.web.request import Request
from feedlane.web.response import Response, see_other
from feedlane.web.site import Site
from feedlane.wiring.dead_letter_office import PutBackResult, ShownLetter
from feedlane.wiring.dead_letters import KINDS, Concern, Kind

logger = Logger(child=True)

PATH = "/portal/dead-letters"
SHOWN_MAX = 25
_COMMAND = "python -m cli dead-letters put-back {kind} --message {id} --stack STACK"
_AWAY = "The queues do not answer at the moment. Try again in a minute."
_AWAY_MEANWHILE = (
    "The queues have stopped answering. What is back has left the list, and the rest is as it was. Try again in a "
    "minute: no message is processed twice."
)


@dataclass(frozen=True)
class LetterRow:
    """`command` is what puts the letter back, if this page cannot."""

    letter: ShownLetter
    company: Company | None
    account: SourceAccount | None
    delivery_path: str
    command: str

    @property
    def feed_path(self) -> str:
        return feed_path(self.account.connection_id, self.account.id) if self.account else ""


def show(site: Site, request: Request) -> Response:
    operator = require_operator(site, request)
    number = number_in(request, "done", 0)
    back = f"{counted(number, 'message')} {'is' if number == 1 else 'are'} back in the queue." if number else ""
    return _page(site, operator, request, done=back)


def put_back(site: Site, request: Request) -> Response:
    operator = require_operator(site, request)
    kind = KINDS.get(request.field("show"))
    if kind is None:
        raise NoSuchPage
    ids = dict.fromkeys(request.form.get("message", [])[:SHOWN_MAX])
    result = site.dead_letters.put_back(kind, ids)
    facts = {"kind": kind.name, "letters": result.returned, "by": operator.session.key_name}
    logger.info("dead letters put back", extra=facts | {"correlation_id": request.id})
    if result.cut_off:
        return _page(site, operator, request, errors=whole_form(_AWAY_MEANWHILE), status=503)
    if errors := _errors(result):
        return _page(site, operator, request, errors=errors, status=409)
    return see_other(request.url(f"{PATH}?show={kind.name}&done={len(result.returned)}"))


def _page(
    site: Site,
    operator: Operator,
    request: Request,
    done: str = "",
    errors: Sequence[FormError] = (),
    status: int = 200,
) -> Response:
    """From a number of calls to SQS that does not depend on how many letters there are."""
    counts: Mapping[str, int] = dict.fromkeys(KINDS, 0)
    chosen, rows = _chosen(request, counts), list[LetterRow]()
    try:
        counts = site.dead_letters.counts()
        if not request.is_head:
            note_count(site.store, sum(counts.values()), site.clock())
        chosen = _chosen(request, counts)
        letters = site.dead_letters.look(chosen, min(SHOWN_MAX, counts[chosen.name]))
        rows = _rows(site.store, chosen.name, letters)
    except Unavailable:
        errors, status = errors or whole_form(_AWAY), 503
    return portal_page(
        site,
        operator,
        "holds/dead_letters",
        status,
        title="Dead letters",
        section="activity",
        path=PATH,
        tabs={name: f"{WORDS[name].tab} ({counts[name]:,})" for name in KINDS},
        chosen=chosen.name,
        words=WORDS[chosen.name],
        rows=rows,
        count=max(counts[chosen.name], len(rows)),
        done=done,
        errors=errors,
    )


def _chosen(request: Request, counts: Mapping[str, int]) -> Kind:
    """The kind that the address or the form names, or the first one that has letters."""
    asked = request.query.get("show") or request.field("show")
    first = next((name for name, count in counts.items() if count), next(iter(KINDS)))
    return KINDS.get(asked) or KINDS[first]


def _errors(result: PutBackResult) -> list[FormError]:
    sentences = [f"Message {id} stays here: {why}." for id, why in result.kept.items()]
    if missing := len(result.missing):
        was, it = ("was", "it") if missing == 1 else ("were", "them")
        why = f"not found: somebody else may have put {it} back, or is looking at {it} at this moment."
        why = f"{counted(missing, 'message')} {was} {why}"
        if result.out_of_time:
            why = f"There was no time for {counted(missing, 'message')}: put {it} back again."
        sentences.append(why)
    if sentences and result.returned:
        sentences.insert(0, f"Only {counted(len(result.returned), 'message')} went back.")
    return [error for sentence in sentences for error in whole_form(sentence)]


def _rows(store: Store, kind: str, letters: Sequence[ShownLetter]) -> list[LetterRow]:
    """What the letters name is read all at once. Only what exists becomes a link."""
    concerns = [letter.concern for letter in letters]
    items = store.table.get_many(dict.fromkeys(key for concern in concerns for key in _keys(concern)))
    accounts = [_account(items, concern) for concern in concerns]
    owners = {keys.company(account.company_id) for account in accounts if account}
    items |= store.table.get_many(owners - items.keys())
    rows = []
    for letter, concern, account in zip(letters, concerns, accounts, strict=True):
        owner = account.company_id if account else concern.company_id
        rows.append(
            LetterRow(
                letter,
                record_in(Company, items.get(keys.company(owner))) if owner else None,
                account,
                _delivery_path(items, concern),
                _COMMAND.format(kind=kind, id=letter.id) if letter.by_command else "",
            )
        )
    return rows


def _keys(concern: Concern) -> Collection[Key]:
    named: list[Key] = []
    if concern.company_id:
        named.append(keys.company(concern.company_id))
    if concern.connection_id and concern.account_id:
        named.append(keys.source_account(concern.connection_id, concern.account_id))
    if concern.consumer_id and concern.event_id:
        named.append(keys.delivery(concern.consumer_id, concern.event_id))
    return named


def _account(items: Mapping[Key, Item], concern: Concern) -> SourceAccount | None:
    return record_in(SourceAccount, items.get(keys.source_account(concern.connection_id, concern.account_id)))


def _delivery_path(items: Mapping[Key, Any], concern: Concern) -> str:
    if keys.delivery(concern.consumer_id, concern.event_id) not in items:
        return ""
    consumer, event = quote(concern.consumer_id, safe=""), quote(concern.event_id, safe="")
    return f"/portal/webhooks/{consumer}/deliveries/{event}"
