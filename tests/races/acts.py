"""The acts of a race: each seed runs all of them, in a random order and at random moments."""

from __future__ import annotations

import uuid
from collections.abc import Callable

from feedlane.ids import fingerprint
from tests.races.process import Answer
from tests.races.world import AFTER_LEASE_SECONDS, DAY_SECONDS, HOUR_SECONDS, HURRY, MINUTE_SECONDS, TOKEN_PATH, World

Act = Callable[[World], None]
NEW_SECRET = "the-new-secret-of-the-app-{}"
# A refresh has at most about this many moments: transactions take the leases, and one returns them.
MOMENTS_MAX = 26
NEIGHBOURS = 4
REFRESH_MOMENTS = (f"before {TOKEN_PATH}", f"after {TOKEN_PATH}", "before PutSecretValue", "after PutSecretValue")
HARMLESS_KINDS = {"ok", "Unavailable", "Failed", "Dead"}


def twenty_ask_at_once(world: World) -> None:
    world.expire()
    before = len(world.token_calls())
    if world.rng.random() < 0.5:
        world.fault(fault="delay", seconds=round(world.rng.uniform(0, 0.3), 3))
    answers = world.ask(20)
    label = "twenty at once"
    world.expect_one_token(answers, label)
    world.expect_no_one_lost(answers, label)
    refreshes = world.refreshes(before)
    world.expect(refreshes == 1, f"{label}: {refreshes} refreshes")


def twenty_report_a_401(world: World) -> None:
    """The token is not new, and no 401 has led to a refresh lately."""
    world.advance(HOUR_SECONDS)
    [rejected] = world.ask(1)
    world.advance(6 * MINUTE_SECONDS)
    before = len(world.token_calls())
    answers = world.ask(20, fingerprint(rejected.value or ""))
    token = world.expect_one_token(answers, "twenty with a 401")
    refreshes = world.refreshes(before)
    world.expect(refreshes == 1 and token != rejected.value, f"twenty with a 401: {refreshes} refreshes")


def neighbours_refresh_at_once(world: World) -> None:
    """Other customers, who may share the secret: each keeps its own token, whoever of them dies at any moment."""
    label = "neighbours at once"
    ids = [world.token_set, *(world.consent(str(uuid.UUID(int=world.rng.getrandbits(128)))) for _ in range(NEIGHBOURS))]
    for _ in range(2):
        world.expire()
        world.expect_no_one_lost(world.ask_each([world.request_of(id) for id in ids]), label)
        world.advance(AFTER_LEASE_SECONDS)
    world.expire()
    deaths = {world.rng.randrange(len(ids)): world.rng.randint(1, MOMENTS_MAX)}
    asks = [world.request_of(id, at=deaths.get(number), hurry=HURRY) for number, id in enumerate(ids)]
    answers = world.ask_each([*asks, *(world.request_of(id, hurry=HURRY) for id in ids * 3)])
    world.expect_no_one_lost(answers, label)
    world.expect({answer.kind for answer in answers} <= HARMLESS_KINDS, f"{label}: {answers}")
    world.advance(world.rng.choice((AFTER_LEASE_SECONDS, 25 * MINUTE_SECONDS)))
    for id in ids:
        world.expect_one_token(world.ask_each([world.request_of(id)] * 2), label)
    world.expire()
    heirs = world.ask_each([world.request_of(id) for id in ids])
    world.expect_tokens(heirs, label)
    world.expect(len({answer.value for answer in heirs}) == len(ids), f"{label}: two share a token")


def versions_are_shown_late(world: World) -> None:
    """The first reads of each instance do not show what another has written."""
    times = world.rng.randint(1, 9)
    label = f"versions hidden from {times} reads"
    world.expire()
    before = len(world.token_calls())
    answers = world.ask(8, hurry=HURRY, answers={"GetSecretValue": ("hidden", times)})
    _expect_recovery(world, answers, before, label)


def dies_between_xeros_answer_and_the_store(world: World) -> None:
    _let_holder_die(world, f"after {TOKEN_PATH}", world.rng.uniform(AFTER_LEASE_SECONDS, 25 * MINUTE_SECONDS))


def dies_between_the_store_and_the_answer(world: World) -> None:
    """The pair is stored but not announced, even long after the old one has died at Xero."""
    _let_holder_die(
        world, "after PutSecretValue", world.rng.choice((AFTER_LEASE_SECONDS, 20 * MINUTE_SECONDS, 40 * MINUTE_SECONDS))
    )


def dies_at_any_moment(world: World) -> None:
    _let_holder_die(world, world.rng.randint(1, MOMENTS_MAX), AFTER_LEASE_SECONDS)


