"""Request bodies as Codat's SDKs send them, read strictly: the error names each wrong field."""

from __future__ import annotations

from decimal import Decimal
from typing import Annotated, Any, TypeVar

from pydantic import BaseModel, ConfigDict, Field, StrictBool, StrictInt, StrictStr, ValidationError
from pydantic.alias_generators import to_camel

from feedlane.doors import require_json_texts
from feedlane.errors import Finding, Invalid
from feedlane.money import loads

# Of a push, whose transactions are stored in parts.
BODY_BYTES_MAX = 5_000_000
# Of all others: what they make must fit into one item of the table, and into the event that reports it.
SMALL_BODY_BYTES_MAX = 100_000
# Of several source accounts: each becomes an item of its own.
BATCH_BODY_BYTES_MAX = 500_000
TEXT_LENGTH_MAX = 5_000
Money = Annotated[Decimal, Field(max_digits=19, decimal_places=4, allow_inf_nan=False)]
B = TypeVar("B", bound=BaseModel)


# Rules that pydantic words for programmers in Python: the caller writes JSON.
_RULES = {
    "missing": ("is required", "Required"),
    "extra_forbidden": ("is not a field of this request", "UnknownField"),
    "string_type": ("must be a string", "string_type"),
    "bool_type": ("must be true or false", "bool_type"),
    "list_type": ("must be a list", "list_type"),
    "tuple_type": ("must be a list", "tuple_type"),
    "too_short": ("must not be empty", "too_short"),
}


class Body(BaseModel):
    """Fields in camel case; unknown ones are ignored, as Codat ignores them. No text is longer than the maximum."""

    model_config = ConfigDict(
        alias_generator=to_camel, populate_by_name=True, extra="ignore", str_max_length=TEXT_LENGTH_MAX
    )


class CompanyBody(Body):
    """`upstream` is Feedlane's own field, as in the settings: if it is absent, a change leaves it as it is."""

    name: StrictStr
    description: StrictStr | None = None
    tags: dict[str, StrictStr] | None = None
    upstream: StrictStr | None = None


class CompanyChanges(Body):
    name: StrictStr | None = None
    description: StrictStr | None = None
    tags: dict[str, StrictStr] | None = None
    upstream: StrictStr | None = None


class ConnectionBody(Body):
    platform_key: StrictStr


class StrictBody(Body):
    """A body that only Feedlane has: an unknown field is refused, because a misspelt `setAside` must not be ignored."""

    model_config = ConfigDict(extra="forbid")


class ReleaseBody(StrictBody):
    set_aside: tuple[StrictStr, ...] = ()


class FeedChanges(StrictBody):
    """`syntheticBalances: null`, which is not absent, means as the settings say."""

    synthetic_balances: StrictBool | None = None


class UpstreamBody(StrictBody):
    upstream: StrictStr


class ResolveBody(StrictBody):
    outcome: StrictStr
    set_aside: tuple[StrictStr, ...] = ()


class SetAsideBody(StrictBody):
    set_aside: tuple[StrictStr, ...] = Field(min_length=1)


class StatusBody(Body):
    status: StrictStr


class RoutingInfo(Body):
    bank_code: StrictStr | None = None
    type: StrictStr | None = None


class AccountInfo(Body):
    description: StrictStr | None = None
    nickname: StrictStr | None = None
    account_open_date: StrictStr | None = None
    available_balance: Money | None = None


class SourceAccountBody(Body):
    """A source account in either of Codat's two vocabularies. Xero needs neither `sortCode` nor `balance`."""

    id: StrictStr
    account_name: StrictStr
    account_type: StrictStr
    account_number: StrictStr
    currency: StrictStr
    sort_code: StrictStr | None = None
    balance: Money = Decimal(0)
    routing_info: RoutingInfo | None = None
    account_info: AccountInfo | None = None


class SourceAccountChanges(Body):
    id: StrictStr | None = None
    account_name: StrictStr | None = None
    account_type: StrictStr | None = None
    account_number: StrictStr | None = None
    currency: StrictStr | None = None
    sort_code: StrictStr | None = None
    balance: Money | None = None
    status: StrictStr | None = None


