"""The vault's messages: requests of other functions as events of its function; answers and errors as data."""

from __future__ import annotations

from typing import Annotated, Any, Literal, Self, assert_never

from pydantic import BaseModel, ConfigDict, Field, TypeAdapter, ValidationError

from feedlane.credentials.vault import CodatCheck, KeysCheck, SecretSlot, Vault
from feedlane.errors import AppKeysRejected, FeedlaneError, Finding, Invalid, ReconnectionNeeded, Unavailable
from feedlane.problem import Problem


class VaultFailed(Exception):
    """An unexpected error by its type and place only: its text may quote a request."""

    @classmethod
    def from_error(cls, error: Exception) -> Self:
        trace = error.__traceback__
        while trace is not None and trace.tb_next is not None:
            trace = trace.tb_next
        place = f"{trace.tb_frame.f_code.co_filename}:{trace.tb_lineno}" if trace else "unknown place"
        return cls(f"{type(error).__name__} at {place}")


class _Message(BaseModel):
    # An error must not quote its input, which may be a code or a secret.
    model_config = ConfigDict(frozen=True, extra="forbid", hide_input_in_errors=True)


class SaveAppKeys(_Message):
    action: Literal["save_app_keys"] = "save_app_keys"
    client_id: str
    client_secret: str = Field(repr=False)


class AddAppSecret(_Message):
    action: Literal["add_app_secret"] = "add_app_secret"
    client_secret: str = Field(repr=False)


class DropAppSecret(_Message):
    action: Literal["drop_app_secret"] = "drop_app_secret"
    which: SecretSlot


class DescribeAppKeys(_Message):
    action: Literal["app_keys"] = "app_keys"
    check: bool = False


class ExchangeCode(_Message):
    """`state` is the state's fingerprint."""

    action: Literal["exchange_code"] = "exchange_code"
    code: str = Field(repr=False)
    redirect_uri: str
    code_verifier: str | None = Field(default=None, repr=False)
    state: str = ""


class GetAccessToken(_Message):
    """`rejected` is the fingerprint of the token that got a 401, never the token."""

    action: Literal["access_token"] = "access_token"
    token_set_id: str
    rejected: str | None = None


class Revoke(_Message):
    action: Literal["revoke"] = "revoke"
    token_set_id: str


class GetAppToken(_Message):
    action: Literal["app_token"] = "app_token"


class CreateWebhookSecret(_Message):
    action: Literal["create_webhook_secret"] = "create_webhook_secret"
    consumer_id: str


class GetWebhookSecrets(_Message):
    action: Literal["webhook_secrets"] = "webhook_secrets"
    consumer_id: str


class GetWebhookHeaders(_Message):
    action: Literal["webhook_headers"] = "webhook_headers"
    consumer_id: str


class SetWebhookHeaders(_Message):
    action: Literal["set_webhook_headers"] = "set_webhook_headers"
    consumer_id: str
    headers: dict[str, str] = Field(repr=False)


class DeleteWebhookSecret(_Message):
    action: Literal["delete_webhook_secret"] = "delete_webhook_secret"
    consumer_id: str


class SaveCodatKey(_Message):
    action: Literal["save_codat_key"] = "save_codat_key"
    api_key: str = Field(repr=False)


class DropCodatKey(_Message):
    action: Literal["drop_codat_key"] = "drop_codat_key"
    which: SecretSlot


class DescribeCodatKeys(_Message):
    action: Literal["codat_keys"] = "codat_keys"
    check: bool = False


class GetCodatKey(_Message):
    """`rejected` is the fingerprint of the key that got a 401, never the key."""

    action: Literal["codat_key"] = "codat_key"
    rejected: str | None = None


class SaveCodatWebhookSecret(_Message):
    action: Literal["save_codat_webhook_secret"] = "save_codat_webhook_secret"
    secret: str = Field(repr=False)


class GetCodatWebhookSecrets(_Message):
    action: Literal["codat_webhook_secrets"] = "codat_webhook_secrets"


WebhookMessage = CreateWebhookSecret | GetWebhookSecrets | GetWebhookHeaders | SetWebhookHeaders | DeleteWebhookSecret
KeysMessage = SaveAppKeys | AddAppSecret | DropAppSecret | DescribeAppKeys
CodatMessage = (
    SaveCodatKey | DropCodatKey | DescribeCodatKeys | GetCodatKey | SaveCodatWebhookSecret | GetCodatWebhookSecrets
)
Message = KeysMessage | ExchangeCode | GetAccessToken | GetAppToken | Revoke | WebhookMessage | CodatMessage
_messages: TypeAdapter[Message] = TypeAdapter(Annotated[Message, Field(discriminator="action")])


