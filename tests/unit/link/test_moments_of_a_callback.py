"""Wherever a callback is interrupted, the browser's reload ends it: linked, once, with a session and one password."""

from __future__ import annotations

import itertools
from collections.abc import Callable, Iterator
from typing import Any

import pytest

from feedlane.errors import Unavailable
from feedlane.ids import fingerprint, new_secret
from feedlane.link import passwords as link_passwords
from tests.fakes.browser import PageResponse
from tests.fakes.consent import ACME, OTHER
from tests.interruptions import step_around
from tests.worlds.web import World


class Throttled(Exception):
    """A call that is refused now and taken later."""


class Killed(BaseException):
    """The process ends here: nothing survives it but what is stored."""


MODES = [(Throttled, False), (Throttled, True), (Unavailable, False), (Killed, False)]


@pytest.mark.parametrize(("error", "lasting"), MODES)
def test_the_reload_of_an_interrupted_callback_ends_linked_once(error: type[BaseException], lasting: bool) -> None:
    steps = 0
    for world, url, password in _interrupted_everywhere(error, lasting, [ACME]):
        response = world.browser.get(url)
        _require_linked_once(world, response, password)
        steps += 1
    assert steps > 25


@pytest.mark.parametrize(("error", "lasting"), MODES)
def test_the_reload_of_an_interrupted_choice_ends_linked_once(error: type[BaseException], lasting: bool) -> None:
    for world, url, password in _interrupted_everywhere(error, lasting, [ACME, OTHER]):
        response = world.browser.get(url)
        assert response.path == f"{world.base()}/organisation", response.body
        form = {"formToken": world.form_token(response.path), "tenantId": ACME.tenant_id}
        _require_linked_once(world, world.browser.post(response.path, form), password)


@pytest.mark.parametrize(("error", "lasting"), MODES)
def test_a_choice_that_is_interrupted_can_be_sent_again(error: type[BaseException], lasting: bool) -> None:
    for step in itertools.count(1):
        world, url, password = _back_from_xero([ACME, OTHER])
        path = world.browser.get(url).path
        form = {"formToken": world.form_token(path), "tenantId": ACME.tenant_id}
        is_over = _interrupt(world, step, error, lasting, lambda: world.browser.post(path, form))  # noqa: B023
        _require_linked_once(world, world.browser.post(path, form), password)
        if is_over:
            return


def test_a_second_browser_gets_nothing_of_it() -> None:
    world, url, _ = _back_from_xero([ACME])
    world.browser.get(url)
    world.browser.jar.clear()
    assert world.browser.get(url).status == 403


def test_after_ten_minutes_the_same_answer_gives_no_session() -> None:
    world, url, _ = _back_from_xero([ACME])
    world.browser.get(url)
    world.advance(minutes=10)
    response = world.browser.get(url)
    assert response.status == 409
    assert not response.cookies


def test_a_reload_at_the_same_time_links_once_and_continues() -> None:
    world, url, password = _back_from_xero([ACME])
    real = world.table.commit

    def reload_first(*writes: Any) -> None:
        world.table.commit = real
        world.browser.get(url)
        real(*writes)

    world.table.commit = reload_first
    _require_linked_once(world, world.browser.get(url), password)


def test_a_consent_that_came_to_nothing_is_recorded_once_wherever_it_is_interrupted() -> None:
    for step in itertools.count(1):
        world, url, password = _back_from_xero([], code="dead")
        is_over = _interrupt(world, step, Throttled, True, lambda: world.browser.get(url))  # noqa: B023
        assert world.browser.get(url).status in {400, 409}
        assert world.event_types == ["connection.failed"]
        assert not _password(world, password).spent
        if is_over:
            return


def _back_from_xero(consented: list[Any], code: str = "code-1") -> tuple[World, str, str]:
    """A customer with a link with a password, and the URL with which Xero sends the browser back."""
    world = World(link_passwords=True)
    world.add_account()
    world.site.organisations.consented = consented
    issued = link_passwords.issue_connection_passwords(world.store, world.now, new_secret, [world.connection])
    password = issued[world.connection.id]
    state = world.start(query=f"?otp={password}")
    return world, f"/oauth/callback?code={code}&state={state}", password


def _interrupted_everywhere(
    error: type[BaseException], lasting: bool, consented: list[Any]
) -> Iterator[tuple[World, str, str]]:
    for step in itertools.count(1):
        world, url, password = _back_from_xero(consented)
        is_over = _interrupt(world, step, error, lasting, lambda: world.browser.get(url))  # noqa: B023
        yield world, url, password
        if is_over:
            return


def _interrupt(
    world: World, step: int, error: type[BaseException], lasting: bool, act: Callable[[], PageResponse]
) -> bool:
    """Fails at this step: before or after a call, from 1; with `lasting`, at all from there. Whether none was left."""
    site: Any = world.site
    places: list[tuple[Any, str]] = [
        *((world.table, name) for name in ("get", "get_many", "query", "commit")),
        *((world.queues, name) for name in ("follow_up", "wake")),
        *((site.vault, name) for name in ("exchange_code", "access_token")),
        *((site.organisations, name) for name in ("authorised_in", "details", "remove")),
    ]
    steps = 0

    def take_step() -> None:
        nonlocal steps
        steps += 1
        if steps == step or (lasting and steps > step):
            raise error("interrupted")

    restore = step_around(places, take_step)
    try:
        act()
    except Killed:
        pass
    finally:
        restore()
    return steps < step


def _require_linked_once(world: World, response: PageResponse, password: str) -> None:
    assert response.status in {302, 303}, response.body
    assert response.path == f"{world.base()}/accounts"
    assert world.browser.get(response.path).status == 200
    tenant = world.current().tenant
    assert world.current().is_linked
    assert tenant is not None
    assert tenant.id == ACME.tenant_id
    assert [kind for kind in world.event_types if kind != "connection.failed"] == ["connection.connected"]
    assert world.event_types.count("connection.failed") <= 1, "of an outage during the consent, once"
    assert all(fault.resolved_on for fault in world.current().errors)
    assert world.site.vault.exchanged == ["code-1"]
    assert _password(world, password).spent
    assert world.site.organisations.removed in ([], [OTHER.tenant_id], [OTHER.tenant_id] * 2)


def _password(world: World, clear: str) -> link_passwords.LinkPassword:
    password = link_passwords.find_password_by_fingerprint(world.store, fingerprint(clear))
    assert password is not None
    return password
