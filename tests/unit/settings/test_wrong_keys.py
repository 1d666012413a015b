"""Wrong keys are slowed by the address they come from, and nobody else is."""

from __future__ import annotations

from datetime import datetime, timedelta

import pytest

from feedlane.errors import TooManyAttempts, Unauthorized
from feedlane.settings.wrong_keys import ADDRESSES_MAX, WINDOW, WRONG_KEYS_MAX, WrongKeys
from tests.builders import NOW

ADDRESS = "203.0.113.9"


def _wrong(keys: WrongKeys, address: str = ADDRESS, times: int = 1, now: datetime = NOW) -> None:
    for _ in range(times):
        with pytest.raises(Unauthorized), keys.counted(address, now):
            raise Unauthorized


def _refused(keys: WrongKeys, address: str = ADDRESS, now: datetime = NOW) -> int:
    """After how many seconds the next wrong key may come."""
    with pytest.raises(TooManyAttempts) as refused, keys.counted(address, now):
        raise Unauthorized
    return refused.value.retry_after


def _right(keys: WrongKeys, address: str = ADDRESS, now: datetime = NOW) -> None:
    with keys.counted(address, now):
        pass


def test_an_address_waits_for_the_rest_of_the_minute_after_twenty_wrong_keys() -> None:
    keys = WrongKeys()
    _wrong(keys, times=WRONG_KEYS_MAX - 1)
    _right(keys)
    _wrong(keys)
    assert _refused(keys, now=NOW + timedelta(seconds=20)) == 40
    _wrong(keys, "203.0.113.10")
    _wrong(keys, now=NOW + WINDOW)


def test_a_right_key_is_never_slowed_by_wrong_ones_from_its_address() -> None:
    """An instance that has just started has not seen the key yet."""
    keys = WrongKeys()
    _wrong(keys, times=WRONG_KEYS_MAX)
    _right(keys)


def test_right_keys_and_other_errors_are_not_counted() -> None:
    keys = WrongKeys()
    for _ in range(WRONG_KEYS_MAX * 2):
        _right(keys)
        with pytest.raises(ZeroDivisionError), keys.counted(ADDRESS, NOW):
            raise ZeroDivisionError
    _right(keys)


def test_the_addresses_of_one_ipv6_customer_are_one() -> None:
    keys = WrongKeys()
    for number in range(WRONG_KEYS_MAX):
        _wrong(keys, f"2001:db8:1:2::{number:x}")
    _refused(keys, "2001:db8:1:2:ffff::1")
    _wrong(keys, "2001:db8:1:3::1")


@pytest.mark.parametrize("address", ["", "nonsense", "x" * 10_000])
def test_what_is_no_address_is_one_source(address: str) -> None:
    keys = WrongKeys()
    _wrong(keys, address, WRONG_KEYS_MAX)
    _refused(keys, "")


def test_the_memory_is_bounded() -> None:
    keys = WrongKeys()
    _wrong(keys, times=WRONG_KEYS_MAX)
    for number in range(ADDRESSES_MAX * 3):
        _wrong(keys, f"10.0.{number // 250}.{number % 250}")
    assert len(keys._counts) == ADDRESSES_MAX
    _wrong(keys)
