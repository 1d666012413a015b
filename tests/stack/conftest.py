"""A running 'test' instance for all stack tests: real deployment, IAM enforced, its own ports."""

from collections.abc import Iterator

import pytest

from local import system
from local.instance import Instance


@pytest.fixture(scope="session")
def instance() -> Iterator[Instance]:
    """Started once per session. One that runs already (`make up INSTANCE=test`) is brought up to date and kept."""
    found = Instance.named("test")
    was_running = all(system.status(found).values())
    system.start(found)
    yield found
    if not was_running:
        system.stop(found)