def _let_holder_die(world: World, at: str | int, later: float) -> None:
    label = f"a holder that dies at {at}"
    world.expire()
    before = len(world.token_calls())
    others = [world.request(hurry=HURRY)] * world.rng.randint(1, 4)
    answers = world.ask_each([world.request(at=at), *others])
    if isinstance(at, str):
        # The first instance refreshes. If it is not the one that was to die, none dies.
        world.expect(answers[0].kind in ("Dead", "ok", "Unavailable"), f"{label}: {answers[0]}")
    world.expect_no_one_lost(answers, label)
    world.expect({answer.kind for answer in answers} <= HARMLESS_KINDS, f"{label}: {answers}")
    world.advance(later)
    heirs = world.ask(4)
    world.expect_tokens(heirs, label)
    world.expect_no_one_lost(heirs, label)
    world.expect_one_at_a_time(before, label)


def dies_alone(world: World) -> None:
    """The holder is alone and certain to die in the middle of its refresh."""
    at = world.rng.choice(REFRESH_MOMENTS)
    label = f"a single holder that dies at {at}"
    world.expire()
    before = len(world.token_calls())
    [answer] = world.ask(1, at=at)
    world.expect(answer.kind == "Dead", f"{label}: {answer}")
    [early] = world.ask(1, hurry=HURRY)
    if early.kind == "ok":
        # The previous version has lost its labels; then the dead holder's pair is valid, though unannounced.
        world.expect_tokens([early], label)
    else:
        world.expect(early.kind == "Unavailable", f"{label}: {early}")
    world.advance(AFTER_LEASE_SECONDS)
    heirs = world.ask(6)
    world.expect_tokens(heirs, label)
    world.expect_no_one_lost(heirs, label)
    refreshes = world.refreshes(before)
    world.expect(1 <= refreshes <= 2, f"{label}: {refreshes} refreshes")


def answers_are_lost(world: World) -> None:
    times = world.rng.randint(1, 6)
    label = f"{times} lost answers"
    world.expire()
    before = len(world.token_calls())
    world.fault(fault="dropResponse", times=times, when=world.rng.choice(("before", "after")))
    answers = world.ask(4, hurry=HURRY if times > 1 else 1.0)
    if times == 1:
        world.expect_one_token(answers, label)
    _expect_recovery(world, answers, before, label)


def the_store_refuses(world: World) -> None:
    """Secrets Manager throttles, fails, denies or loses its answer, at writes or reads."""
    error, times = world.rng.choice(("throttled", "failed", "denied", "lost")), world.rng.randint(1, 9)
    operation = world.rng.choice(("PutSecretValue", "PutSecretValue", "GetSecretValue"))
    label = f"{operation} {error} {times} times"
    world.expire()
    before = len(world.token_calls())
    answers = world.ask(4, hurry=HURRY, answers={operation: (error, times)})
    _expect_recovery(world, answers, before, label)


def the_table_refuses(world: World) -> None:
    error, times = world.rng.choice(("throttled", "failed", "lost")), world.rng.randint(1, 6)
    operation = world.rng.choice(("TransactWriteItems", "TransactWriteItems", "GetItem"))
    label = f"{operation} {error} {times} times"
    world.expire()
    before = len(world.token_calls())
    answers = world.ask(4, hurry=HURRY, answers={operation: (error, times)})
    world.advance(AFTER_LEASE_SECONDS)  # a lease that was taken without an answer expires by itself
    _expect_recovery(world, answers, before, label)


def _expect_recovery(world: World, answers: list[Answer], before: int, label: str) -> None:
    world.expect_no_one_lost(answers, label)
    world.expect({answer.kind for answer in answers} <= HARMLESS_KINDS, f"{label}: {answers}")
    world.clear_faults()
    healed = world.ask(4)
    world.expect_tokens(healed, label)
    world.expect_no_one_lost(healed, label)
    world.expect_one_at_a_time(before, label)


def a_holder_sleeps_through_its_lease(world: World) -> None:
    """It wakes after others have refreshed: its own pair is discarded, and it gets theirs."""
    at = world.rng.choice(REFRESH_MOMENTS)
    label = f"a holder that sleeps at {at}"
    world.expire()
    world.expect(world.stall(at), f"{label}: it did not reach that moment")
    world.advance(AFTER_LEASE_SECONDS)
    token = world.expect_one_token(world.ask(3), label)
    if at == REFRESH_MOMENTS[0] and world.rng.random() < 0.5:
        # Its refresh token is dead at Xero by now, but no connection ends because of that.
        world.expire()
        token = world.expect_one_token(world.ask(3), label)
    woken = world.resume()
    world.expect_no_one_lost([woken], label)
    world.expect(woken.value == token, f"{label}: it got {woken.kind} instead of the valid token")
    world.expect(world.expect_one_token(world.ask(3), label) == token, f"{label}: the token was replaced")


