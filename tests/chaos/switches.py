"""The other Xero: each schedule has some of the simulator's switches in another position, drawn by its seed."""

from __future__ import annotations

import random
from typing import Any

# The positions other than the default that are drawn. Not yet: what the product does not withstand.
DRAWN: dict[str, tuple[Any, ...]] = {
    "amounts": ("numbers",),
    "signed_amounts": ("refuse",),
    "rejections": ("items", "root"),
    "duplicate_key": ("idAndContent",),
    "duplicate_scope": ("account",),
    "line_count": ("received",),
    "line_count_type": ("integer",),
    "zero_lines": ("refuse",),
    "lines_outside_period": ("refuse",),
    "mixed_status": (207, 400),
    "size_checked": ("first",),
    "lengths": ("utf16",),
    "today": ("UTC", "Pacific/Auckland", "America/Los_Angeles"),
    "feed_connections": ("checkedLater",),
    "currency_checked": ("account", "statements"),
    "country": ("required", "refused"),
    "feed_list_status": (202,),
    "first_page": (0,),
    "ids": ("opaque",),
    "malformed_id": (400,),
    "grace_replay": ("samePair",),
    "refresh_ends_access_token": (True,),
    "refresh_answer": ("withoutToken",),
    "expires_in": ("text",),
    "second_consent": ("ends", "keeps", "shares"),
    "reconnected_id": ("new",),
    "access_token_idp": ("present",),
    "missing_scope": (401,),
    "limit_names": ("long",),
    "time_zone_names": ("spaced", "iana", "absent"),
}
SHARE = 0.3


def draw(seed: int) -> dict[str, Any]:
    """Positions by switch. They have random numbers of their own: the schedule's stay the same."""
    rng = random.Random(f"switches of {seed}")
    return {name: rng.choice(others) for name, others in DRAWN.items() if rng.random() < SHARE}
