"""What the vault answers about the keys: never the keys themselves."""

from __future__ import annotations

import pytest

from feedlane.credentials.messages import parse_message, perform
from feedlane.credentials.vault import KeysCheck
from tests.worlds.app_keys import World
from tests.worlds.vault import CLIENT_ID, NEW_SECRET, SECRET


@pytest.fixture
def world() -> World:
    return World()


def _ask(world: World, **fields: object) -> dict[str, object]:
    return perform(world.vault(), parse_message({"action": "app_keys", **fields}))


def test_without_keys_there_is_nothing_to_tell(world: World) -> None:
    assert KeysCheck.model_validate(_ask(world, check=True)) == KeysCheck(ok=None)


def test_the_keys_are_told_by_their_ends(world: World) -> None:
    world.save(CLIENT_ID, SECRET)
    answer = _ask(world)
    assert (answer["ok"], answer["client_id"], answer["endings"]) == (True, CLIENT_ID, [SECRET[-4:]])
    assert SECRET not in str(answer)


@pytest.mark.parametrize(("known", "ok"), [([SECRET], True), ([NEW_SECRET], True), ([], False)])
def test_one_secret_that_xero_knows_is_enough(world: World, known: list[str], ok: bool) -> None:
    world.server.secrets = [SECRET, NEW_SECRET]
    world.save(CLIENT_ID, SECRET)
    world.add(NEW_SECRET)
    world.server.secrets = known
    assert _ask(world, check=True)["ok"] is ok
