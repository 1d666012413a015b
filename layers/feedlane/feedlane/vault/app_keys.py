"""The app's keys: kept, checked with Xero, used; with a second secret while the first is being replaced."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from datetime import datetime, timedelta
from typing import TypeVar

from pydantic import Field

from feedlane.clock import Clock
from feedlane.credentials.vault import KEYS_NOT_SET, KeysCheck, SecretSlot
from feedlane.errors import AppKeysRejected, Invalid, Unavailable
from feedlane.problem import Problem
from feedlane.record import Record
from feedlane.vault.leases import LEASE_DURATION, Leases
from feedlane.vault.secrets import Secrets
from feedlane.xero.identity import ClientKeys, Identity
from feedlane.xero.identity_errors import IdentityRefused, IdentityUnavailable, InvalidClient, InvalidGrant

NAME = "app-keys"
KEY_LENGTH_MIN, KEY_LENGTH_MAX = 8, 128
# Whoever has held the lease for longer than this writes no more: the store cannot refuse a write that comes too late.
CHANGE_DURATION_MAX = LEASE_DURATION - timedelta(seconds=10)
_TRIES = 6
KEYS_NOT_SET_PROBLEM = Problem(
    type=KEYS_NOT_SET,
    title="App keys missing",
    status=401,
    detail="The keys of the Xero app are not set.",
)
T = TypeVar("T")


class StoredKeys(Record):
    """`version` rises with every change. `checked`: Xero knew what was entered when it was stored."""

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
    """Read from the store for every use: they are needed twice an hour per token set and must not be stale.

    Changes come one after the other, under a lease: each starts from what the one before has left.
    """

    def __init__(
        self, secrets: Secrets, identity: Identity, leases: Leases, clock: Clock, pause: Callable[[float], None]
    ) -> None:
        self._secrets = secrets
        self._identity = identity
        self._leases = leases
        self._clock = clock
        self._pause = pause

    def save(self, client_id: str, client_secret: str) -> KeysCheck:
        """Stores the keys unless Xero says they are wrong. Raises `Invalid`.

        A former secret of the same app stays as the second, to be tried when the first is not known.
        """
        _require_plain("clientId", client_id)
        _require_plain("clientSecret", client_secret)
        with self._exclusively() as ends:
            stored = self._read_stored()
            same_app = stored is not None and stored.client_id == client_id
            check = self._check(ClientKeys(client_id, client_secret), same_app)
            if check.ok is False:
                return check
            second = _former_secret(stored, client_secret) if stored and same_app else None
            keys = StoredKeys(client_id=client_id, client_secret=client_secret, second_secret=second)
            return self._store_keys(ends, keys, stored, check)

    def add(self, client_secret: str) -> KeysCheck:
        """A second secret beside the first. Raises `Invalid`, `AppKeysRejected` if there are no keys yet."""
        _require_plain("clientSecret", client_secret)
        with self._exclusively() as ends:
            stored = self._require_stored()
            if client_secret == stored.client_secret:
                rule = "is the first secret already: the second must be another"
                raise Invalid.field("clientSecret", rule, "Different")
            check = self._check(ClientKeys(stored.client_id, client_secret), same_app=True)
            if check.ok is False:
                return check
            return self._store_keys(ends, stored.but(second_secret=client_secret), stored, check)

    def drop(self, which: SecretSlot) -> KeysCheck:
        """Only a secret that Xero knows may be left alone. Raises `Invalid`, `Unavailable`, and then drops nothing."""
        with self._exclusively() as ends:
            stored = self._require_stored()
            if stored.second_secret is None:
                raise Invalid.field("clientSecret", "is the only one: save another before this one is dropped", "Last")
            kept = stored.second_secret if which is SecretSlot.FIRST else stored.client_secret
            check = self._check(ClientKeys(stored.client_id, kept), same_app=True)
            if check.ok is None:
                raise Unavailable(check.message)
            if check.ok is False:
                message = f"cannot be dropped: Xero does not know the other one, which ends in {kept[-4:]}"
                raise Invalid.field("clientSecret", message, "AppKeys")
            left = StoredKeys(client_id=stored.client_id, client_secret=kept)
            return self._store_keys(ends, left, stored, check)

    def described(self, check: bool) -> KeysCheck:
        """The keys as they stand, without their secrets; with `check` Xero is asked whether it knows one of them."""
        stored = self._read_stored()
        if stored is None:
            return KeysCheck(ok=None)
        told = KeysCheck(ok=stored.checked or None)
        if check:
            answers = [self._check(keys, same_app=True) for keys in stored.keys_to_try]
            told = min(answers, key=lambda answer: _BEST_FIRST.index(answer.ok))
        return _with_key_facts(told, stored)

    def use(self, call: Callable[[ClientKeys], T]) -> T:
        """What the call answers with the keys that Xero knows.

        Raises `InvalidGrant`, `AppKeysRejected` and `Unavailable`; only the first has to do with a customer.
        """
        keys, problem = self._require_stored().keys_to_try, KEYS_NOT_SET_PROBLEM
        tried: list[ClientKeys] = []
        while keys:
            tried.append(keys[0])
            try:
                return call(keys[0])
            except InvalidClient as error:
                problem = error.problem
                # It counts only after re-reading the store: the keys may have been replaced meanwhile.
                keys = keys[1:] or [one for one in self._require_stored().keys_to_try if one not in tried]
            except InvalidGrant:
                raise
            except IdentityRefused as error:
                raise AppKeysRejected(error.problem) from None
            except IdentityUnavailable as error:
                raise Unavailable(error.reason, error.retry_after) from None
        raise AppKeysRejected(problem)

    def _check(self, keys: ClientKeys, same_app: bool) -> KeysCheck:
        try:
            self._identity.check(keys)
        except InvalidClient:
            return _wrong_secret() if same_app else _wrong_keys()
        except IdentityUnavailable as error:
            return KeysCheck(ok=None, message=f"The keys could not be checked now: {error.reason}.")
        except IdentityRefused:
            # Xero looks at the keys first: whatever else it minds, the keys are right.
            pass
        return KeysCheck(ok=True)

    def _require_stored(self) -> StoredKeys:
        stored = self._read_stored()
        if stored is None:
            raise AppKeysRejected(KEYS_NOT_SET_PROBLEM)
        return stored

    def _read_stored(self) -> StoredKeys | None:
        found = self._secrets.current(NAME)
        return None if found is None else StoredKeys.model_validate_json(found.text)

    def _store_keys(self, ends: datetime, keys: StoredKeys, before: StoredKeys | None, check: KeysCheck) -> KeysCheck:
        now = self._clock()
        if now >= ends:
            raise Unavailable("The change of the app's keys took too long", 1)
        # Not only one more than before: it must rise also if the secret was lost and is entered anew.
        version = max(int(now.timestamp() * 1000), before.version + 1 if before else 0)
        keys = keys.but(checked=check.ok is True, version=version)
        self._secrets.write(NAME, keys.model_dump_json())
        return _with_key_facts(check, keys)

    @contextmanager
    def _exclusively(self) -> Iterator[datetime]:
        """Nobody else changes the keys until the moment that is given. Raises `Unavailable` while another does."""
        for attempt in range(_TRIES):
            seen, now = self._leases.look(NAME), self._clock()
            lease = None if seen.is_held(now) else self._leases.take(seen)
            if lease is None:
                self._pause(0.1 * 2**attempt)
                continue
            try:
                yield now + CHANGE_DURATION_MAX
            finally:
                self._leases.release(lease)
            return
        raise Unavailable("Somebody else changes the app's keys at this moment", 5)


_BEST_FIRST = (True, None, False)


def _with_key_facts(check: KeysCheck, keys: StoredKeys) -> KeysCheck:
    return check.but(client_id=keys.client_id, endings=keys.endings, version=keys.version)


def _former_secret(stored: StoredKeys, client_secret: str) -> str | None:
    former = (stored.client_secret, stored.second_secret)
    return next((secret for secret in former if secret and secret != client_secret), None)


def _require_plain(field: str, value: str) -> None:
    """No more than what a slip of the clipboard breaks: Xero may change how its keys look."""
    if not KEY_LENGTH_MIN <= len(value) <= KEY_LENGTH_MAX:
        raise Invalid.field(field, f"must have {KEY_LENGTH_MIN} to {KEY_LENGTH_MAX} characters", "Length")
    if not all("!" <= character <= "~" for character in value):
        raise Invalid.field(field, "must have no spaces and only printable ASCII characters", "Characters")


def _wrong_secret() -> KeysCheck:
    return KeysCheck(
        ok=False,
        field="clientSecret",
        message="Xero does not know this client secret. The client id is the one in use.",
    )


def _wrong_keys() -> KeysCheck:
    return KeysCheck(
        ok=False,
        field="clientId",
        message="Xero does not know this client id with this client secret; it does not say which is wrong.",
    )
