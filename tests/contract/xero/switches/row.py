"""A row of the table: one position of one switch, what happens to a customer, and what Feedlane does."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, NamedTuple

from tests.contract.xero.switches.job import WITHOUT_BANK_FEEDS, Did, Job

MAIN_JOB_DONE = Did(["t1", "t2", "t3"], held=[WITHOUT_BANK_FEEDS])


class Row(NamedTuple):
    """`says` is the sentence in the documentation. `main_job` is what the main job comes to at this position."""

    switch: str
    position: Any
    says: str
    happens: Callable[[Job], None]
    did: Did
    main_job: Did = MAIN_JOB_DONE

    @property
    def name(self) -> str:
        return f"{self.switch}={self.position}"


class Says(NamedTuple):
    """A sentence about a position at which something else comes of it."""

    sentence: str
    did: Did
    main_job: Did = MAIN_JOB_DONE


def rows(switch: str, happens: Callable[[Job], None], did: Did, positions: dict[Any, str | Says]) -> list[Row]:
    """One row for each position. `did` is what comes of it, where a sentence alone is given."""
    found = []
    for position, said in positions.items():
        says = said if isinstance(said, Says) else Says(said, did)
        found.append(Row(switch, position, says.sentence, happens, says.did, says.main_job))
    return found
