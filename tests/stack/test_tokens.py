"""Tokens on the deployed stack: twenty environments of the vault's function at once."""

from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor
from typing import Any

import httpx

from feedlane.ids import fingerprint
from feedlane.store import keys
from feedlane.store.table import Add
from local.instance import Instance
from tests.stack.probes.given import given

TWENTY = 20


def test_twenty_invocations_that_report_a_dead_token_cost_one_refresh_and_all_get_the_new_one(
    instance: Instance,
) -> None:
    # Given a token, no longer new, that Xero has refused to somebody
    own = given(instance)
    grant = own.grant(own.demo_tenant)
    token_set, old = str(grant["token_set_id"]), str(grant["access_token"])
    own.store.commit(Add(keys.lease(token_set), "fencing", 1, set={"published": 0}))
    before = len(_refreshes(instance))

    # When twenty ask for another one at once
    question = {"action": "access_token", "token_set_id": token_set, "rejected": fingerprint(old)}
    with ThreadPoolExecutor(TWENTY) as pool:
        answers = list(
            pool.map(lambda _: own.functions.call("credential_vault:push_statements", question), range(TWENTY))
        )

    # Then Xero is asked once
    tokens = {_asked(answer) for answer in answers}
    assert len(tokens) == 1
    assert old not in tokens
    assert len(_refreshes(instance)) - before == 1


def _asked(answer: dict[str, Any]) -> str:
    return str(answer["ok"]["value"])


def _refreshes(instance: Instance) -> list[dict[str, Any]]:
    calls = httpx.get(f"{instance.simulator_url}/_simulator/calls", timeout=30, trust_env=False).json()["calls"]
    return [call for call in calls if call["path"] == "/connect/token" and call["status"] == 200]
