"""Events about what only the customer can mend carry what to write to the customer, in each language."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

from feedlane.customer_messages import customer_messages
from feedlane.texts import LANGUAGES, catalogue

API = (Path(__file__).parents[2] / "docs" / "api.md").read_text()
REASONS = [key.removeprefix("message.why.") for key in catalogue("en") if key.startswith("message.why.")]


@pytest.mark.parametrize("reason", REASONS)
def test_each_language_has_a_subject_and_a_whole_text(reason: str) -> None:
    messages = customer_messages(reason)
    assert messages is not None
    assert tuple(messages) == LANGUAGES
    for language, message in messages.items():
        assert catalogue(language)[f"message.why.{reason}"] in message["text"]
        assert "{" not in message["subject"] + message["text"]


@pytest.mark.parametrize("reason", ["app-keys-rejected", "push-refused", "invalid-data", "statement-not-found", ""])
def test_what_the_customer_cannot_mend_is_not_written_to_the_customer(reason: str) -> None:
    assert customer_messages(reason) is None


def test_the_reasons_are_those_of_holds() -> None:
    of_holds = set(re.findall(r"^\| `([a-z-]+)` \| (?:app|tenant|connection|feed) \|", API, re.M))
    assert set(REASONS) - of_holds == {"missing-scope"}, "which is a fault of a connection"
