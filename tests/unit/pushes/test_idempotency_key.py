"""`Idempotency-Key` on a push: a key identifies one push, for as long as Codat keeps it."""

from __future__ import annotations

from datetime import timedelta

import pytest

from feedlane.errors import Invalid
from feedlane.feeds.push_operation import PushStatus
from feedlane.feeds.push_operation_items import IDEMPOTENCY_KEY_RETENTION
from feedlane.ids import fingerprint
from feedlane.store import keys
from tests.builders import COMPANY
from tests.fakes.upstream import NO_FEEDS
from tests.interruptions import just_before
from tests.worlds.feeds import World, transactions

KEY = "0d4c2f3e-6f0b-4a57-9a5e-1f2d3c4b5a69"


@pytest.fixture
def world() -> World:
    return World(accounts=("account-1", "account-2"))


def refused(world: World, *arguments: object, **options: object) -> str:
    """Pushes with the key, and returns the message of the refusal."""
    with pytest.raises(Invalid) as caught:
        world.push(*arguments, idempotency_key=KEY, **options)  # type: ignore[arg-type]
    [finding] = caught.value.findings
    assert (finding.item_id, finding.validator) == ("Idempotency-Key", "IdempotencyKey")
    return finding.message


def test_the_same_key_and_content_give_the_same_operation_and_ring_again(world: World) -> None:
    """The invocation that accepted the push first may have crashed before the doorbell."""
    first = world.push(transactions(2), idempotency_key=KEY)
    world.queues.take("pushed")
    assert world.push(transactions(2), idempotency_key=KEY).key == first.key
    assert [sent["id"] for sent in world.queues.pushed] == [first.key]
    world.run()
    again = world.push(transactions(2), idempotency_key=KEY)
    assert (again.key, again.status) == (first.key, PushStatus.SUCCESS)
    assert world.sent_ids() == ["t1", "t2"]


def test_the_same_key_with_other_content_or_for_another_account_is_refused_by_name(world: World) -> None:
    first = world.push(transactions(2), idempotency_key=KEY)
    assert first.key in refused(world, transactions(3))
    assert first.key in refused(world, transactions(2), account="account-2")
    assert len(world.operations()) == 1


def test_a_failed_operation_is_still_the_keys_answer_and_another_key_starts_anew(world: World) -> None:
    world.upstream.answers.append(NO_FEEDS)
    first = world.push(transactions(2), idempotency_key=KEY)
    world.run()
    again = world.push(transactions(2), idempotency_key=KEY)
    assert (again.key, again.status, again.status_code) == (first.key, PushStatus.FAILED, 403)


def test_after_its_time_a_key_may_stand_for_another_push(world: World) -> None:
    first = world.push(transactions(2), idempotency_key=KEY)
    world.now += IDEMPOTENCY_KEY_RETENTION
    refused(world, transactions(3))
    world.now += timedelta(seconds=1)
    second = world.push(transactions(3), idempotency_key=KEY)
    assert second.key != first.key
    assert second.key in refused(world, transactions(4))


def test_a_key_for_content_that_came_without_one_stands_for_its_operation(world: World) -> None:
    first = world.push(transactions(2))
    assert world.push(transactions(2), idempotency_key=KEY).key == first.key
    refused(world, transactions(3))


def test_two_pushes_with_one_key_at_the_same_moment_make_one_operation(world: World) -> None:
    accepted = []
    touching = keys.idempotency(COMPANY, fingerprint(KEY))[1]
    just_before(
        world, "commit", lambda: accepted.append(world.push(transactions(3), idempotency_key=KEY)), touching=touching
    )
    message = refused(world, transactions(2))
    assert [operation.key for operation in world.operations()] == [accepted[0].key]
    assert accepted[0].key in message


@pytest.mark.parametrize("key", ["", " ", "a b", "k" * 129, "é"])
def test_what_is_no_key_is_refused(world: World, key: str) -> None:
    with pytest.raises(Invalid) as caught:
        world.push(transactions(1), idempotency_key=key)
    assert caught.value.findings[0].item_id == "Idempotency-Key"
    assert world.operations() == []
