"""Probes of the functions around token sets: credential_vault, tend_connections."""

from __future__ import annotations

from feedlane.companies import items as company_items
from feedlane.companies.connection import ConnectionStatus, Tenant
from feedlane.companies.reconnection import CONNECTION_REMOVED, fault_of
from feedlane.ids import new_id
from feedlane.store import keys
from feedlane.store.records import item_of
from feedlane.upkeep.daily_round import RoundState
from local.instance import Instance
from local.simulator.state import DEFAULT_CLIENT_ID, DEFAULT_CLIENT_SECRET
from tests.stack.probes.calling import Failed
from tests.stack.probes.given import Given, given

# Behind all ids that are UUIDs: the round goes over the probes' own connections only.
BEHIND_ALL = "zy"

# credential_vault


def knows_no_webhook_secret(instance: Instance) -> None:
    _ask(instance, "deliver_webhooks", action="webhook_secrets", consumer_id=new_id())


def makes_and_forgets_a_webhook_secret(instance: Instance) -> None:
    consumer = new_id()
    _ask(instance, "portal", action="create_webhook_secret", consumer_id=consumer)
    _ask(instance, "portal", action="delete_webhook_secret", consumer_id=consumer)


def stores_the_apps_keys(instance: Instance) -> None:
    _ask(instance, "portal", action="save_app_keys", client_id=DEFAULT_CLIENT_ID, client_secret=DEFAULT_CLIENT_SECRET)


# tend_connections


def finds_a_connection_that_ended(instance: Instance) -> None:
    """Its token set is one that nobody has."""
    own = given(instance)
    own.linked(id=f"zz-{new_id()}")
    _round_stands(own)
    found = own.functions.call("tend_connections", {})
    if not found["ended"] or found["unknown"] or not found["finished"]:
        raise Failed(f"found {found}")


def finds_a_connection_well_again(instance: Instance) -> None:
    """It ended, and Xero lists its organisation all the same."""
    own = given(instance)
    tenant = Tenant(id=own.tenant, name="Probe", xero_connection_id=new_id(), demo=True)
    ended = {"status": ConnectionStatus.DEAUTHORIZED, "errors": (fault_of(CONNECTION_REMOVED, own.now),)}
    connection = own.linked(id=f"zz-{new_id()}", tenant=tenant, token_set_id=own.token_set, **ended)
    _round_stands(own)
    own.functions.call("tend_connections", {})
    if not company_items.connection(own.store, connection.company_id, connection.id).is_linked:
        raise Failed("the connection is still ended")


def _round_stands(own: Given) -> None:
    """The day's round is about to come to the last connections."""
    stands = RoundState(day=own.now.date().isoformat(), after=BEHIND_ALL, finished=False, version=1)
    own.store.table.put_many([item_of(keys.ROUND, stands)])


def _ask(instance: Instance, caller: str, **message: str) -> None:
    answer = given(instance).functions.call(f"credential_vault:{caller}", message)
    if "error" in answer:
        raise Failed(f"the vault refused: {answer['error']['kind']}")
