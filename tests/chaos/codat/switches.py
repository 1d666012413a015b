"""The other Codat: each schedule has some of its simulator's switches in another position, drawn by its seed."""

from __future__ import annotations

import random
from typing import Any

# The positions other than the default that are drawn. Left out: `timed_out_lines`, because we ask for no time limit
# (`push_timed_out` ends operations by itself); `feed_scope` and `error_texts`, because schedules have no browser.
DRAWN: dict[str, tuple[Any, ...]] = {
    "invalid_push": ("failed",),
    "not_connected_status": (403, 404, 409),
    "balance": ("optional",),
    "sums": ("unchecked",),
    "known_ids": ("accepted",),
    "repeated_ids": ("refused",),
    "today": ("UTC",),
    "downstream": ("text", "validation"),
    "failed_status_code": ("400",),
    "timed_out_status_code": (400, 504),
    "data_echo": ("always", "always", "never"),
    "push_order": ("oldestFirst",),
    "listed_after_seconds": (45.0, 600.0),
    "long_texts": ("cut",),
    "appears": ("operationAfterNext", "atOnce"),
    "existing_target": ("connecting",),
    "refused_mapping": ("body",),
    "sort_code": ("never", "always"),
    "second_link": ("both",),
    "one_time_passwords": (True,),
    "malformed_key": ("accepted",),
    "unknown_fields": ("refused",),
}
SHARE = 0.3


def draw(seed: int) -> dict[str, Any]:
    """Positions by switch, with random numbers of their own."""
    rng = random.Random(f"switches of Codat of {seed}")
    return {name: rng.choice(others) for name, others in DRAWN.items() if rng.random() < SHARE}
