"""What is wrong with a form, in sentences for the person who filled it in."""

from __future__ import annotations

from collections.abc import Mapping

from feedlane.errors import Invalid


def error_sentences(error: Invalid, labels: Mapping[str, str]) -> list[str]:
    """`labels` are the form's own words for what the API calls by its field's name."""
    if not error.findings:
        return [error.message]
    return [f"{labels.get(one.item_id, one.item_id)}: {one.message.rstrip('.')}." for one in error.findings]
