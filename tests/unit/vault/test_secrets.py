"""Secrets Manager and its in-memory fake behave the same, apart from what moto shows at once."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import timedelta
from typing import Any

import boto3
import moto
import pytest
from botocore.exceptions import ClientError, ReadTimeoutError

from feedlane.errors import Unavailable
from feedlane.vault.secrets import Secrets, SecretVersion
from feedlane.vault.secrets_manager import SecretsManager
from tests.builders import NOW
from tests.fakes.secrets import VERSIONS_MAX, MemorySecrets, after_looks
from tests.rights import acting_as


@pytest.fixture(params=["memory", "secrets manager"])
def secrets(request: pytest.FixtureRequest) -> Iterator[Secrets]:
    if request.param == "memory":
        yield MemorySecrets(lag=lambda: after_looks(0))
        return
    with moto.mock_aws():
        client = boto3.client(
            "secretsmanager", region_name="eu-west-2", aws_access_key_id="a", aws_secret_access_key="s"
        )
        yield SecretsManager(client, "feedlane/", pause=lambda _: None)


def test_what_was_never_written_is_not_there(secrets: Secrets) -> None:
    assert secrets.current("one") is None
    assert secrets.previous("one") is None
    assert secrets.version("one", "9d1b0000-0000-4000-8000-00000000000e") is None


def test_each_write_is_a_new_version_and_the_one_before_stays_the_previous(secrets: Secrets) -> None:
    first, second = secrets.write("one", "first"), secrets.write("one", "second")
    assert secrets.current("one") == SecretVersion(second, "second")
    assert secrets.previous("one") == SecretVersion(first, "first")
    assert secrets.version("one", first) == SecretVersion(first, "first")


def test_the_same_text_written_twice_is_two_versions(secrets: Secrets) -> None:
    assert secrets.write("one", "same") != secrets.write("one", "same")


def test_a_deleted_secret_is_gone_and_its_name_can_be_used_again(secrets: Secrets) -> None:
    old = secrets.write("one", "old")
    secrets.delete("one")
    secrets.delete("one")
    assert secrets.current("one") is None
    assert secrets.version("one", old) is None
    new = secrets.write("one", "new")
    assert secrets.current("one") == SecretVersion(new, "new")
    assert secrets.previous("one") is None


def test_a_name_that_an_operator_deleted_can_be_written_again() -> None:
    """Secrets Manager keeps such a name for up to 30 days. A stack that is deployed again needs it at once.

    Not with moto, which takes new versions of a deleted secret.
    """
    secrets = MemorySecrets(lag=lambda: after_looks(0))
    secrets.write("one", "old")
    secrets.client.schedule_deletion("memory/one")
    assert secrets.current("one") is None
    with acting_as("credential_vault"):
        new = secrets.write("one", "new")
    assert secrets.current("one") == SecretVersion(new, "new")


def test_a_versions_text_shows_in_no_traceback() -> None:
    assert "canary" not in repr(SecretVersion("id", "canary"))


class FailingClient:
    """A client whose every call fails."""

    def __init__(self, error: Exception) -> None:
        self.error = error

    def __getattr__(self, _: str) -> Any:
        def fail(**_: Any) -> None:
            raise self.error

        return fail


def client_error(code: str) -> ClientError:
    return ClientError({"Error": {"Code": code, "Message": "canary"}}, "PutSecretValue")


@pytest.mark.parametrize(
    "error",
    [
        client_error("ThrottlingException"),
        client_error("InternalServiceError"),
        client_error("LimitExceededException"),
        ReadTimeoutError(endpoint_url="https://secretsmanager.test"),
    ],
)
def test_a_throttled_or_silent_store_is_unavailable(error: Exception) -> None:
    secrets = SecretsManager(FailingClient(error), "feedlane")
    with pytest.raises(Unavailable):
        secrets.write("one", "text")
    with pytest.raises(Unavailable):
        secrets.current("one")


def test_a_hundred_versions_in_a_day_are_the_most_and_more_is_unavailable_until_there_is_room() -> None:
    now = [NOW]
    secrets = MemorySecrets(lambda: now[0])
    for number in range(VERSIONS_MAX):
        secrets.write("one", str(number))
        now[0] += timedelta(minutes=14)
    with pytest.raises(Unavailable) as raised:
        secrets.write("one", "too many")
    assert raised.value.retry_after
    now[0] += timedelta(hours=1)
    assert secrets.write("one", "the first one is old enough")


def test_a_new_version_is_hidden_for_a_while_by_its_id_and_by_its_stage() -> None:
    secrets = MemorySecrets(lag=lambda: after_looks(0))
    first = secrets.write("one", "first")
    secrets.client.lag = lambda: after_looks(3)
    second = secrets.write("one", "second")
    assert secrets.version("one", second) is None
    assert secrets.current("one") == SecretVersion(first, "first")
    assert secrets.previous("one") is None
    assert secrets.current("one") == SecretVersion(second, "second")


def test_a_name_whose_deletion_takes_long_is_unavailable() -> None:
    secrets = MemorySecrets(deletion=lambda: after_looks(8))
    secrets.write("one", "old")
    secrets.delete("one")
    with pytest.raises(Unavailable):
        secrets.write("one", "new")
    assert secrets.write("one", "new")


def test_a_missing_permission_is_not_taken_for_a_missing_secret() -> None:
    with pytest.raises(ClientError):
        SecretsManager(FailingClient(client_error("AccessDeniedException")), "feedlane").current("one")


def test_a_name_that_is_still_being_deleted_is_waited_for() -> None:
    pauses: list[float] = []
    secrets = SecretsManager(FailingClient(client_error("InvalidRequestException")), "feedlane", pauses.append)
    with pytest.raises(Unavailable):
        secrets.write("one", "text")
    assert 3 < sum(pauses) < 10
