"""A running 'test' instance for the tests that need AWS: a real deployment, IAM enforced, its own ports."""

from __future__ import annotations

from collections.abc import Iterator
from typing import TYPE_CHECKING

import hypothesis
import pytest

from feedlane.store import attempts
from tests import rights

if TYPE_CHECKING:
    from local.instance import Instance


# No delay between two attempts at a commit: the fakes' conflicts are over at once.
attempts.sleep = lambda seconds: None
# What a property test finds does not depend on how busy the machine is.
hypothesis.settings.register_profile("any machine", deadline=None)
hypothesis.settings.load_profile("any machine")


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """Tests that check what all others have left behind run last."""
    items.sort(key=lambda item: item.get_closest_marker("last") is not None)


@pytest.hookimpl(wrapper=True)
def pytest_runtest_call() -> Iterator[None]:
    """A test fails if its function was refused a right, even if the function survived that."""
    rights.take_refusals()
    try:
        yield
    finally:
        if refusals := rights.take_refusals():
            pytest.fail("; ".join(refusals), pytrace=False)


@pytest.fixture(scope="session")
def instance() -> Iterator[Instance]:
    """Started once per session. An instance that already runs (`make up INSTANCE=test`) is updated and kept."""
    from local import system
    from local.instance import Instance
    from tests import schedules

    test_instance = Instance.named("test")
    was_running = all(system.status(test_instance).values())
    system.start(test_instance)
    with schedules.stopped(test_instance):
        yield test_instance
    if not was_running:
        system.stop(test_instance)