def the_secret_is_rotated_with_a_second_one(world: World) -> None:
    new = NEW_SECRET.format(world.rng.getrandbits(32))
    world.control("PUT", "app", {"clientSecrets": [world.secret, new]})
    [added] = world.ask(1, new, action="add_secret")
    world.expect(added.value is True, f"a second secret: {added}")
    world.control("PUT", "app", {"clientSecrets": [new]})
    world.secret = new
    world.expire()
    before = len(world.token_calls())
    world.expect_one_token(world.ask(8), "a rotated secret")
    refreshes = world.refreshes(before)
    world.expect(refreshes == 1, f"a rotated secret: {refreshes} refreshes")


def the_secret_is_rotated_at_xero_alone(world: World) -> None:
    """The app's problem: no one is disconnected, and everything works once the new secret is saved."""
    label = "a secret changed at Xero alone"
    new = NEW_SECRET.format(world.rng.getrandbits(32))
    world.expire()
    is_stalled = world.rng.random() < 0.5 and world.stall(REFRESH_MOMENTS[0])
    world.control("PUT", "app", {"clientSecrets": [new]})
    world.secret = new
    if not is_stalled:
        answers = world.ask(4, hurry=HURRY)
        world.expect({answer.kind for answer in answers} <= {"AppKeysRejected", "Unavailable"}, f"{label}: {answers}")
        world.expect_linked(label)
    [saved] = world.ask(1, "FEEDLANESIMULATORCLIENTID000000A", new, action="save_keys")
    world.expect(saved.value is True, f"{label}: {saved}")
    if is_stalled:
        # It had read the old secret before the new one was saved.
        woken = world.resume()
        world.expect(woken.kind == "ok", f"{label}: the request in flight got {woken.kind} {woken.value}")
    world.expect_one_token(world.ask(4), label)


def our_clock_is_sixty_days_ahead(world: World) -> None:
    """The clock is corrected later: a token believed to live for 60 days is replaced when Xero refuses it."""
    label = "our clock 60 days ahead"
    world.shift_our_clock(60 * DAY_SECONDS)
    before = len(world.token_calls())
    answers = world.ask(6)
    token = world.expect_one_token(answers, label)
    world.expect_no_one_lost(answers, label)
    refreshes = world.refreshes(before)
    world.expect(refreshes == 1, f"{label}: {refreshes} refreshes")
    world.shift_our_clock(-60 * DAY_SECONDS)
    world.advance(HOUR_SECONDS)
    world.expect_linked(label)
    world.expect_one_token(world.ask(6, fingerprint(token)), label)


def dies_with_a_clock_that_is_sixty_days_ahead(world: World) -> None:
    """Its lease does not last 60 days."""
    label = "a holder that dies with a clock 60 days ahead"
    world.expire()
    world.shift_our_clock(60 * DAY_SECONDS)
    [dead] = world.ask(1, at=world.rng.choice(REFRESH_MOMENTS))
    world.expect(dead.kind == "Dead", f"{label}: {dead}")
    world.shift_our_clock(-60 * DAY_SECONDS)
    world.expect_tokens(world.ask(6), label)


def the_customer_revokes_at_xero(world: World) -> None:
    label = "a revoked grant"
    events_before = world.disconnect_events()
    world.revoke_at_xero()
    world.expire()
    answers = world.ask(5, hurry=HURRY)
    kinds = {answer.kind for answer in answers}
    world.expect(kinds <= {"ReconnectionNeeded", "Unavailable"} and kinds != {"Unavailable"}, f"{label}: {answers}")
    world.expect_ended_once(events_before, label)
    world.reconnect()
    world.expect_one_token(world.ask(3), label)


def sixty_days_pass(world: World) -> None:
    """Daily rounds keep the token set alive; without them, the customer has to reconnect."""
    label = "sixty days"
    events_before = world.disconnect_events()
    world.expect_one_token(world.ask(1), label)
    world.advance(59 * DAY_SECONDS)
    world.expect_linked(f"{label} less one")
    world.advance(59 * DAY_SECONDS)
    world.expect_linked(f"{label} less one, again")
    world.advance(61 * DAY_SECONDS)
    answers = world.ask(3, hurry=HURRY)
    kinds = {answer.kind for answer in answers}
    world.expect(kinds <= {"ReconnectionNeeded", "Unavailable"} and kinds != {"Unavailable"}, f"{label}: {answers}")
    world.expect_ended_once(events_before, label)
    world.reconnect()
    world.expect_one_token(world.ask(3), label)


ACTS: tuple[Act, ...] = (
    twenty_ask_at_once,
    twenty_report_a_401,
    neighbours_refresh_at_once,
    versions_are_shown_late,
    dies_between_xeros_answer_and_the_store,
    dies_between_the_store_and_the_answer,
    dies_at_any_moment,
    dies_alone,
    answers_are_lost,
    the_store_refuses,
    the_table_refuses,
    a_holder_sleeps_through_its_lease,
    the_secret_is_rotated_with_a_second_one,
    the_secret_is_rotated_at_xero_alone,
    our_clock_is_sixty_days_ahead,
    dies_with_a_clock_that_is_sixty_days_ahead,
    the_customer_revokes_at_xero,
    sixty_days_pass,
)
