"""What may happen to a customer, so that the positions of a switch show."""

from __future__ import annotations

from feedlane.ids import fingerprint
from feedlane.xero.bank_feeds import STATEMENTS_PATH
from feedlane.xero.feed_connections import FEED_CONNECTIONS_PATH
from feedlane.xero.feed_connections_2 import FEED_CONNECTIONS_2_PATH
from tests.contract.xero.conftest import BAKERY, JOINERY, SCOPES
from tests.contract.xero.switches.job import DAY, Job
from tests.hold_actions import lift_all
from tests.worlds.feeds import transactions

HALF_AN_HOUR = {"minutes": 31}


def main_job(job: Job) -> None:
    """Consent, mapping, a push that is delivered, a 403 that holds the next one, and its release."""
    job.begin()
    job.queue(2)
    job.pass_day()
    job.xero.control("PUT", f"orgs/{BAKERY}", {"bankFeeds": False})
    job.queue(1, start=3)
    job.pass_day()
    job.xero.control("PUT", f"orgs/{BAKERY}", {"bankFeeds": True})
    lift_all(job)
    job.pass_day()


# statements


def pushed(job: Job) -> None:
    job.begin()
    job.queue(3)
    job.pass_day()


def debits_pushed(job: Job) -> None:
    job.begin()
    job.record(job.message(transactions(2, day=DAY, opening=5.0, amount=-10.0)))
    job.pass_day()


def gap_pushed(job: Job) -> None:
    """The second push begins with another balance than the first ended with."""
    job.begin()
    job.queue(1)
    job.pass_day()
    job.queue(1, start=2, opening=500.0)
    job.pass_day()


def answer_lost(job: Job) -> None:
    """Xero takes a statement and answers 500."""
    job.begin()
    job.xero.fault(STATEMENTS_PATH, fault="problem", problem="internal-error", when="after")
    job.queue(2)
    job.pass_day()


def refused_and_released(job: Job) -> None:
    """Xero refuses a statement in its answer, with a problem that concerns the account."""
    job.begin()
    job.archive_target(True)
    job.queue(2)
    job.pass_day()
    job.archive_target(False)
    lift_all(job)
    job.pass_day()


def rejected_and_released(job: Job) -> None:
    """Xero rejects a statement after it has taken it. The cause is mended, and the hold is released."""
    job.begin()
    job.xero.control("POST", "reject", {"errors": ["account-not-valid"]})
    job.queue(2)
    job.pass_day()
    lift_all(job)
    job.pass_day()


def the_same_twice(job: Job) -> None:
    """Two lines that differ in nothing but the id."""
    job.begin()
    job.queue(2, description="Coffee")
    job.pass_day()


def mapped_again(job: Job) -> None:
    """The account is disconnected and mapped again, and the platform goes on."""
    job.begin()
    job.queue(2)
    job.pass_day()
    job.unmap()
    job.pass_day()
    job.map()
    job.pass_day()
    job.queue(2, start=3)
    job.pass_day()


def nothing_pushed(job: Job) -> None:
    job.begin()
    job.record(job.message([]))
    job.pass_day()
    job.queue(1)
    job.pass_day()


def two_days_pushed(job: Job) -> None:
    job.begin()
    job.queue(1, day="2026-06-09")
    job.queue(1, start=2)
    job.pass_day()


def pushed_without_bank_feeds(job: Job) -> None:
    """Lines with long texts for an organisation that may have no bank feeds: which refusal does Xero give?"""
    job.begin()
    job.xero.control("PUT", f"orgs/{BAKERY}", {"bankFeeds": False})
    for start in (1, 51):
        job.queue(50, start=start, description="x" * 2000)
    job.pass_day()


def emoji_pushed(job: Job) -> None:
    job.begin()
    job.queue(1, description="☕🥐" * 900, reference="🥐" * 200)
    job.pass_day()


def pushed_at_midnight(job: Job) -> None:
    """A line of the day that has just begun at the organisation."""
    job.begin()
    assert job.feed().time_zone == "Europe/London"
    day = job.now.date()
    while job.now.date() == day:
        job.advance(minutes=30)
    job.queue(1, day=job.now.date().isoformat())
    job.pass_day()


# feed connections


