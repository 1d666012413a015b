"""Unmaps, remaps or removes the world's account."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from feedlane.companies import items as company_items
from feedlane.mapping import mapping, unmapping
from tests.builders import ACCOUNT, COMPANY, CONNECTION
from tests.rights import acting_as
from tests.worlds.feeds import World


def unmap(world: World) -> None:
    _act(world, unmapping.unmap)


def map_again(world: World) -> None:
    _act(world, mapping.map_account, "target")


def remove(world: World) -> None:
    _act(world, unmapping.remove_account, functions=("public_api",))


def _act(
    world: World,
    act: Callable[..., object],
    *arguments: Any,
    functions: tuple[str, ...] = ("public_api", "link"),
) -> None:
    connection = company_items.connection(world.store, COMPANY, CONNECTION)
    account = company_items.source_account(world.store, CONNECTION, ACCOUNT)
    with acting_as(*functions):
        act(world.ports, world.upstream, world.now, connection, account, *arguments)
