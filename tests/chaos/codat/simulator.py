"""Codat's simulator in the same process, on the virtual clock, with ids that are the same in every run."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from types import SimpleNamespace
from typing import Any
from unittest.mock import patch

from local.codat_simulator import companies, connections, events, gateway, pushes, settling, state
from local.codat_simulator.app import create_app
from local.codat_simulator.idempotency import IdempotencyCache
from local.codat_simulator.state import Codat
from local.simulator.answers import Answer
from local.simulator.api_call import ApiCall
from local.simulator.clock import Clock
from tests.builders import numbered_ids
from tests.chaos.causes import ChaosFaults
from tests.chaos.codat.causes import CodatCauses
from tests.chaos.faults import Faults
from tests.chaos.timeline import Timeline
from tests.chaos.transport import pause

# The modules of the simulator that make ids.
_NAMING = (companies, connections, events, pushes, settling, state)
# Of the ids of Codat's, so that none is one of ours.
_FIRST_ID = 900_000_000_001


class ForgetfulCache(IdempotencyCache):
    """Codat promises to keep an Idempotency-Key. Where this fault strikes, it has lost one."""

    def __init__(self, faults: Faults) -> None:
        super().__init__()
        self._faults = faults

    def begin(self, call: ApiCall, *arguments: Any, **keywords: Any) -> Answer | None:
        key = call.headers.get("idempotency-key", "")
        if key in self._kept and self._faults.strike("codat_key_forgotten"):
            del self._kept[key]
        return super().begin(call, *arguments, **keywords)


class InProcessCodat:
    """A simulator and its application, reset for every schedule."""

    def __init__(self) -> None:
        self.sim = Codat()
        self.app = create_app(self.sim)
        self.causes: CodatCauses | None = None
        self._new_id = numbered_ids(_FIRST_ID)

    @classmethod
    @contextmanager
    def in_process(cls) -> Iterator[InProcessCodat]:
        """A simulator that waits by the virtual clock instead of an event loop's."""
        made = cls()
        with ExitStack() as stack:
            stack.enter_context(patch.object(gateway, "asyncio", SimpleNamespace(sleep=pause)))
            stack.enter_context(patch.object(settling, "deliver", made._deliver))
            for module in _NAMING:
                stack.enter_context(patch.object(module, "new_id", lambda: made._new_id()))
            yield made

    def fresh(self, timeline: Timeline, faults: Faults) -> CodatCauses:
        self._new_id = numbered_ids(_FIRST_ID)
        self.sim.clock = Clock(timeline.now)
        self.sim.reset()
        self.sim.idempotency = ForgetfulCache(faults)
        self.causes = CodatCauses(self.sim, timeline, faults)
        self.sim.faults = ChaosFaults(self.causes)
        return self.causes

    def _deliver(self, *arguments: Any, **keywords: Any) -> Any:
        assert self.causes is not None
        return self.causes.deliver(*arguments, **keywords)
