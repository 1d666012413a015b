"""JSON from outside: an object, or nothing."""

from __future__ import annotations

from typing import Any

import pytest

from feedlane.json_object import json_object


@pytest.mark.parametrize(
    ("text", "value"),
    [
        ('{"a": 1}', {"a": 1}),
        (b'{"a": 1}', {"a": 1}),
        ("{}", {}),
        ("[]", None),
        ("null", None),
        ("1", None),
        ("", None),
        (b"<html></html>", None),
        (b"\xff", None),
        ("[" * 100_000, None),
        ('{"a": "b \\ud83d", "\\udfff": ["\\ud83d\\ude00"]}', {"a": "b ?", "?": ["\U0001f600"]}),
        (b'{"a": "\xed\xa0\xbd"}', {"a": "?"}),
    ],
)
def test_only_an_object_is_something(text: str | bytes, value: dict[str, Any] | None) -> None:
    assert json_object(text) == value
