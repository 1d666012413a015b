"""The guides name files that exist: whoever follows CONTRIBUTING.md or docs/architecture.md finds each path."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

from feedlane.queues import MESSAGE_BYTES_MAX

ROOT = Path(__file__).parents[2]
PACKAGE = ROOT / "layers/feedlane/feedlane"
PATH = re.compile(r"`((?:[\w.]+/)*[\w.]+\.(?:py|md|html|yaml|toml|json)|(?:[\w.]+/)+)`")


@pytest.mark.parametrize("guide", ["CONTRIBUTING.md", "docs/architecture.md", "docs/security.md"])
def test_every_path_in_a_guide_exists(guide: str) -> None:
    paths = set(PATH.findall((ROOT / guide).read_text()))
    assert paths
    assert [path for path in sorted(paths) if not _exists(path)] == []


def _exists(path: str) -> bool:
    """A name without a folder, such as `items.py`, stands for the file of that name in any wing."""
    if "/" not in path and any(PACKAGE.rglob(path)):
        return True
    return (ROOT / path).exists() or (PACKAGE / path).exists()


def test_producers_are_told_of_deduplication_ids_and_of_the_size_of_a_message() -> None:
    """SQS drops a repeated body silently: the example that everybody copies gives each sending its own id."""
    readme, api = (ROOT / "README.md").read_text(), (ROOT / "docs/api.md").read_text()
    [example] = re.findall(r"sqs\.send_message\(.*?^\)", readme, re.DOTALL | re.MULTILINE)
    assert "MessageDeduplicationId=str(uuid.uuid4())" in example
    schema = (ROOT / "docs/queue-message.schema.json").read_text()
    for text in (readme, api, schema):
        assert "MessageDeduplicationId" in text
        assert f"{MESSAGE_BYTES_MAX:,} bytes" in text
