"""The vault: the only reader and writer of secrets. The client secret and refresh tokens never leave it."""

from __future__ import annotations

import time
from collections.abc import Callable
from contextlib import suppress
from datetime import datetime, timedelta

from feedlane.clock import Clock, system_clock
from feedlane.credentials import grants
from feedlane.credentials.token_set import AccessToken, TokenSet
from feedlane.credentials.vault import CodatCheck, CodatKey, Grant, KeysCheck, SecretSlot
from feedlane.errors import ReconnectionNeeded, Unavailable
from feedlane.ids import fingerprint
from feedlane.store.table import Table
from feedlane.vault.app_keys import AppKeys
from feedlane.vault.codat_keys import CheckKey, CodatKeys, cannot_ask
from feedlane.vault.endpoint_wait import EndpointWait
from feedlane.vault.exchanges import Exchanges, start_of
from feedlane.vault.leases import Leases
from feedlane.vault.refresh import TokenRefresh
from feedlane.vault.secrets import Secrets
from feedlane.vault.shards import Shards
from feedlane.vault.token_sets import TokenSets, token_set_id
from feedlane.vault.webhook_secrets import WebhookSecrets
from feedlane.xero.identity import ClientKeys, Identity
from feedlane.xero.identity_errors import InvalidGrant

# A code that Xero has taken brings nothing more, so its token set is worth some tries.
_SAVES_MAX = 5
_SAVE_PAUSE_SECONDS = 0.2
# Since the exchange began. A try that starts later may not end before the function does, after 30 seconds, and with it
# what is in memory for the next request.
_SAVES_WITHIN = timedelta(seconds=20)


class GrantNotStored(Unavailable):
    """Xero has taken a code, and what it gave is only in memory: a repeat stores it, if it comes here in time."""


