"""Token refresh: one at a time per token set, stored before use, so that no race or crash disconnects a customer."""

from __future__ import annotations

import time
from collections.abc import Callable
from contextlib import suppress
from datetime import timedelta

from feedlane.clock import Clock
from feedlane.credentials.problems import GRANTED_TO_OTHER_APP, NOT_GRANTED, ONE_OFF_ENDED
from feedlane.credentials.token_set import AccessToken, TokenSet
from feedlane.errors import ReconnectionNeeded, Unavailable
from feedlane.ids import fingerprint
from feedlane.vault.app_keys import AppKeys
from feedlane.vault.leases import LeaseLost, Leases, LeaseState
from feedlane.vault.published import RETRY_WAITS_SECONDS as SHOWN_WAITS_SECONDS
from feedlane.vault.published import NotShownYet
from feedlane.vault.token_sets import TokenSets
from feedlane.xero.identity import ClientKeys, Identity
from feedlane.xero.identity_errors import IdentityUnanswered, InvalidGrant

# Waits for a token that another instance is refreshing: some 6 seconds in all.
RETRY_WAITS_SECONDS = (0.05, 0.1, 0.2, 0.3, *[0.5] * 11)


# Xero rejects a token that is younger than this for a reason that another token does not change.
YOUNG = timedelta(minutes=5)
# Refreshes for a 401 come no closer than this: with those in due time, they make at most 77 versions of a secret in a
# day, of the 100 that Secrets Manager takes.
FORCED_EVERY = timedelta(hours=1)
REJECTED_RETRY_AFTER_SECONDS = 60
# A refresh whose version could not be published is repeated, and writes another one. Beyond this, Xero is not even
# asked: a pair that it issues could not be stored. The rest of the 100 versions is for new consents.
REFRESHES_A_DAY_MAX = 90
NO_ROOM_RETRY_AFTER_SECONDS = 600


class NewTokenRejected(Unavailable):
    """A 401 for a token that is new, or that was refreshed for a 401 within the hour."""


