"""Nothing live-locks in a new account, which allows ten executions at once: all work ends, and without dead letters.

A function that waits for the vault keeps its own execution. If all ten wait, the vault never runs.
"""

import pytest

from cli.deployment import account
from tests.worlds.account import Account

DAY = 86_400
CALL_THE_VAULT = {"deliver_webhooks": 1000, "push_statements": 300, "check_statements": 300}
DO_NOT = {"record_transactions": 300, "route_events": 300}
ALL = sum(CALL_THE_VAULT.values()) + sum(DO_NOT.values())


def with_a_backlog(limit: int, concurrency: str, seed: int, vault_seconds: float) -> Account:
    """A morning after an outage: every queue is full at once."""
    busy = Account(limit, concurrency, seed, vault_seconds)
    for function, messages in (CALL_THE_VAULT | DO_NOT).items():
        busy.waiting(function, messages, calls_vault=function in CALL_THE_VAULT)
    return busy


@pytest.mark.parametrize("vault_seconds", [0.4, 5.0])
@pytest.mark.parametrize("seed", range(5))
def test_a_small_deployment_ends_all_its_work_in_a_new_account(seed: int, vault_seconds: float) -> None:
    new = with_a_backlog(10, "small", seed, vault_seconds)
    new.run(DAY)
    assert new.most_running == 10
    assert not new.dead
    assert new.done.total() == ALL
    assert new.left == 0


@pytest.mark.parametrize("seed", range(5))
def test_a_small_deployment_ends_all_its_work_while_customers_link_and_platforms_push(seed: int) -> None:
    new = with_a_backlog(10, "small", seed, 0.4)
    new.visited("public_api", 10, 600, calls_vault=False)
    new.visited("link", 1, 600, calls_vault=True)
    new.run(DAY)
    assert not new.dead.keys() & (CALL_THE_VAULT | DO_NOT).keys()
    assert sum(new.done[function] for function in CALL_THE_VAULT | DO_NOT) == ALL


@pytest.mark.parametrize("limit", [account.reserved() + account.UNRESERVED_MIN, account.needed(), 1000])
def test_a_full_deployment_ends_all_its_work_in_every_account_that_takes_it(limit: int) -> None:
    usual = with_a_backlog(limit, "full", 1, 5.0)
    usual.run(DAY)
    assert not usual.dead
    assert usual.done.total() == ALL


@pytest.mark.parametrize("seed", range(5))
def test_in_a_new_account_full_concurrency_would_live_lock(seed: int) -> None:
    """Why `make deploy` refuses it, as AWS refuses the vault's reservation there.

    In ten minutes, twice what all of it takes a small deployment, next to nothing that needs the vault is done.
    """
    new = with_a_backlog(10, "full", seed, 0.4)
    new.run(600)
    assert sum(new.done[function] for function in CALL_THE_VAULT) < 0.05 * sum(CALL_THE_VAULT.values())
