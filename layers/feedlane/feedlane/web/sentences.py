"""Sentences that several pages say."""

from __future__ import annotations


def try_again_in(seconds: float | None) -> str:
    """When to try again, in the unit that people would use."""
    minutes = -(-int(seconds or 0) // 60)
    if minutes <= 1:
        return "Please try again in a minute."
    return (
        f"Please try again in {minutes} minutes." if minutes < 90 else f"Please try again in {-(-minutes // 60)} hours."
    )
