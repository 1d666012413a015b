"""What operators, customers and platforms do about the causes that lie with Codat."""

from __future__ import annotations

from functools import partial

from feedlane.companies.connection import Connection
from feedlane.errors import Invalid
from feedlane.settings import codat_keys
from local.codat_simulator.records import ApiKey
from tests.chaos.causes import NEVER_ACCEPTED, Cause
from tests.chaos.codat.causes import DEAUTHORISED, KEY_WITHDRAWN, UNLINKED
from tests.chaos.codat.world import CodatWorld
from tests.chaos.operator import Operator
from tests.chaos.world import Place
from tests.rights import acting_as


class CodatOperator(Operator):
    world: CodatWorld

    def disconnect(self, connection: Connection) -> None:
        if connection.hosted is not None:
            self.world.hosted_link.disconnect(connection.hosted)

    def _fix(self, cause: Cause) -> None:
        if cause.kind == KEY_WITHDRAWN and (self.world.codat.api_keys or self.world.rng.random() < 0.5):
            self._enter_another_key()
        if cause.kind not in (NEVER_ACCEPTED, DEAUTHORISED, UNLINKED):
            self.world.causes.fix(cause)

    def _enter_another_key(self) -> None:
        """Codat gives out another key, which the operator enters; once more if it was not stored the last time."""
        world, number = self.world, len(self.world.secrets_known)
        if not world.codat.api_keys:
            key = f"codat-key-number-{number}-0000000000000000"
            world.codat.api_keys = [ApiKey(f"key-{number}", "another", key, world.now)]
        [key] = [one.key for one in world.codat.api_keys]
        world.secrets_known.add(key)
        with acting_as("public_api"):
            try:
                codat_keys.change_key(world.ports, world.vault, world.now, key)
            except Invalid as refused:
                raise AssertionError("the key is one of Codat's") from refused
        world.faults.count("key_replaced")

    def _reconnect(self, place: Place) -> None:
        """The customer comes again if the connection has ended, here or at Codat."""
        world = self.world
        connection = world.connection_of(place)
        there = world.at_codat(connection)
        is_linked = there is not None and there.status == "Linked"
        if is_linked and connection.is_linked and not connection.needs_reconnection:
            return
        world.patiently(partial(world.consent, connection, "", ""))
        world.faults.count("reconnected")
        for cause in [one for one in world.causes.active if there is not None and one.subject == there.id]:
            world.causes.fix(cause)

    def _reject_mapping(self, place: Place) -> None:
        """Codat rejects no mapping later."""
