"""What each kind of dead letters means to people, and what to do about it. The operator's manual has the details."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True)
class KindWords:
    tab: str
    meaning: str
    remedy: str


WORDS = {
    "transactions": KindWords(
        "Pushes",
        "Messages of the queue for transactions that could not be recorded: nothing of them is in a ledger.",
        "If a reason is beside it, your producer has to correct the message and send it again: put back, it would fail "
        "again. If its function kept failing, correct the cause (the log of record_transactions has it), then put it "
        "back. Nothing is recorded twice.",
    ),
    "statements": KindWords(
        "Wake-ups",
        "Calls to send what a feed has. The transactions are in its ledger, and the watch calls again within an hour.",
        "Correct the cause (the log of push_statements has it). Put back, the feed goes on at once.",
    ),
    "checks": KindWords(
        "Status checks",
        "Looks at statements, feed connections and deadlines. The watch has them looked at again within an hour.",
        "Correct the cause (the log of check_statements has it), then put them back. One that is out of date does "
        "nothing.",
    ),
    "deliveries": KindWords(
        "Webhooks",
        "Attempts to send a webhook that failed here: what a consumer refuses is on the page of the webhook.",
        "Correct the cause (the log of deliver_webhooks has it). Put back, each goes on with its next attempt.",
    ),
    "events": KindWords(
        "Events",
        "Events that did not become webhooks in time. The watch routes them within twenty minutes, if it can.",
        "Correct the cause (the logs of route_events and relay_events have it), then put them back. No webhook is "
        "sent twice.",
    ),
    "schedule": KindWords(
        "Scheduled runs",
        "Runs of the watch or of the daily round that failed. The next run does what this one missed.",
        "Correct the cause (the log of tend_connections has it). Put back, the run starts again at once.",
    ),
}
