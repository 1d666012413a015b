"""What shows that a function needs a statement: something it does that fails without it.

A probe gets the running instance and returns if the function did its work, or raises. It can be repeated, and leaves no
message that fails again and again. `tests/stack/test_permissions.py` runs each with the whole policy and without the
one statement.
"""

from tests.stack import service_needs
from tests.stack.probes import (
    api,
    company_pages,
    credentials,
    dead_letter_pages,
    events,
    pages,
    queues,
    set_up_pages,
    watch,
    webhook_pages,
)
from tests.stack.service_needs import Probe
from tests.stack.template import Need

_BY_FUNCTION: dict[str, dict[str, Probe]] = {
    "link": {
        "ReadTable": pages.shows_a_company,
        "QueryIndex": pages.starts_linking_when_the_limit_seems_reached,
        "WriteTable": pages.starts_linking,
        "UpdateItems": pages.starts_linking_when_the_limit_seems_reached,
        "DeleteItems": pages.a_chosen_organisation_releases_what_waited,
        "InvokeVault": pages.shows_the_accounts_to_map,
        "WakeFeeds": pages.a_chosen_organisation_releases_what_waited,
        "FollowUp": pages.a_chosen_organisation_releases_what_waited,
    },
    "oauth_callback": {
        "ReadTable": pages.meets_an_unknown_state,
        "QueryIndex": pages.links_when_the_limit_seems_reached,
        "WriteTable": pages.is_told_of_a_cancelled_consent,
        "UpdateItems": pages.links_when_the_limit_seems_reached,
        "DeleteItems": pages.a_customer_who_is_back_releases_what_waited,
        "InvokeVault": pages.is_given_a_code_that_xero_does_not_know,
        "WakeFeeds": pages.a_customer_who_is_back_releases_what_waited,
        "FollowUp": pages.a_customer_who_is_back_releases_what_waited,
    },
    "credential_vault": {
        "ReadTable": credentials.knows_no_webhook_secret,
        "WriteTable": credentials.makes_and_forgets_a_webhook_secret,
        "ReadSecrets": credentials.stores_the_apps_keys,
        "KeepSecrets": credentials.stores_the_apps_keys,
    },
    "public_api": {
        "ReadTable": api.shows_a_company,
        "QueryIndex": api.lists_holds,
        "WriteTable": api.creates_and_deletes_a_company,
        "UpdateItems": api.creates_and_deletes_a_company,
        "DeleteItems": api.creates_and_deletes_a_company,
        "CompleteIndex": api.checks_a_push_while_the_index_is_behind,
        "InvokeVault": api.stores_the_apps_keys,
        "SendPushes": api.takes_a_push,
        "WakeFeeds": api.releases_a_hold,
        "FollowUp": api.takes_a_push_that_has_to_end_in_time,
        "SendDeliveries": events.starts_a_replay,
    },
    "portal": {
        "ReadTable": pages.shows_the_way_in,
        "QueryIndex": pages.shows_the_overview,
        "WriteTable": pages.lets_an_operator_in,
        "UpdateItems": webhook_pages.creates_a_consumer,
        "DeleteItems": company_pages.makes_and_deletes_a_company,
        "CompleteIndex": company_pages.shows_a_push_while_the_index_is_behind,
        "InvokeVault": pages.stores_the_apps_keys,
        "SendPushes": set_up_pages.tests_the_integration,
        "SeeWhoGetsAlarms": set_up_pages.tests_the_integration,
        "WakeFeeds": pages.releases_a_hold,
        "FollowUp": pages.releases_a_hold,
        "SendDeliveries": webhook_pages.sends_a_test,
        "HandleDeadLetters": dead_letter_pages.puts_a_check_back,
        "PutEventsBack": dead_letter_pages.puts_an_event_back,
        "RunAgain": dead_letter_pages.runs_the_watch_again,
    },
    "record_transactions": {
        "PostponeMessages": queues.comes_again_soon_with_a_feed_that_cannot_be_read,
        "SetAside": queues.sets_aside_what_is_no_push,
        "ReadTable": queues.fails_a_push_of_an_unknown_feed,
        "WriteTable": queues.fails_a_push_of_an_unknown_feed,
        "NoticeHolds": queues.records_a_push_that_is_held,
        "RemoveHoles": queues.closes_a_hole,
        "WriteManyItems": queues.records_many_transactions,
        "WakeFeeds": queues.records_a_push,
    },
    "push_statements": {
        "PostponeMessages": queues.comes_again_soon_with_a_wake_that_cannot_be_read,
        "ReadTable": queues.finds_no_feed,
        "QueryIndex": queues.is_refused_for_the_organisation,
        "WriteTable": queues.is_refused_for_the_connection,
        "InvokeVault": queues.is_refused_for_the_connection,
        "WakeFeeds": queues.is_refused_for_the_connection,
        "FollowUp": queues.has_to_wait,
    },
    "check_statements": {
        "PostponeMessages": queues.comes_again_soon_with_a_check_that_cannot_be_read,
        "ReadTable": queues.finds_no_statement,
        "QueryIndex": queues.may_not_ask_for_the_organisation,
        "WriteTable": queues.ends_an_operation_that_is_due,
        "InvokeVault": queues.may_not_ask_for_the_connection,
        "WakeFeeds": queues.wakes_a_feed,
        "RingAgain": queues.rings_for_a_push_that_nobody_rang_for,
        "FollowUp": queues.looks_again_when_an_operation_is_due,
    },
    "tend_connections": {
        "CountDeadLetters": watch.counts_dead_letters,
        "ReadTable": credentials.finds_a_connection_that_ended,
        "QueryIndex": credentials.finds_a_connection_that_ended,
        "QueryDue": watch.looks_at_a_feed_that_is_overdue,
        "WriteTable": credentials.finds_a_connection_that_ended,
        "InvokeVault": watch.removes_what_nobody_uses,
        "FollowUp": credentials.finds_a_connection_well_again,
        "WakeFeeds": watch.releases_what_mended_keys_held,
        "SendDeliveries": watch.rings_for_a_replay_that_is_lost,
    },
    "relay_events": {"PublishEvents": events.carries_an_event_to_the_bus},
    "route_events": {
        "PostponeMessages": events.comes_again_soon_with_an_event_that_cannot_be_read,
        "ReadTable": events.routes_an_event_twice_to_a_disabled_consumer,
        "WriteTable": events.routes_an_event_twice_to_a_disabled_consumer,
        "SendDeliveries": events.routes_an_event_to_a_consumer,
    },
    "deliver_webhooks": {
        "PostponeMessages": events.comes_again_soon_with_a_message_that_cannot_be_read,
        "ReadTable": events.finds_no_delivery,
        "QueryIndex": events.goes_through_the_deliveries_of_a_replay,
        "WriteTable": events.keeps_a_delivery_for_a_disabled_consumer,
        "InvokeVault": events.delivers_a_signed_webhook,
        "SendDeliveries": events.tries_again_when_a_delivery_is_due,
    },
}

PROBES: dict[Need, Probe] = {
    Need(function, sid): probe for function, probes in _BY_FUNCTION.items() for sid, probe in probes.items()
}


def probe_of(need: Need) -> Probe | None:
    return PROBES.get(need) or service_needs.probe(need)
