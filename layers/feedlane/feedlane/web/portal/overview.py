"""The portal's overview: what is connected, held, waiting and delivered, and what needs the operator."""

from __future__ import annotations

from feedlane.companies import connection_limit
from feedlane.companies import items as company_items
from feedlane.events.noted import latest_events
from feedlane.feeds import totals
from feedlane.holds.counts import hold_counts
from feedlane.settings import items as settings_items
from feedlane.settings.guide import next_step
from feedlane.settings.settings import limit_of
from feedlane.upkeep.dead_letter_count import last_count
from feedlane.web.portal.feeds.chart import chart_of
from feedlane.web.portal.holds.held import hold_groups
from feedlane.web.portal.need_facts import feeds_with_gap, feeds_with_hole, unrenewed
from feedlane.web.portal.needs import Facts, limit_tone, needs
from feedlane.web.portal.session import portal_page, require_operator
from feedlane.web.portal.set_up.set_up import current_steps
from feedlane.web.portal.webhooks.event_words import event_rows
from feedlane.web.request import Request
from feedlane.web.response import Response
from feedlane.web.site import Site
from feedlane.webhooks import items as webhook_items

CHART_DAYS = 30
EVENTS_SHOWN_MAX = 10


def show(site: Site, request: Request) -> Response:
    """From a number of reads that does not depend on how many companies, feeds and holds there are."""
    operator = require_operator(site, request)
    store, settings, now = site.store, settings_items.settings(site.store), site.clock()
    counts, consumers = hold_counts(store), webhook_items.consumers(store)
    # One hold of each reason: the oldest.
    groups = hold_groups(store, counts, rows_max=1)
    days = totals.delivered_by_day(store, now, CHART_DAYS)
    connected, limit = connection_limit.taken_places(store), limit_of(settings)
    companies = company_items.company_blocks(store).total
    steps = [] if settings.enabled else current_steps(site)
    told = needs(
        Facts(
            settings,
            groups,
            list(consumers),
            connected,
            limit,
            letters=last_count(store),
            gaps=feeds_with_gap(store, now),
            holes=feeds_with_hole(store),
            unrenewed=unrenewed(store, now),
        )
    )
    return portal_page(
        site,
        operator,
        "overview",
        title="Overview",
        section="overview",
        # Nothing but the set-up: figures would all be zero.
        is_new=not settings.enabled and not companies and len(told) == 1,
        steps=steps,
        done_count=sum(step.is_done for step in steps),
        next_step=next_step(steps),
        limit=limit,
        limit_tone=limit_tone(connected, limit),
        connected=connected,
        companies=companies,
        counts=counts,
        oldest=min((group.oldest.since for group in groups if group.oldest), default=None),
        waiting=totals.waiting_transactions(store),
        today=days[-1],
        consumers=len(consumers),
        failing=sum(bool(one.failing_since or (one.disabled and one.disabled_because != "asked")) for one in consumers),
        chart=chart_of(days),
        needs=told,
        events=event_rows(store, latest_events(store, EVENTS_SHOWN_MAX)),
    )
