"""Each call goes to the upstream that its access is for, and Codat's is made when it is first needed."""

from __future__ import annotations

import inspect
from collections.abc import Callable
from typing import Any

import pytest

from feedlane.companies.connection import CODAT_ACCESS
from feedlane.feeds.upstream import TenantAccess, Upstream
from feedlane.feeds.upstreams import Upstreams

DIRECT = TenantAccess(tenant_id="tenant", token_set_id="tokens-1")
THROUGH_CODAT = TenantAccess(tenant_id="company", token_set_id=CODAT_ACCESS)
CALLS = [name for name, _ in inspect.getmembers(Upstream, inspect.isfunction) if not name.startswith("_")]


class Recorded:
    """Answers every call with its own name and the call's."""

    def __init__(self, name: str) -> None:
        self._name = name

    def __getattr__(self, call: str) -> Callable[..., Any]:
        return lambda *given: (self._name, call, given)


def none_needed() -> Any:
    pytest.fail("Codat's upstream was made")


@pytest.mark.parametrize("call", CALLS)
def test_every_call_goes_to_the_upstream_of_its_access(call: str) -> None:
    others = tuple(range(len(inspect.signature(getattr(Upstream, call)).parameters) - 2))
    xero: Any = Recorded("xero")
    made = Upstreams(xero, lambda: Recorded("codat"))  # type: ignore[arg-type, return-value]
    for access, name in ((DIRECT, "xero"), (THROUGH_CODAT, "codat")):
        assert getattr(made, call)(access, *others) in ((name, call, (access, *others)), None)


def test_codats_is_not_made_for_feeds_of_xero() -> None:
    xero: Any = Recorded("xero")
    assert Upstreams(xero, none_needed).key_memory(DIRECT) == ("xero", "key_memory", (DIRECT,))