class VaultService:
    """Implements the port `Vault` over the secrets themselves."""

    def __init__(
        self,
        secrets: Secrets,
        table: Table,
        identity: Identity,
        clock: Clock = system_clock,
        pause: Callable[[float], None] = time.sleep,
        token_sets_per_secret: int = 1,
        check_codat_key: CheckKey = cannot_ask,
    ) -> None:
        self._identity = identity
        self._clock = clock
        self._pause = pause
        self._exchanges = Exchanges(table, clock, pause)
        self._unsaved: dict[tuple[str, str], TokenSet] = {}
        """Token sets that Xero gave and that could not be stored yet, by the fingerprints of codes and starts."""
        self._leases = Leases(table, clock, pause)
        shards = Shards(secrets, self._leases, clock, pause, token_sets_per_secret)
        self._token_sets = TokenSets(secrets, shards, self._leases, clock, pause)
        self._app_keys = AppKeys(secrets, identity, self._leases, clock, pause, EndpointWait(table, clock))
        self._webhook_secrets = WebhookSecrets(secrets, self._leases, clock, pause)
        self._codat_keys = CodatKeys(secrets, self._leases, check_codat_key, clock, pause)
        self._refresh = TokenRefresh(self._token_sets, self._leases, self._app_keys, identity, clock, pause)

    def save_app_keys(self, client_id: str, client_secret: str) -> KeysCheck:
        return self._app_keys.save(client_id, client_secret)

    def add_app_secret(self, client_secret: str) -> KeysCheck:
        """Adds a second secret, tried when Xero does not recognise the first: keys rotate without an outage."""
        return self._app_keys.add(client_secret)

    def drop_app_secret(self, which: SecretSlot) -> KeysCheck:
        return self._app_keys.drop(which)

    def app_keys(self, check: bool = False) -> KeysCheck:
        return self._app_keys.describe(check)

    def exchange_code(self, code: str, redirect_uri: str, code_verifier: str | None = None, state: str = "") -> Grant:
        save_until = self._clock() + _SAVES_WITHIN
        start = start_of(redirect_uri, code_verifier, state)
        tokens = self._unsaved.get((fingerprint(code), start))
        former = None if tokens else self._exchanges.begin(code, start)
        if former is not None:
            # The tokens may have been refreshed since, and another consent of the user may have renewed them.
            return former.but(access_token=self.access_token(former.token_set_id).value)
        tokens = tokens or self._exchange(code, redirect_uri, code_verifier)
        return self._save_grant(code, start, tokens, save_until)

    def access_token(self, token_set_id: str, rejected: str | None = None) -> AccessToken:
        return self._refresh.access_token(token_set_id, rejected)

    def revoke(self, token_set_id: str) -> None:
        lease = self._leases.read(token_set_id)
        if not lease.fencing:
            return
        tokens = self._token_sets.read(lease)
        if tokens is not None and tokens.refresh_token is not None:
            with suppress(InvalidGrant):
                self._app_keys.use(lambda keys: self._revoke(keys, tokens))
        if tokens is not None and self._leases.read(token_set_id).version != lease.version:
            raise Unavailable("The token set has just been granted or refreshed anew", 1)
        # Also after a revocation that stopped half-way: what it left is deleted now.
        self._token_sets.delete(token_set_id)

    def app_token(self) -> AccessToken:
        self._app_keys.require_asking_allowed()
        return self._app_keys.use(self._identity.app_token)

    def create_webhook_secret(self, consumer_id: str) -> str:
        return self._webhook_secrets.create(consumer_id)

    def webhook_secrets(self, consumer_id: str) -> list[str]:
        return self._webhook_secrets.secrets_of(consumer_id)

    def webhook_headers(self, consumer_id: str) -> dict[str, str]:
        return self._webhook_secrets.headers_of(consumer_id)

    def set_webhook_headers(self, consumer_id: str, headers: dict[str, str]) -> None:
        self._webhook_secrets.set_headers(consumer_id, headers)

    def delete_webhook_secret(self, consumer_id: str) -> None:
        self._webhook_secrets.delete(consumer_id)

    def save_codat_key(self, api_key: str) -> CodatCheck:
        return self._codat_keys.save(api_key)

    def drop_codat_key(self, which: SecretSlot) -> CodatCheck:
        return self._codat_keys.drop(which)

    def codat_keys(self, check: bool = False) -> CodatCheck:
        return self._codat_keys.describe(check)

    def codat_key(self, rejected: str | None = None) -> CodatKey:
        return self._codat_keys.key(rejected)

    def save_codat_webhook_secret(self, secret: str) -> CodatCheck:
        return self._codat_keys.save_webhook_secret(secret)

    def codat_webhook_secrets(self) -> list[str]:
        return self._codat_keys.webhook_secrets()

    def _revoke(self, keys: ClientKeys, tokens: TokenSet) -> None:
        """Another app's tokens are none of this one's to revoke."""
        if keys.id == tokens.client_id and tokens.refresh_token is not None:
            self._identity.revoke(keys, tokens.refresh_token)

    def _exchange(self, code: str, redirect_uri: str, code_verifier: str | None) -> TokenSet:
        try:
            self._app_keys.require_asking_allowed()
            return self._app_keys.use(lambda keys: self._identity.exchange(keys, code, redirect_uri, code_verifier))
        except Exception as error:
            with suppress(Exception):  # otherwise the next try waits until this one has certainly ended
                self._exchanges.give_back(code, isinstance(error, InvalidGrant))
            if isinstance(error, InvalidGrant):
                raise ReconnectionNeeded(error.problem) from None
            raise

    def _save_grant(self, code: str, start: str, tokens: TokenSet, until: datetime) -> Grant:
        """Xero has taken the code: what it gave in return is kept in memory too until it is stored."""
        id, unsaved = token_set_id(tokens.client_id, tokens.xero_user_id), (fingerprint(code), start)
        grant = _grant(id, tokens)
        self._unsaved[unsaved] = tokens
        for attempt in range(_SAVES_MAX):
            try:
                granted = self._with_stored_refresh_token(id, tokens)
                finished = self._exchanges.finished(code, start, grant)
                self._token_sets.store_grant(id, granted, finished, grants.granted(id, self._clock()))
                break
            except Exception as error:
                if attempt == _SAVES_MAX - 1 or not self._may_end_before(until, error):
                    if self._clock() < until:
                        with suppress(Exception):  # the table may be what is away
                            self._exchanges.record_unstored(code)
                    raise GrantNotStored(f"A grant could not be stored ({type(error).__name__})", 5) from error
                self._pause(_SAVE_PAUSE_SECONDS * 2**attempt)
        del self._unsaved[unsaved]
        return grant

    def _may_end_before(self, until: datetime, error: Exception) -> bool:
        """Whether there is time for another try: for a throttled commit, but not for a secret without room today."""
        wait = (error.retry_after or 0) if isinstance(error, Unavailable) else 0
        return self._clock() + timedelta(seconds=wait) < until

    def _with_stored_refresh_token(self, id: str, granted: TokenSet) -> TokenSet:
        """One-off access brings no refresh token. The customer's earlier one stays: other connections need it."""
        if granted.refresh_token is not None:
            return granted
        stored = self._token_sets.read(self._leases.read(id))
        return granted if stored is None else granted.but(refresh_token=stored.refresh_token)


def _grant(id: str, tokens: TokenSet) -> Grant:
    return Grant(
        token_set_id=id,
        access_token=tokens.access_token,
        expires_at=tokens.expires_at,
        xero_user_id=tokens.xero_user_id,
        authentication_event_id=tokens.authentication_event_id or "",
        scopes=tokens.scopes,
    )