def mapped_without_bank_feeds(job: Job) -> None:
    """Xero refuses the feed connection until the organisation may have bank feeds."""
    job.consent()
    job.xero.control("PUT", f"orgs/{BAKERY}", {"bankFeeds": False, "feedConnectionsAllowed": False})
    job.map()
    job.pass_day()
    job.queue(1)
    job.pass_day()
    job.xero.control("PUT", f"orgs/{BAKERY}", {"bankFeeds": True, "feedConnectionsAllowed": True})
    lift_all(job)
    job.pass_day()


def mapped_in_another_currency(job: Job) -> None:
    """The source account is in US dollars, which the organisation has not."""
    job.in_currency("USD")
    pushed(job)


def mapping_answer_lost(job: Job) -> None:
    """Xero makes the feed connection, and its answer is lost. The customer tries again."""
    job.consent()
    match = {"method": "POST", "path": FEED_CONNECTIONS_PATH}
    job.xero.control("POST", "faults", {"match": match, "fault": "dropResponse"})
    job.map()
    job.map()
    job.pass_day()
    job.queue(1)
    job.pass_day()


def version_changed(job: Job) -> None:
    """The operator chooses version 2 of feed connections for a customer of version 1, who then maps again."""
    pushed(job)
    job.xero.version = 2
    job.consent(job.xero.scopes)
    job.queue(1, start=4)
    job.pass_day()
    job.unmap()
    job.pass_day()
    job.map()
    job.pass_day()
    job.queue(1, start=5)
    job.pass_day()


def made_in_part(job: Job) -> None:
    """With version 2, Xero makes a new account and not its feed connection. The customer tries again."""
    job.xero.version = 2
    job.consent(job.xero.scopes)
    job.xero.fault(f"{FEED_CONNECTIONS_2_PATH}/NewAccount", fault="partial", when="after")
    job.map()
    job.map()
    job.pass_day()
    job.queue(1)
    job.pass_day()


def feed_ended_in_xero(job: Job) -> None:
    """The customer ends the feed inside Xero, and maps the account again."""
    pushed(job)
    job.xero.control("DELETE", f"feedConnections/{job.feed().feed_connection_id}")
    job.queue(1, start=4)
    job.pass_day()
    job.map()
    job.pass_day()


# identity and connections


def pushed_over_hours(job: Job) -> None:
    """Tokens have to be refreshed between the pushes."""
    job.begin()
    for number in range(1, 4):
        job.advance(**HALF_AN_HOUR)
        job.queue(1, start=number)
        job.pass_day()


def refresh_answer_lost(job: Job) -> None:
    job.begin()
    job.advance(**HALF_AN_HOUR)
    job.xero.fault("/connect/token", fault="dropResponse")
    job.queue(1)
    job.pass_day()
    job.advance(**HALF_AN_HOUR)
    job.queue(1, start=2)
    job.pass_day()


def refreshed_elsewhere(job: Job) -> None:
    """Another function refreshes the tokens while this one has the old access token in memory."""
    job.begin()
    job.xero.accounting.organisation(job.access)
    other = job.xero.new_vault()
    token = other.access_token(job.access.token_set_id)
    job.advance(minutes=6)
    other.access_token(job.access.token_set_id, rejected=fingerprint(token.value))
    job.queue(1)
    job.pass_day()


def second_company_linked(job: Job) -> None:
    """The same user consents for another organisation: what becomes of the tokens of the first?"""
    job.begin()
    job.xero.consent(JOINERY)
    job.queue(1)
    job.pass_day()
    job.advance(**HALF_AN_HOUR)
    job.queue(1, start=2)
    job.pass_day()


def removed_and_reconnected(job: Job) -> None:
    """The customer disconnects the app inside Xero, and comes again."""
    job.begin()
    job.queue(1)
    job.pass_day()
    job.xero.control("DELETE", f"connections/{BAKERY}")
    job.queue(1, start=2)
    job.pass_day()
    job.consent()
    job.pass_day()


# gateway and accounting


def consent_without_bank_feeds(job: Job) -> None:
    """The customer's first consent lacks the scope for bank feeds, the second has it."""
    job.consent(tuple(scope for scope in SCOPES if scope != "bankfeeds"))
    job.map()
    job.pass_day()
    job.begin()
    job.queue(1)
    job.pass_day()


def limit_reached(job: Job) -> None:
    """Xero's minute, then its day, is used up."""
    job.begin()
    for number, limit in ((1, "tenantMinute"), (2, "tenantDay")):
        standing = job.xero.control("GET", "limits")
        job.xero.control("PUT", "limits", {limit: 0})
        job.queue(1, start=number)
        job.step()
        job.step()
        job.xero.control("PUT", "limits", standing)
        job.pass_day()
