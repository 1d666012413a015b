"""Every page of the portal asks for a bounded number of items, whatever the stack holds, at a bounded cost."""

from __future__ import annotations

import pytest

from tests.benchmarks.pages import ITEMS_MAX, ONLY_ANSWERS, PATHS, RATIO_MAX, cost
from tests.work import calls
from tests.worlds.crowded_portal import crowded
from tests.worlds.web import World


@pytest.fixture(scope="module")
def small() -> World:
    return crowded(130, 130, 26)


@pytest.fixture(scope="module")
def large() -> World:
    return crowded(390, 390, 26)


@pytest.mark.parametrize("name", PATHS)
def test_a_page_reads_no_more_of_three_times_as_much(small: World, large: World, name: str) -> None:
    before, after = cost(small, PATHS[name], rounds=1), cost(large, PATHS[name], rounds=1)
    assert after.items <= min(ITEMS_MAX, before.items)
    assert after.requests <= before.requests


@pytest.mark.parametrize("name", PATHS)
def test_a_page_does_at_most_ten_times_the_work_of_one_that_only_answers(large: World, name: str) -> None:
    """Counted in calls, so that a busy machine changes nothing. `make bench ONLY=pages` measures the CPU."""
    assert _calls(large, PATHS[name]) <= RATIO_MAX * _calls(large, ONLY_ANSWERS)


def _calls(world: World, path: str) -> int:
    world.browser.get(path)  # what is read once is read now
    return calls(lambda: world.browser.get(path))
