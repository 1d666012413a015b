"""What Codat does not document: one switch for each unknown fact. Each default is the likeliest position."""

from typing import Literal

from pydantic import BaseModel, ConfigDict, Field
from pydantic.alias_generators import to_camel


class Behaviour(BaseModel):
    """Positions of all switches. An assignment is checked; JSON names them in camel case."""

    model_config = ConfigDict(
        alias_generator=to_camel,
        validate_by_name=True,
        validate_assignment=True,
        extra="forbid",
        use_attribute_docstrings=True,
        # Only JSON's own types: "no" is not false.
        strict=True,
    )

    # pushes

    invalid_push: Literal["refused", "failed"] = "refused"
    """A push that breaks a rule: a 400 at once (valid data gets a Pending operation), or an operation that fails."""
    not_connected_status: Literal[400, 403, 404, 409] = 400
    """The status for a push to an account or through a connection that is not connected: undocumented."""
    balance: Literal["required", "optional"] = "required"
    """Whether a line needs its balance: required for Xero by the guide, optional in the specification."""
    sums: Literal["checked", "unchecked"] = "checked"
    """Whether the lines of a push have to add up: Codat does not say; Xero refuses with invalid-end-balance."""
    known_ids: Literal["skipped", "accepted"] = "skipped"
    """Lines whose ids Xero has: Codat is silent; Xero drops them, and rejects a statement that has no new one."""
    repeated_ids: Literal["skipped", "refused"] = "skipped"
    """The same id twice in one push: undocumented; ids are unique for the company."""
    today: Literal["organisation", "UTC"] = "organisation"
    """The time zone in which a date is in the future or a year old: dates are local, the zone is not documented."""
    downstream: Literal["json", "text", "validation"] = "json"
    """Where a failed operation has Xero's refusal: its JSON or its sentence in `errorMessage`, or in `validation`."""
    failed_status_code: Literal["upstream", "400"] = "upstream"
    """`statusCode` of an operation that Xero refused: documented as 400 or the upstream's code."""
    timed_out_status_code: Literal[408, 400, 504] = 408
    """`statusCode` of an operation that timed out: undocumented."""
    timed_out_lines: Literal["land", "lost"] = "land"
    """Whether lines reach Xero after their operation timed out: documented as possible."""
    data_echo: Literal["created", "always", "never"] = "created"
    """Where `data` repeats the push: allowed by the specification in the answer to it; deprecated since 2024."""

    push_order: Literal["newestFirst", "oldestFirst"] = "newestFirst"
    """The order of the list of operations without `orderBy`: undocumented."""
    listed_after_seconds: float = Field(default=0.0, ge=0, strict=False)
    """How long an operation is missing from the list (not by its key): nothing documents a delay."""
    long_texts: Literal["refused", "cut"] = "refused"
    """A text that is longer than Xero takes: whether Codat cuts it is not documented."""

    # mapping

    appears: Literal["nextOperation", "operationAfterNext", "atOnce"] = "nextOperation"
    """When a mapping shows as connected, with its account and event: on the next operation (documented)."""
    existing_target: Literal["connected", "connecting"] = "connected"
    """The answer to a mapping to an account that exists: only that of a new account is documented."""
    refused_mapping: Literal["400", "body"] = "400"
    """A mapping that Xero refuses: a 400 (since June 2026 for a taken account), or a body with status Failed."""
    feed_scope: Literal["withAccounts", "always"] = "withAccounts"
    """Codat asks Xero for the right to feeds only if source accounts exist when the customer authorises."""
    sort_code: Literal["gbp", "always", "never"] = "gbp"
    """What needs a sort code: accounts in GBP (guide to accounts), or all of the first vocabulary (page on Xero)."""

    # connections and Link

    second_link: Literal["unlinksFirst", "both"] = "unlinksFirst"
    """A second connection of a company that is linked: one active accounting source per company is documented."""
    one_time_passwords: bool = False
    """Whether links carry a password that works once, for a day: the documentation contradicts itself."""
    error_texts: Literal["plain", "fullStop"] = "plain"
    """The end of `errorMessage` in a redirect: Codat's table has a full stop, its examples have none."""

    # the whole API

    malformed_key: Literal["400", "accepted"] = "400"
    """An Idempotency-Key that is no GUID: one GUID is documented, the refusal of others is not."""
    unknown_fields: Literal["ignored", "refused"] = "ignored"
    """Fields of a body that Codat does not know: undocumented."""
