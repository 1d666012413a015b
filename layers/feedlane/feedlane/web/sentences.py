"""Sentences that several pages say."""

from __future__ import annotations

from feedlane.texts import say


def try_again_in(seconds: float | None) -> str:
    """When to try again, in the unit that people would use."""
    minutes = -(-int(seconds or 0) // 60)
    if minutes <= 1:
        return say("again.minute")
    return say("again.minutes", number=minutes) if minutes < 90 else say("again.hours", number=-(-minutes // 60))
