"""The state of mappings, with Codat's wart: it shows that Xero is ready only on the next operation."""

from local.codat_simulator.events import emit_account
from local.codat_simulator.records import Connection, SourceAccount
from local.codat_simulator.state import Codat
from local.simulator.organisations import Account, new_id


def reveal(sim: Codat, connection: Connection, account: SourceAccount) -> None:
    """An operation on the account: what Xero has finished shows now, with its event."""
    mapping = account.mapping
    if account.status != "connecting" or mapping is None or sim.now() < mapping.connects_at:
        return
    mapping.operations_seen += 1
    needed = 2 if sim.behaviour.appears == "operationAfterNext" else 1
    if mapping.operations_seen >= needed:
        connect(sim, connection, account)


def reveal_at_once(sim: Codat) -> None:
    """The same for a Codat without the wart, by time alone."""
    if sim.behaviour.appears == "atOnce":
        for account in list(sim.accounts.values()):
            reveal(sim, sim.connections[account.connection_id], account)


def connect(sim: Codat, connection: Connection, account: SourceAccount) -> None:
    """The feed is there; for a mapping without a target, so is its new account in Xero."""
    organisation, mapping = sim.organisation(connection), account.mapping
    assert mapping is not None, "only a mapped account connects"
    if organisation is None or connection.status != "Linked":
        return
    if mapping.target_id is None:
        mapping.target_id = new_id()
        received = account.received
        kind = "CREDITCARD" if account.is_card else "BANK"
        added = Account(
            mapping.target_id, received["accountName"], "", received["accountNumber"], received["currency"], kind
        )
        organisation.accounts.append(added)
    account.status, account.modified = "connected", sim.now()
    emit_account(sim, connection, account)


def disconnect(sim: Codat, connection: Connection, account: SourceAccount) -> None:
    """Removes the mapping and its feed; the account in Xero stays."""
    was_mapped = account.mapping is not None
    account.mapping, account.status, account.modified = None, "disconnected", sim.now()
    if was_mapped:
        emit_account(sim, connection, account)