class TokenRefresh:
    def __init__(
        self,
        token_sets: TokenSets,
        leases: Leases,
        app_keys: AppKeys,
        identity: Identity,
        clock: Clock,
        pause: Callable[[float], None] = time.sleep,
    ) -> None:
        self._token_sets = token_sets
        self._leases = leases
        self._app_keys = app_keys
        self._identity = identity
        self._clock = clock
        self._pause = pause

    def access_token(self, id: str, rejected: str | None = None) -> AccessToken:
        """A token that works now, refreshed here or by another instance.

        `rejected` is the fingerprint of a token that got a 401. It is refreshed unless that would not help.
        Raises `ReconnectionNeeded`, `AppKeysRejected`, `Unavailable`.
        """
        for wait in RETRY_WAITS_SECONDS:
            lease_state = self._leases.read(id)
            tokens = self._token_sets.read(lease_state)
            if tokens is None:
                raise ReconnectionNeeded(NOT_GRANTED)
            spare = self._usable_token(tokens, rejected)
            if spare and not self._is_due(tokens, lease_state):
                return spare
            if _is_rejected(tokens, rejected) and tokens.is_fresh(self._clock()):
                lease_state = self._forced(lease_state, tokens)
            if tokens.refresh_token is None:
                raise ReconnectionNeeded(ONE_OFF_ENDED)
            renewed = self._refresh_under_lease(lease_state, tokens, spare)
            if renewed:
                return renewed
            self._pause(wait)
        raise Unavailable("The token is being refreshed", 2)

    def _is_due(self, tokens: TokenSet, lease_state: LeaseState) -> bool:
        """Whether to refresh a token that still works: it expires soon, and no other instance is refreshing it."""
        now = self._clock()
        return not tokens.is_fresh(now) and tokens.refresh_token is not None and not lease_state.is_held(now)

    def _forced(self, lease_state: LeaseState, tokens: TokenSet) -> LeaseState:
        """The lease for a refresh that only a 401 asks for. Raises `Unavailable` if it would not help.

        A refresh in doubt is always repeated: Xero may have ended the token that it was to replace.
        """
        now = self._clock()
        if not lease_state.is_held(now) and not lease_state.in_doubt:
            # Without a refresh token, only its end ends it: a 401 may be a mood of the gateway.
            is_repeated = tokens.refresh_token is None or lease_state.was_forced_within(FORCED_EVERY, now)
            if is_repeated or lease_state.was_published_within(YOUNG, now):
                raise NewTokenRejected("Xero rejects an access token that is new", REJECTED_RETRY_AFTER_SECONDS)
        return lease_state.as_forced(now)

    def _refresh_under_lease(
        self, lease_state: LeaseState, tokens: TokenSet, spare: AccessToken | None
    ) -> AccessToken | None:
        """None if another instance holds the lease. In an outage, a token that still works is returned."""
        if lease_state.is_held(self._clock()):
            return None
        try:
            self._app_keys.require_asking_allowed()
            # Xero accepts the old refresh token for 30 minutes after a new one was issued. A new pair that cannot be
            # stored for longer would cost the customer's consent.
            self._token_sets.require_reachable(lease_state)
            lease = self._take(lease_state)
            if lease is None:
                return None
            return _access_token_of(self._refresh(lease, tokens))
        except LeaseLost:
            return None
        except Unavailable:
            if spare:
                return spare
            raise

    def _take(self, lease_state: LeaseState) -> LeaseState | None:
        if len(lease_state.writes_of_a_day(self._clock())) >= REFRESHES_A_DAY_MAX:
            raise Unavailable("The token was refreshed too often within 24 hours", NO_ROOM_RETRY_AFTER_SECONDS)
        return self._leases.take(lease_state, refresh=True, shard=self._token_sets.place(lease_state))

    def _refresh(self, lease: LeaseState, tokens: TokenSet) -> TokenSet:
        """Stores the new pair, publishes it and only then returns it. Raises `LeaseLost` if the lease ran out."""
        renewed = None
        try:
            lease = self._token_sets.without_leftovers(lease)
            renewed = self._renew(lease, tokens)
            self._token_sets.store(lease, renewed)
        except LeaseLost:
            raise
        except ReconnectionNeeded:
            self._leases.release(lease, unwritten=True)
            raise
        except BaseException:
            # Xero may have rotated the refresh token all the same. It honours the old one, which the store
            # still names, for 30 minutes: the next refresh starts with it.
            self._leases.release(lease, in_doubt=True, unwritten=renewed is None)
            raise
        return renewed

    def _renew(self, lease: LeaseState, tokens: TokenSet) -> TokenSet:
        try:
            return self._request_tokens(tokens)
        except InvalidGrant as error:
            # Final only if no other instance has rotated the token and no other stored pair works: one that
            # was written before a crash, or the previous one.
            if self._leases.read(lease.subject).fencing != lease.fencing:
                raise LeaseLost from None
            renewed = self._renew_another(lease, tokens)
            if renewed:
                return renewed
            if not self._token_sets.is_shown(lease):
                raise NotShownYet(lease.subject) from None
            raise ReconnectionNeeded(error.problem) from None

    def _renew_another(self, lease: LeaseState, tokens: TokenSet) -> TokenSet | None:
        """With another stored pair. It is looked for several times: the store may not show the one that works yet."""
        tried = {None, tokens.refresh_token}
        for wait in (*SHOWN_WAITS_SECONDS, None):
            for other in self._token_sets.other_pairs(lease):
                if other.refresh_token not in tried:
                    tried.add(other.refresh_token)
                    with suppress(InvalidGrant):
                        return self._request_tokens(other)
            if wait is not None:
                self._pause(wait)
        return None

    def _request_tokens(self, tokens: TokenSet) -> TokenSet:
        """Repeats the request once, with the same token, if its answer is lost."""

        def refresh(keys: ClientKeys) -> TokenSet:
            if keys.id != tokens.client_id:
                raise ReconnectionNeeded(GRANTED_TO_OTHER_APP)
            try:
                return self._identity.refresh(keys, tokens)
            except IdentityUnanswered:
                return self._identity.refresh(keys, tokens)

        return self._app_keys.use(refresh)

    def _usable_token(self, tokens: TokenSet, rejected: str | None) -> AccessToken | None:
        """The stored token, if it lives long enough for a call."""
        token = _access_token_of(tokens)
        return None if not token.is_fresh(self._clock()) or _is_rejected(tokens, rejected) else token


def _is_rejected(tokens: TokenSet, rejected: str | None) -> bool:
    return rejected is not None and fingerprint(tokens.access_token) == rejected


def _access_token_of(tokens: TokenSet) -> AccessToken:
    return AccessToken(value=tokens.access_token, expires_at=tokens.expires_at, scopes=tokens.scopes)
