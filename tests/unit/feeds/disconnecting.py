"""Unmaps, maps again or removes the account of the world."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from feedlane import mapping, unmapping
from tests.builders import ACCOUNT, COMPANY, CONNECTION
from tests.worlds.feeds import World


def unmap(world: World) -> None:
    _act(world, unmapping.unmap)


def map_again(world: World) -> None:
    _act(world, mapping.map_account, "target")


def remove(world: World) -> None:
    _act(world, unmapping.remove_account)


def _act(world: World, act: Callable[..., object], *more: Any) -> None:
    connection = world.store.connection(COMPANY, CONNECTION)
    account = world.store.source_account(CONNECTION, ACCOUNT)
    act(world.store, world.upstream, world.queues, world.now, world.new_id, connection, account, *more)