def parse_message(event: Any) -> Message:
    """Raises `Invalid`, which names the fields and never their values."""
    try:
        return _messages.validate_python(event)
    except ValidationError as error:
        details = error.errors(include_url=False, include_context=False, include_input=False)
    # Without pydantic's messages: some of them quote the input.
    findings = [
        Finding(item_id=".".join(map(str, detail["loc"])), message="is not valid", validator=detail["type"])
        for detail in details
    ]
    raise Invalid("The vault cannot read the message", findings)


def perform(vault: Vault, message: Message) -> dict[str, Any]:
    match message:
        case SaveAppKeys() | AddAppSecret() | DropAppSecret() | DescribeAppKeys():
            return _perform_for_keys(vault, message).model_dump(mode="json")
        case ExchangeCode(code=code, redirect_uri=uri, code_verifier=verifier, state=state):
            return vault.exchange_code(code, uri, verifier, state).model_dump(mode="json")
        case GetAccessToken(token_set_id=id, rejected=rejected):
            return vault.access_token(id, rejected).model_dump(mode="json")
        case GetAppToken():
            return vault.app_token().model_dump(mode="json")
        case Revoke(token_set_id=id):
            vault.revoke(id)
            return {}
        case GetCodatKey(rejected=rejected):
            return vault.codat_key(rejected).model_dump(mode="json")
        case GetCodatWebhookSecrets():
            return {"secrets": vault.codat_webhook_secrets()}
        case SaveCodatKey() | DropCodatKey() | DescribeCodatKeys() | SaveCodatWebhookSecret():
            return _perform_for_codat(vault, message).model_dump(mode="json")
        case _:
            return _perform_for_webhooks(vault, message)


def _perform_for_codat(
    vault: Vault, message: SaveCodatKey | DropCodatKey | DescribeCodatKeys | SaveCodatWebhookSecret
) -> CodatCheck:
    match message:
        case SaveCodatKey(api_key=key):
            return vault.save_codat_key(key)
        case DropCodatKey(which=which):
            return vault.drop_codat_key(which)
        case DescribeCodatKeys(check=check):
            return vault.codat_keys(check)
        case SaveCodatWebhookSecret(secret=secret):
            return vault.save_codat_webhook_secret(secret)


def _perform_for_keys(vault: Vault, message: KeysMessage) -> KeysCheck:
    match message:
        case SaveAppKeys(client_id=client_id, client_secret=secret):
            return vault.save_app_keys(client_id, secret)
        case AddAppSecret(client_secret=secret):
            return vault.add_app_secret(secret)
        case DropAppSecret(which=which):
            return vault.drop_app_secret(which)
        case DescribeAppKeys(check=check):
            return vault.app_keys(check)


def _perform_for_webhooks(vault: Vault, message: WebhookMessage) -> dict[str, Any]:
    match message:
        case CreateWebhookSecret(consumer_id=id):
            return {"secret": vault.create_webhook_secret(id)}
        case GetWebhookSecrets(consumer_id=id):
            return {"secrets": vault.webhook_secrets(id)}
        case GetWebhookHeaders(consumer_id=id):
            return {"headers": vault.webhook_headers(id)}
        case SetWebhookHeaders(consumer_id=id, headers=headers):
            vault.set_webhook_headers(id, headers)
        case DeleteWebhookSecret(consumer_id=id):
            vault.delete_webhook_secret(id)
        case _:
            assert_never(message)
    return {}


_KINDS = (Invalid, ReconnectionNeeded, AppKeysRejected, Unavailable)


def error_as_data(error: FeedlaneError) -> dict[str, Any]:
    match error:
        case Invalid(message=message, findings=findings):
            facts: dict[str, Any] = {"message": message, "findings": [finding.model_dump() for finding in findings]}
        case ReconnectionNeeded(problem=problem) | AppKeysRejected(problem=problem):
            facts = {"problem": problem.model_dump()}
        case Unavailable(retry_after=seconds):
            facts = {"message": str(error), "retry_after": seconds}
        case _:
            raise error
    # A caller knows only these kinds, and none of the vault's own narrower ones.
    kind = next(kind for kind in _KINDS if isinstance(error, kind))
    return {"kind": kind.__name__, **facts}


def error_from_data(data: dict[str, Any]) -> FeedlaneError:
    """The error that `error_as_data` made the data of."""
    match data:
        case {"kind": "Invalid", "message": message, "findings": findings}:
            return Invalid(message, [Finding.model_validate(finding) for finding in findings])
        case {"kind": "ReconnectionNeeded", "problem": problem}:
            return ReconnectionNeeded(Problem.model_validate(problem))
        case {"kind": "AppKeysRejected", "problem": problem}:
            return AppKeysRejected(Problem.model_validate(problem))
        case {"kind": "Unavailable", "message": message, "retry_after": seconds}:
            return Unavailable(message, seconds)
    return Unavailable("The vault's answer cannot be read")
