"""The app's keys: stored, checked with Xero and used, with a second secret while the first is being replaced."""

from __future__ import annotations

from collections.abc import Callable
from contextlib import AbstractContextManager
from datetime import timedelta
from typing import TypeVar

from pydantic import Field

from feedlane.clock import Clock
from feedlane.credentials.vault import KEYS_NOT_SET, KeysCheck, SecretSlot
from feedlane.errors import AppKeysRejected, Invalid, Unavailable
from feedlane.problem import Problem
from feedlane.record import Record
from feedlane.vault.endpoint_wait import EndpointWait
from feedlane.vault.exclusive import Change, exclusive_change
from feedlane.vault.leases import Leases, LeaseState
from feedlane.vault.published import published_version
from feedlane.vault.secrets import Secrets
from feedlane.xero.identity import ClientKeys, Identity
from feedlane.xero.identity_errors import IdentityRefused, IdentityUnavailable, InvalidClient, InvalidGrant

NAME = "app-keys"
KEY_LENGTH_MIN, KEY_LENGTH_MAX = 8, 128
# Far longer than the store takes to show a version.
LOST_AFTER = timedelta(hours=1)
# Of the checks of two secrets the better one counts: Xero accepts it, could not be asked (None), or rejects it.
_OK_BEST_FIRST = (True, None, False)
KEYS_NOT_SET_PROBLEM = Problem(
    type=KEYS_NOT_SET,
    title="App keys missing",
    status=401,
    detail="The keys of the Xero app are not set.",
)
T = TypeVar("T")


class StoredKeys(Record):
    """`version` rises with every change. `checked`: Xero recognised the keys when they were stored."""

    client_id: str
    client_secret: str = Field(repr=False)
    second_secret: str | None = Field(default=None, repr=False)
    checked: bool = False
    version: int = 0

    @property
    def keys_to_try(self) -> list[ClientKeys]:
        secrets = (self.client_secret, self.second_secret)
        return [ClientKeys(self.client_id, secret) for secret in secrets if secret]

    @property
    def endings(self) -> tuple[str, ...]:
        return tuple(keys.secret[-4:] for keys in self.keys_to_try)


