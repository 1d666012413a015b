"""The system's resolver accepts many spellings of an address: only the resolved address counts."""

from __future__ import annotations

import pytest

from feedlane.errors import Invalid
from feedlane.webhooks.target_urls import check_url, resolve_host

pytestmark = pytest.mark.enable_socket

LOOPBACK = [
    "2130706433",
    "0x7f.1",
    "127.1",
    "0177.0.0.1",
    "127.0.0.1",
    "[::1]",
    "[::ffff:127.0.0.1]",
    "[0:0:0:0:0:ffff:7f00:1]",
]


@pytest.mark.parametrize("host", LOOPBACK)
def test_an_address_in_any_notation_is_judged_by_what_it_resolves_to(host: str) -> None:
    with pytest.raises(Invalid) as refused:
        check_url(f"https://{host}/", "public", resolve_host)
    assert refused.value.findings[0].validator == "PublicAddress"


def test_a_label_that_is_too_long_is_no_host() -> None:
    with pytest.raises(OSError, match="no such host"):
        resolve_host("a" * 64 + ".example.com", 443)
