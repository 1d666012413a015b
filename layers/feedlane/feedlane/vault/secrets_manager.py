"""The vault's secrets in AWS Secrets Manager. The only module that knows its requests and error codes."""

from __future__ import annotations

import time
from collections.abc import Callable
from typing import Any

from botocore.exceptions import ClientError, HTTPClientError

from feedlane.errors import Unavailable
from feedlane.ids import new_id
from feedlane.vault.secrets import SecretVersion

_RETRYABLE_CODES = frozenset(
    {"ThrottlingException", "TooManyRequestsException", "InternalServiceError", "ServiceUnavailable"}
)
_ATTEMPTS_MAX = 5
# Once a secret has 100 versions younger than 24 hours, there is room for another only when the oldest reaches that age.
_ROOM_AFTER_SECONDS = 600


class SecretsManager:
    """`client` is boto3's; `prefix` begins the names of this deployment's secrets, without the slash behind it."""

    def __init__(self, client: Any, prefix: str, pause: Callable[[float], None] = time.sleep) -> None:
        self._client = client
        self._prefix = prefix
        self._pause = pause

    def current(self, name: str) -> SecretVersion | None:
        return self._read(name, VersionStage="AWSCURRENT")

    def previous(self, name: str) -> SecretVersion | None:
        return self._read(name, VersionStage="AWSPREVIOUS")

    def version(self, name: str, id: str) -> SecretVersion | None:
        return self._read(name, VersionId=id)

    def write(self, name: str, text: str) -> str:
        """Sends a new request token with each text: it becomes the version's id, and retries count as one write."""
        token = new_id()
        for attempt in range(_ATTEMPTS_MAX):
            for operation in ("put_secret_value", "create_secret"):
                version = self._write(operation, name, text, token)
                if version is not None:
                    return version
            # The vault has just deleted it, and its name is not free yet. Or an operator has deleted it, as a part of a
            # former stack: then the name is blocked for weeks, unless the secret is brought back.
            self._call("restore_secret", SecretId=self._id(name))
            self._pause(0.2 * 2**attempt)
        raise Unavailable("Secrets Manager is still deleting the secret with this name", 5)

    def delete(self, name: str) -> None:
        self._call("delete_secret", SecretId=self._id(name), ForceDeleteWithoutRecovery=True)

    def _read(self, name: str, **selector: str) -> SecretVersion | None:
        answer = self._call("get_secret_value", SecretId=self._id(name), **selector)
        return SecretVersion(answer["VersionId"], answer["SecretString"]) if answer else None

    def _write(self, operation: str, name: str, text: str, token: str) -> str | None:
        id = {"SecretId" if operation == "put_secret_value" else "Name": self._id(name)}
        answer = self._call(operation, **id, SecretString=text, ClientRequestToken=token)
        return str(answer["VersionId"]) if answer else None

    def _call(self, operation: str, **request: Any) -> dict[str, Any] | None:
        """None where the secret or version does not exist (any more) or, when creating, already exists."""
        try:
            answer: dict[str, Any] = getattr(self._client, operation)(**request)
        except ClientError as error:
            code = error.response["Error"]["Code"]
            if code in {"ResourceNotFoundException", "ResourceExistsException", "InvalidRequestException"}:
                return None
            if code in _RETRYABLE_CODES:
                raise Unavailable("Secrets Manager asked to retry later", 2) from None
            if code == "LimitExceededException":
                message = "Secrets Manager takes no more versions of this secret today"
                raise Unavailable(message, _ROOM_AFTER_SECONDS) from None
            raise
        except HTTPClientError as error:
            raise Unavailable(f"Secrets Manager did not answer ({type(error).__name__})", 2) from None
        return answer

    def _id(self, name: str) -> str:
        return f"{self._prefix.rstrip('/')}/{name}"