class MappingBody(Body):
    source_account_id: StrictStr
    target_account_id: StrictStr | None = None
    feed_start_date: StrictStr | None = None


class ConsumerBody(Body):
    url: StrictStr
    event_types: list[StrictStr] | None = None
    company_tags: list[StrictStr] | None = None
    headers: dict[str, StrictStr] | None = None
    disabled: StrictBool = False


class ConsumerChanges(StrictBody):
    url: StrictStr | None = None
    event_types: list[StrictStr] | None = None
    company_tags: list[StrictStr] | None = None
    headers: dict[str, StrictStr] | None = None


class ReplayBody(StrictBody):
    since: StrictStr
    until: StrictStr | None = None
    which: StrictStr = "failed"
    company_id: StrictStr | None = None


class ApiKeyBody(Body):
    name: StrictStr


class ProfileBody(Body):
    name: StrictStr
    redirect_url: StrictStr
    logo_url: StrictStr | None = None
    icon_url: StrictStr | None = None
    colour: StrictStr | None = None
    support_address: StrictStr | None = None
    white_list_urls: list[StrictStr] | None = None


class OriginsBody(Body):
    allowed_origins: list[StrictStr]


class SettingsBody(StrictBody):
    """An absent field leaves the setting as it is. `connectionLimit: null`, which is not absent, means no limit."""

    upstream: StrictStr | None = None
    enabled: StrictBool | None = None
    bank_feeds: StrictBool | None = None
    access: StrictStr | None = None
    app_name: StrictStr | None = None
    company_url: StrictStr | None = None
    redirect_uri: StrictStr | None = None
    partner: StrictBool | None = None
    privacy_policy_url: StrictStr | None = None
    terms_url: StrictStr | None = None
    connection_limit: StrictInt | None = None
    daily_limit: StrictInt | None = None
    gap_is_error: StrictBool | None = None
    changed_transactions: StrictStr | None = None
    refusal_holds_feed: StrictBool | None = None
    synthetic_balances: StrictBool | None = None
    feed_connections: StrictInt | None = None
    pkce: StrictBool | None = None
    link_passwords: StrictBool | None = None


class CredentialsBody(Body):
    client_id: StrictStr
    client_secret: StrictStr


class SecretBody(Body):
    client_secret: StrictStr


class CodatKeyBody(Body):
    api_key: StrictStr


class CodatWebhookSecretBody(Body):
    webhook_secret: StrictStr


def parse_body(model: type[B], body: str | None) -> B:
    """The body as a model. Raises `Invalid` with a finding for each wrong field."""
    return validate_body(model, json_in(body))


def validate_body(model: type[B], value: Any) -> B:
    if not isinstance(value, dict):
        raise Invalid("The body must be a JSON object.")
    try:
        return model.model_validate(value)
    except ValidationError as error:
        findings = [_finding(dict(detail)) for detail in error.errors(include_url=False, include_input=False)]
        message = "; ".join(f"{finding.item_id}: {finding.message}" for finding in findings)
        raise Invalid(message, findings) from None


def json_in(body: str | None, bytes_max: int = SMALL_BODY_BYTES_MAX) -> Any:
    """The body as JSON, with `Decimal` for numbers with a fraction, and text that can be stored. Raises `Invalid`."""
    if not body:
        raise Invalid("The request has no body; a JSON body is required.")
    require_size(body, bytes_max)
    try:
        value = loads(body)
    except (ValueError, RecursionError):
        raise Invalid("The body is not valid JSON.") from None
    require_json_texts(value)
    return value


def require_size(body: str, bytes_max: int) -> None:
    """Raises `Invalid` for a body with more bytes, in UTF-8."""
    if len(body) > bytes_max or len(body.encode("utf-8", "replace")) > bytes_max:
        raise Invalid(f"The body is too large: at most {bytes_max:,} bytes are accepted.")


def _finding(error: dict[str, Any]) -> Finding:
    field = ".".join(map(str, error["loc"])) or "body"
    kind = str(error["type"])
    message, validator = _RULES.get(kind, (str(error["msg"]), kind))
    return Finding(item_id=field, message=message, validator=validator)
