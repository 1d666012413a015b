"""What Feedlane does about feed connections, at each position of their switches."""

from __future__ import annotations

from feedlane.companies.source_account import SourceAccountStatus
from tests.contract.xero.switches import scenarios
from tests.contract.xero.switches.job import WITHOUT_BANK_FEEDS, Did
from tests.contract.xero.switches.row import Says, rows

FIVE = Did([f"t{number}" for number in range(1, 6)])
BOTH_ASKED = "Looks in both versions: after a change, what is connected goes on, is ended, and is made again."
COMPLETED = "Goes by the item's status: connects the account that was made, or finds what exists; doubles nothing."
ONE, THREE = Did(["t1"]), Did(["t1", "t2", "t3"])
NO_CURRENCY = Did([], SourceAccountStatus.PENDING, held=["currency-not-supported"])
ADOPTS = "A repeated mapping finds the feed connection in Xero's list and uses it, whatever the status."
ALL_PAGES = "Reads the list to its end, wherever it begins: a repeated mapping finds the feed connection."
ANY_ID = "Takes ids as they are; an ended feed is shown as disconnected and can be mapped again."
NOT_ASKED = "Asks only for ids that Xero has given; an ended feed is shown as disconnected and can be mapped again."

ROWS = [
    *rows(
        "feed_connections",
        scenarios.mapped_without_bank_feeds,
        Did(["t1"], held=[WITHOUT_BANK_FEEDS]),
        {
            "checked": "Holds the organisation, shows the problem, keeps the mapping; the release maps and sends.",
            "checkedLater": "The account is connecting until Xero refuses; then the same.",
            "rejectedLater": Says(
                "Shows the account as disconnected, with Xero's problem and an event. What waits is held, pushes fail.",
                Did([], SourceAccountStatus.DISCONNECTED, held=[WITHOUT_BANK_FEEDS, "feed-connection-rejected"]),
                main_job=Did([], SourceAccountStatus.DISCONNECTED),
            ),
        },
    ),
    *rows(
        "currency_checked",
        scenarios.mapped_in_another_currency,
        NO_CURRENCY,
        {
            "organisation": "A currency that the organisation lacks holds the mapping, with its event.",
            "account": "The same.",
            "statements": Says(
                "The account is connected; its first statement holds the feed for the same reason.",
                Did([], held=["currency-not-supported"]),
            ),
        },
    ),
    *rows(
        "country",
        scenarios.pushed,
        THREE,
        {
            "optional": "Sends no country.",
            "required": "Refused without one, asks Xero for the organisation's country and sends that.",
            "refused": "Sends no country.",
        },
    ),
    *rows("feed_list_status", scenarios.mapping_answer_lost, ONE, {200: ADOPTS, 202: ADOPTS}),
    *rows("feed_versions", scenarios.version_changed, FIVE, {"shared": BOTH_ASKED, "apart": BOTH_ASKED}),
    *rows("partial_failures", scenarios.made_in_part, ONE, {"prefixed": COMPLETED, "renamed": COMPLETED}),
    *rows("first_page", scenarios.mapping_answer_lost, ONE, {1: ALL_PAGES, 0: ALL_PAGES}),
    *rows(
        "ids",
        scenarios.feed_ended_in_xero,
        Did(["t1", "t2", "t3", "t4"], held=["feed-connection-gone"]),
        {"guid": ANY_ID, "opaque": ANY_ID},
    ),
    *rows(
        "malformed_id",
        scenarios.feed_ended_in_xero,
        Did(["t1", "t2", "t3", "t4"], held=["feed-connection-gone"]),
        {404: NOT_ASKED, 400: NOT_ASKED},
    ),
]
