"""The other Xero: each schedule has some of the simulator's switches in another position, drawn by its seed."""

from __future__ import annotations

import random
from typing import Any

# The positions other than the default that are drawn. Those about versions of feed connections are drawn in
# `feed_versions.py`. Left out: `feed_connections` "rejectedLater", because no account
# is ever mapped; `redirects` and `login_host`, because schedules have no browser (their rows in
# `tests/contract/xero/` have one's requests).
DRAWN: dict[str, tuple[Any, ...]] = {
    "amounts": ("numbers",),
    "signed_amounts": ("refuse",),
    "rejections": ("items", "root"),
    "rejected_ids": ("used",),
    "duplicates_found": ("whileProcessing",),
    "duplicate_key": ("idAndContent", "idOrContent"),
    "duplicate_scope": ("account",),
    "listed_after_seconds": (45.0, 600.0),
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
    # With synthetic balances and without backfills only (`ledger_rules.py`): such a Xero takes nothing behind a gap,
    # and no earlier day.
    "order": ("enforce",),
}
SHARE = 0.3


def draw(seed: int) -> dict[str, Any]:
    """Positions by switch. They have random numbers of their own: the schedule's stay the same."""
    rng = random.Random(f"switches of {seed}")
    turned = {name: rng.choice(others) for name, others in DRAWN.items() if rng.random() < SHARE}
    if turned.get("duplicate_key") == "idOrContent":
        # Not together: if Xero counts lines that it dropped, nothing at all shows that it dropped them.
        turned.pop("line_count", None)
    return turned
