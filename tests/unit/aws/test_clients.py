"""How long AWS is waited for: each function can still say that a service does not answer."""

from __future__ import annotations

import pytest

from feedlane.aws import clients
from tests.stack.template import functions

# botocore's standard mode pauses up to 1, 2, 4 … seconds between attempts.
PAUSES_MAX = sum(2**number for number in range(clients.ATTEMPTS - 1))


@pytest.mark.parametrize("function", sorted(functions()))
def test_a_service_that_hangs_leaves_the_function_time_to_say_so(function: str) -> None:
    timeout = functions()[function]["Timeout"]
    assert timeout > clients.ATTEMPTS * (clients.CONNECT_TIMEOUT + clients.READ_TIMEOUT) + PAUSES_MAX
