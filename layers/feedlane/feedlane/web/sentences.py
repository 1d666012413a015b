"""What is wrong with a form, in sentences for the person who filled it in."""

from __future__ import annotations

from collections.abc import Mapping

from feedlane.errors import Invalid


def error_sentences(error: Invalid, labels: Mapping[str, str]) -> list[str]:
    """`labels` are the form's labels by the API's field names."""
    if not error.findings:
        return [error.message]
    return [
        f"{labels.get(finding.item_id, finding.item_id)}: {finding.message.rstrip('.')}." for finding in error.findings
    ]


def try_again_in(seconds: float | None) -> str:
    """When to try again, in the unit that people would use."""
    minutes = -(-int(seconds or 0) // 60)
    if minutes <= 1:
        return "Please try again in a minute."
    return (
        f"Please try again in {minutes} minutes." if minutes < 90 else f"Please try again in {-(-minutes // 60)} hours."
    )
