"""What Xero does not document: one switch for each unknown fact, so that every variant can be tested.

Each default is the likeliest position; a switch's text says what is unknown and where the default comes from. `Issue
N` and `thread N` there are public ones of Xero's own repositories and forum.
"""

from typing import Any, Literal, get_args

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

    # statements

    amounts: Literal["strings", "numbers"] = "strings"
    """Amounts in answers: the specification says numbers, its examples and Xero's documentation show strings."""
    signed_amounts: Literal["accept", "refuse"] = "accept"
    """A negative amount: the specification says unsigned, an integrator in production sends signs and is accepted."""
    order: Literal["ignore", "enforce"] = "ignore"
    """Order and continuity between statements: inferred from production code that sends synthetic balances."""
    rejections: Literal["documented", "items", "root"] = "documented"
    """The shape of a rejected statement: the specification shows a root problem for some types, code reads items."""
    rejected_ids: Literal["free", "used"] = "free"
    """Whether ids of a REJECTED statement may be sent again: nobody says; free, because nothing was delivered."""
    duplicates_found: Literal["onArrival", "whileProcessing"] = "onArrival"
    """When a statement with only known ids is rejected: the specification documents a 409, perhaps not for all."""
    duplicate_key: Literal["id", "idAndContent", "idOrContent"] = "id"
    """What makes a line known: its id (Apideck's guide), id with date and amount, or the same content under any id."""
    duplicate_scope: Literal["feedConnection", "account"] = "feedConnection"
    """Whether a new feed connection of the same account knows the ids of the one before: nobody says."""
    listed_after_seconds: float = Field(default=0.0, ge=0, strict=False)
    """How long a statement is missing from the list (not by its id): nothing documents a delay."""
    line_count: Literal["kept", "received"] = "kept"
    """Whether `statementLineCount` includes the dropped lines: nobody says; it is described as the lines contained."""
    line_count_type: Literal["text", "integer"] = "text"
    """The type of `statementLineCount`: integer in the specification's schema, text in all its examples."""
    zero_lines: Literal["accept", "refuse"] = "accept"
    """A statement without lines: nobody says; the specification requires none."""
    lines_outside_period: Literal["accept", "refuse"] = "accept"
    """Lines dated outside their statement: undocumented."""
    mixed_status: Literal[202, 207, 400] = 202
    """The HTTP status when only some of a POST's statements are accepted: undocumented in 1.0, 207 in 2.0."""
    size_checked: Literal["afterApplication", "first"] = "afterApplication"
    """Whether a body over 3,000,000 bytes gets its 413 before the 403 of app and organisation: undocumented."""
    lengths: Literal["characters", "utf16"] = "characters"
    """How text is measured: the specification says characters; .NET, in which Xero is written, counts UTF-16 units."""
    today: Literal["organisation", "UTC", "Pacific/Auckland", "America/Los_Angeles"] = "organisation"
    """The time zone in which an end date is in the future: undocumented; inferred to be the organisation's."""

    # feed connections

    feed_connections: Literal["checked", "checkedLater", "rejectedLater"] = "checked"
    """When a refused feed connection is: in the answer (issue 380), after PENDING, or (rejectedLater) always so."""
    currency_checked: Literal["organisation", "account", "statements"] = "organisation"
    """What a feed's currency is checked against when it is made; `statements` refuses its statements instead."""
    country: Literal["optional", "required", "refused"] = "optional"
    """`country` of a feed connection: "only if the app is multi-region" (specification), perhaps required there."""
    feed_list_status: Literal[200, 202] = 200
    """The status of the list of feed connections: 202 in the specification, 200 in reality (issue 378)."""
    feed_versions: Literal["shared", "apart"] = "shared"
    """Whether 1.0 and 2.0 know each other's feed connections: nobody says; 2.0 is "intended to replace 1.0"."""
    partial_failures: Literal["prefixed", "renamed"] = "prefixed"
    """The types of partial failures of 2.0: the specification's; another text renames them (the new names are ours)."""
    first_page: Literal[1, 0] = 1
    """The number of the first page: the specification calls page 1 "the second set", its examples call it the first."""
    ids: Literal["guid", "opaque"] = "guid"
    """The ids that Xero gives feed connections, statements and connections: guids in all examples."""
    malformed_id: Literal[404, 400] = 404
    """The answer to an id in a path that is no guid: only 404 for an unknown one is documented."""

    # identity and connections

    grace_replay: Literal["newPair", "samePair"] = "newPair"
    """What a replaced refresh token answers within its grace period: unknown (thread 105714701)."""
    refresh_ends_access_token: bool = False
    """Whether a refresh ends the access token before it: not documented; one vendor says so, unproved."""
    refresh_answer: Literal["newToken", "withoutToken"] = "newToken"
    """Whether each refresh brings a new refresh token: documented; OAuth allows none, and then the old one stays."""
    expires_in: Literal["number", "text"] = "number"
    """The type of `expires_in`: a number in all samples, and text breaks xero-python; other servers send it."""
    second_consent: Literal["grace", "ends", "keeps", "shares"] = "grace"
    """The user's earlier tokens after another consent: tokens are per user and app (staff, issue 585)."""
    reconnected_id: Literal["same", "new"] = "same"
    """The id of a connection that was removed and consented to again: `createdDateUtc` is documented as the first's."""
    redirects: Literal["anySecure", "registered"] = "anySecure"
    """Without registered URIs: any that Xero would let be registered (a convenience), or none, as at Xero."""
    access_token_idp: Literal["absent", "present"] = "absent"
    """The claim `idp` in access tokens: not in the real one that is known, but in the types of xero-node."""
    login_host: Literal["same", "own"] = "same"
    """Whether the consent page has a host of its own (`login.…`), as Xero's has; the same here as a convenience."""

    # gateway and accounting

    missing_scope: Literal[403, 401] = 403
    """The status for a missing scope: 403 AuthenticationUnsuccessful or 401 AuthorizationUnsuccessful, both seen."""
    limit_names: Literal["short", "long"] = "short"
    """The spelling of X-Rate-Limit-Problem: `day` is documented, `DayLimit` has been seen."""
    time_zone_names: Literal["windows", "spaced", "iana", "absent"] = "windows"
    """The spelling of `Timezone`: capitals without spaces in all samples; xero-python fails with spaced and iana."""


def positions(name: str, switches: type[BaseModel] = Behaviour) -> tuple[Any, ...]:
    """All positions of a switch, the default first; for a number of seconds, the default and an example."""
    field = switches.model_fields[name]
    others = (True, False) if field.annotation is bool else get_args(field.annotation) or (45.0,)
    return (field.default, *(other for other in others if other != field.default))
