"""A running 'test' instance for all tests that need AWS: real deployment, IAM enforced, its own ports."""

from __future__ import annotations

from collections.abc import Iterator
from typing import TYPE_CHECKING

import pytest

from feedlane.store import attempts

if TYPE_CHECKING:
    from local.instance import Instance


# Nobody waits between two attempts at a commit: the fakes' conflicts are over at once.
attempts.sleep = lambda seconds: None


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """What judges all that the others have left behind goes last."""
    items.sort(key=lambda item: item.get_closest_marker("last") is not None)


@pytest.fixture(scope="session")
def instance() -> Iterator[Instance]:
    """Started once per session. One that runs already (`make up INSTANCE=test`) is brought up to date and kept."""
    from local import system
    from local.instance import Instance
    from tests import schedules

    found = Instance.named("test")
    was_running = all(system.status(found).values())
    system.start(found)
    with schedules.stopped(found):
        yield found
    if not was_running:
        system.stop(found)
