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