class AppKeys:
    """The lease item is read for every use: it names the valid version, and keys must not be stale.

    Changes run one at a time, under the lease: each starts from the result of the previous one.
    """

    def __init__(
        self,
        secrets: Secrets,
        identity: Identity,
        leases: Leases,
        clock: Clock,
        pause: Callable[[float], None],
        wait: EndpointWait,
    ) -> None:
        self._secrets = secrets
        self._identity = identity
        self._leases = leases
        self._clock = clock
        self._pause = pause
        self._wait = wait
        self._cache: tuple[str, StoredKeys] | None = None

    def save(self, client_id: str, client_secret: str) -> KeysCheck:
        """Stores the keys unless Xero rejects them. Raises `Invalid`.

        The previous secret of the same app stays as the second, for when Xero does not recognise the first.
        """
        require_plain("clientId", client_id)
        require_plain("clientSecret", client_secret)
        with self._exclusive_change() as change:
            stored = None if self._is_lost(change.lease) else self._read(change.lease)
            same_app = stored is not None and stored.client_id == client_id
            check = self._check(ClientKeys(client_id, client_secret), same_app)
            if check.ok is False:
                return check
            second = _previous_secret(stored, client_secret) if stored and same_app else None
            keys = StoredKeys(client_id=client_id, client_secret=client_secret, second_secret=second)
            return self._store_keys(change, keys, stored, check)

    def add(self, client_secret: str) -> KeysCheck:
        """Adds a second secret. Raises `Invalid`, and `AppKeysRejected` if there are no keys yet."""
        require_plain("clientSecret", client_secret)
        with self._exclusive_change() as change:
            stored = _required(self._read(change.lease))
            if client_secret == stored.client_secret:
                rule = "is already the first secret; the second must be different"
                raise Invalid.field("clientSecret", rule, "Different")
            check = self._check(ClientKeys(stored.client_id, client_secret), same_app=True)
            if check.ok is False:
                return check
            return self._store_keys(change, stored.but(second_secret=client_secret), stored, check)

    def drop(self, slot: SecretSlot) -> KeysCheck:
        """Drops one of two secrets if Xero recognises the other. Otherwise raises `Invalid` or `Unavailable`."""
        with self._exclusive_change() as change:
            stored = _required(self._read(change.lease))
            if stored.second_secret is None:
                raise Invalid.field("clientSecret", "is the only secret; save another one before you drop it", "Last")
            kept = stored.second_secret if slot is SecretSlot.FIRST else stored.client_secret
            check = self._check(ClientKeys(stored.client_id, kept), same_app=True)
            if check.ok is None:
                raise Unavailable(check.message)
            if check.ok is False:
                message = f"cannot be dropped: Xero does not recognise the other secret, which ends in {kept[-4:]}"
                raise Invalid.field("clientSecret", message, "AppKeys")
            keys = StoredKeys(client_id=stored.client_id, client_secret=kept)
            return self._store_keys(change, keys, stored, check)

    def describe(self, check: bool) -> KeysCheck:
        """The keys as stored, without their secrets. `check` asks Xero whether it recognises one of them."""
        stored = self._read_valid()
        if stored is None:
            return KeysCheck(ok=None)
        result = KeysCheck(ok=stored.checked or None)
        if check:
            checks = [self._check(keys, same_app=True) for keys in stored.keys_to_try]
            result = min(checks, key=lambda check: _OK_BEST_FIRST.index(check.ok))
        return _with_key_facts(result, stored)

    def require_asking_allowed(self) -> None:
        """Raises `Unavailable` while Xero asks to be left alone: before anything begins that would be in doubt."""
        self._wait.require_over()

    def use(self, call: Callable[[ClientKeys], T]) -> T:
        """Makes the call with the keys that Xero recognises and returns its result.

        Raises `InvalidGrant`, `AppKeysRejected` and `Unavailable`; only the first concerns a customer.
        """
        keys, problem = _required(self._read_valid()).keys_to_try, KEYS_NOT_SET_PROBLEM
        tried: list[ClientKeys] = []
        while keys:
            tried.append(keys[0])
            try:
                return call(keys[0])
            except InvalidClient as error:
                problem = error.problem
                # Final only after the store is read again: the keys may have been replaced in the meantime.
                keys = keys[1:] or [pair for pair in _required(self._read_valid()).keys_to_try if pair not in tried]
            except InvalidGrant:
                raise
            except IdentityRefused as error:
                raise AppKeysRejected(error.problem) from None
            except IdentityUnavailable as error:
                if error.retry_after is not None:
                    self._wait.note(error.retry_after)
                raise Unavailable(error.reason, error.retry_after) from None
        raise AppKeysRejected(problem)

    def _check(self, keys: ClientKeys, same_app: bool) -> KeysCheck:
        try:
            self._identity.check(keys)
        except InvalidClient:
            return _wrong_secret() if same_app else _wrong_keys()
        except IdentityUnavailable as error:
            return KeysCheck(ok=None, message=f"The keys could not be checked: {error.reason}.")
        except IdentityRefused:
            # Xero checks the keys first: whatever else it refuses, the keys are right.
            pass
        return KeysCheck(ok=True)

    def _read_valid(self) -> StoredKeys | None:
        return self._read(self._leases.read(NAME))

    def _read(self, lease: LeaseState) -> StoredKeys | None:
        """Raises `NotShownYet`. Keys stored before the lease item named versions are the current ones."""
        if not lease.version:
            secret = self._secrets.current(NAME)
            return None if secret is None else StoredKeys.model_validate_json(secret.text)
        if self._cache is None or self._cache[0] != lease.version:
            secret = published_version(self._secrets, NAME, lease.version, self._pause)
            self._cache = (lease.version, StoredKeys.model_validate_json(secret.text))
        return self._cache[1]

    def _is_lost(self, lease: LeaseState) -> bool:
        """Somebody has deleted the secret by hand: no version of it is shown, long after one was published."""
        is_recent = lease.was_published_within(LOST_AFTER, self._clock())
        return lease.version != "" and not is_recent and self._secrets.current(NAME) is None

    def _store_keys(self, change: Change, keys: StoredKeys, before: StoredKeys | None, check: KeysCheck) -> KeysCheck:
        # Based on the time: it must also rise when the secret was lost and is entered again.
        version = max(int(self._clock().timestamp() * 1000), before.version + 1 if before else 0)
        keys = keys.but(checked=check.ok is True, version=version)
        change.publish(self._secrets.write(NAME, keys.model_dump_json()))
        return _with_key_facts(check, keys)

    def _exclusive_change(self) -> AbstractContextManager[Change]:
        return exclusive_change(self._leases, NAME, "the app's keys", self._clock, self._pause)


def _required(stored: StoredKeys | None) -> StoredKeys:
    if stored is None:
        raise AppKeysRejected(KEYS_NOT_SET_PROBLEM)
    return stored


def _with_key_facts(check: KeysCheck, keys: StoredKeys) -> KeysCheck:
    return check.but(client_id=keys.client_id, endings=keys.endings, version=keys.version)


def _previous_secret(stored: StoredKeys, client_secret: str) -> str | None:
    secrets = (stored.client_secret, stored.second_secret)
    return next((secret for secret in secrets if secret and secret != client_secret), None)


def require_plain(field: str, value: str) -> None:
    """Catches only what copy and paste breaks: Xero may change the format of its keys."""
    if not KEY_LENGTH_MIN <= len(value) <= KEY_LENGTH_MAX:
        raise Invalid.field(field, f"must have {KEY_LENGTH_MIN} to {KEY_LENGTH_MAX} characters", "Length")
    if not all("!" <= character <= "~" for character in value):
        raise Invalid.field(field, "must have no spaces and only printable ASCII characters", "Characters")


def _wrong_secret() -> KeysCheck:
    return KeysCheck(
        ok=False,
        field="clientSecret",
        message="Xero does not recognise this client secret. The client id is the one in use.",
    )


def _wrong_keys() -> KeysCheck:
    return KeysCheck(
        ok=False,
        field="clientId",
        message="Xero does not recognise this client id with this client secret; it does not say which is wrong.",
    )
