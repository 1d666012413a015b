"""Probes of the watch, which is tend_connections by another schedule."""

from __future__ import annotations

from datetime import timedelta

from feedlane.companies import places
from feedlane.companies.places import Place
from feedlane.credentials import grants
from feedlane.feeds import items as feed_items
from feedlane.holds import items as hold_items
from feedlane.ids import new_id
from feedlane.problem import Problem
from feedlane.scope import APP_SUBJECT, Scope
from feedlane.store import keys
from feedlane.webhooks import items as webhook_items
from feedlane.webhooks.consumer import Consumer
from feedlane.webhooks.replay import STALLED_AFTER, Replay
from local.instance import Instance
from tests import builders
from tests.stack.probes.calling import Failed
from tests.stack.probes.given import given

UNKNOWN_KEYS = Problem(type="invalid_client", title="Invalid client", status=401)


def releases_what_mended_keys_held(instance: Instance) -> None:
    """Xero knows the keys of the deployment: whatever it has held for their sake has no cause any more."""
    own = given(instance)
    own.feed(own.linked(), lines=1, feed_connection_id=new_id())
    hold = builders.hold(id=new_id(), reason="app-keys-rejected", problem=UNKNOWN_KEYS, since=own.now)
    own.store.commit(*hold_items.add_hold(hold))
    try:
        own.functions.call("tend_connections", {"watch": True})
        if hold_items.holds_on(own.store, [(Scope.APP, APP_SUBJECT)]):
            raise Failed("the hold stands")
    finally:
        own.store.table.delete_many([keys.hold(Scope.APP, APP_SUBJECT)])


def rings_for_a_replay_that_is_lost(instance: Instance) -> None:
    """Its consumer is disabled, so that whoever gets the message ends it."""
    own = given(instance)
    consumer = Consumer(
        id=new_id(), url="http://127.0.0.1:9/", company_tags=("probe:never",), disabled=True, created=own.now
    )
    started = own.now - STALLED_AFTER - timedelta(minutes=1)
    replay = Replay(id=new_id(), consumer_id=consumer.id, since=started, until=started, started=started)
    own.store.commit(webhook_items.add_consumer(consumer), webhook_items.put_replay(replay, own.now))
    try:
        own.functions.call("tend_connections", {"watch": True})
        after = webhook_items.find_replay(own.store, consumer.id, replay.id)
        if after is None or after.version == 1:
            raise Failed("nobody has rung for the replay")
    finally:
        own.store.table.delete_many([keys.consumer(consumer.id), keys.replay(consumer.id, replay.id)])


def looks_at_a_feed_that_is_overdue(instance: Instance) -> None:
    """Nothing waits in it, so it leaves the list."""
    own = given(instance)
    feed = own.feed(own.linked(), look=own.now - timedelta(hours=1))
    own.functions.call("tend_connections", {"watch": True})
    after = feed_items.find_feed(own.store, feed.id)
    if after is None or after.look is not None:
        raise Failed("nobody has looked at the feed")


def counts_dead_letters(instance: Instance) -> None:
    """It reads the count of each queue in every run, and fails without the right."""
    given(instance).functions.call("tend_connections", {"watch": True})


def removes_what_nobody_uses(instance: Instance) -> None:
    """A place at Xero, with the app's own token since its user's grant is unknown; and a token set that never was."""
    own = given(instance)
    tenant, token_set = new_id(), new_id()
    ids = {"tenant_id": tenant, "xero_connection_id": new_id(), "token_set_id": token_set}
    earlier = own.now - timedelta(days=1)
    given_up = grants.give_up(tenant, new_id(), token_set, earlier)
    stored = grants.granted(token_set, earlier)
    own.store.commit(places.put_place(Place(**ids, since=earlier, look=earlier)), stored, given_up)
    own.functions.call("tend_connections", {"watch": True})
    if places.find_place(own.store, tenant) or own.store.table.get(given_up.key) or own.store.table.get(stored.key):
        raise Failed("nobody has removed it")
