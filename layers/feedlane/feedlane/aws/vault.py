"""The vault for other functions: they invoke its function."""

from __future__ import annotations

import json
from typing import Any

from botocore.exceptions import ClientError, HTTPClientError

from feedlane.credentials.messages import (
    AddAppSecret,
    CreateWebhookSecret,
    DeleteWebhookSecret,
    DescribeAppKeys,
    DescribeCodatKeys,
    DropAppSecret,
    DropCodatKey,
    ExchangeCode,
    GetAccessToken,
    GetAppToken,
    GetCodatKey,
    GetCodatWebhookSecrets,
    GetWebhookHeaders,
    GetWebhookSecrets,
    Message,
    Revoke,
    SaveAppKeys,
    SaveCodatKey,
    SaveCodatWebhookSecret,
    SetWebhookHeaders,
    error_from_data,
)
from feedlane.credentials.token_set import AccessToken
from feedlane.credentials.vault import CodatCheck, CodatKey, Grant, KeysCheck, SecretSlot
from feedlane.errors import Unavailable

_THROTTLING_CODES = frozenset({"TooManyRequestsException", "ThrottlingException", "ServiceException"})


class LambdaVault:
    """Implements `Vault`.

    `arn` is that of the caller's own alias of the vault's function. `client` is boto3's for Lambda. Its read time-out
    must be longer than the function's: boto3 retries after a time-out, and a code can be exchanged only once.
    """

    def __init__(self, client: Any, arn: str) -> None:
        self._client = client
        self._arn = arn

    def save_app_keys(self, client_id: str, client_secret: str) -> KeysCheck:
        message = SaveAppKeys(client_id=client_id, client_secret=client_secret)
        return KeysCheck.model_validate(self._invoke(message))

    def add_app_secret(self, client_secret: str) -> KeysCheck:
        return KeysCheck.model_validate(self._invoke(AddAppSecret(client_secret=client_secret)))

    def drop_app_secret(self, which: SecretSlot) -> KeysCheck:
        return KeysCheck.model_validate(self._invoke(DropAppSecret(which=which)))

    def app_keys(self, check: bool = False) -> KeysCheck:
        return KeysCheck.model_validate(self._invoke(DescribeAppKeys(check=check)))

    def exchange_code(self, code: str, redirect_uri: str, code_verifier: str | None = None, state: str = "") -> Grant:
        message = ExchangeCode(code=code, redirect_uri=redirect_uri, code_verifier=code_verifier, state=state)
        return Grant.model_validate(self._invoke(message))

    def access_token(self, token_set_id: str, rejected: str | None = None) -> AccessToken:
        message = GetAccessToken(token_set_id=token_set_id, rejected=rejected)
        return AccessToken.model_validate(self._invoke(message))

    def revoke(self, token_set_id: str) -> None:
        self._invoke(Revoke(token_set_id=token_set_id))

    def app_token(self) -> AccessToken:
        return AccessToken.model_validate(self._invoke(GetAppToken()))

    def create_webhook_secret(self, consumer_id: str) -> str:
        return str(self._invoke(CreateWebhookSecret(consumer_id=consumer_id))["secret"])

    def webhook_secrets(self, consumer_id: str) -> list[str]:
        return list(self._invoke(GetWebhookSecrets(consumer_id=consumer_id))["secrets"])

    def webhook_headers(self, consumer_id: str) -> dict[str, str]:
        return dict(self._invoke(GetWebhookHeaders(consumer_id=consumer_id))["headers"])

    def set_webhook_headers(self, consumer_id: str, headers: dict[str, str]) -> None:
        self._invoke(SetWebhookHeaders(consumer_id=consumer_id, headers=headers))

    def delete_webhook_secret(self, consumer_id: str) -> None:
        self._invoke(DeleteWebhookSecret(consumer_id=consumer_id))

    def save_codat_key(self, api_key: str) -> CodatCheck:
        return CodatCheck.model_validate(self._invoke(SaveCodatKey(api_key=api_key)))

    def drop_codat_key(self, which: SecretSlot) -> CodatCheck:
        return CodatCheck.model_validate(self._invoke(DropCodatKey(which=which)))

    def codat_keys(self, check: bool = False) -> CodatCheck:
        return CodatCheck.model_validate(self._invoke(DescribeCodatKeys(check=check)))

    def codat_key(self, rejected: str | None = None) -> CodatKey:
        return CodatKey.model_validate(self._invoke(GetCodatKey(rejected=rejected)))

    def save_codat_webhook_secret(self, secret: str) -> CodatCheck:
        return CodatCheck.model_validate(self._invoke(SaveCodatWebhookSecret(secret=secret)))

    def codat_webhook_secrets(self) -> list[str]:
        return list(self._invoke(GetCodatWebhookSecrets())["secrets"])

    def _invoke(self, message: Message) -> dict[str, Any]:
        try:
            answer = self._client.invoke(
                FunctionName=self._arn, Payload=message.model_dump_json(exclude_none=True).encode()
            )
            payload = json.loads(answer["Payload"].read())
        except ClientError as error:
            if error.response["Error"]["Code"] in _THROTTLING_CODES:
                raise Unavailable("The vault is busy", 2) from None
            raise
        except HTTPClientError as error:
            raise Unavailable(f"The vault did not answer ({type(error).__name__})", 2) from None
        if "FunctionError" in answer:
            # The vault's own log has the error; here only the failure is known.
            raise Unavailable("The vault failed")
        if "error" in payload:
            raise error_from_data(payload["error"])
        result: dict[str, Any] = payload["ok"]
        return result
