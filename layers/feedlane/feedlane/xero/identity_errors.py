"""The identity server's errors as types. They carry OAuth's error code, never a token or a secret."""

from __future__ import annotations

from feedlane.problem import Problem


class IdentityError(Exception):
    """The base of all errors of the identity server."""


class IdentityUnavailable(IdentityError):
    """No decision: an outage, a rate limit, an unreadable answer. `retry_after` is in seconds, if Xero sent one."""

    def __init__(self, reason: str, retry_after: int | None = None) -> None:
        super().__init__(reason)
        self.reason = reason
        self.retry_after = retry_after


class IdentityUnanswered(IdentityUnavailable):
    """The answer was lost: Xero may still have rotated the refresh token."""


class IdentityRefused(IdentityError):
    """Xero refused. Used directly for an OAuth error code that has no type of its own here."""

    def __init__(self, name: str, status: int) -> None:
        super().__init__(name)
        self.name = name
        self.status = status

    @property
    def problem(self) -> Problem:
        title, detail = _TITLES_AND_DETAILS.get(
            self.name, ("Xero refused", "Xero's identity server refused the request.")
        )
        return Problem(type=self.name, title=title, status=self.status, detail=detail)


class InvalidGrant(IdentityRefused):
    """The code or refresh token is used, expired, rotated away or revoked."""


class InvalidClient(IdentityRefused):
    """Xero does not know the app's keys: a fault of the app, never of a customer."""


class UnauthorizedClient(IdentityRefused):
    """The keys are correct, but the app may not use this kind of grant."""


class InvalidScope(IdentityRefused):
    """The keys are correct, but the app may not request one of the scopes."""


def refusal(name: str, status: int) -> IdentityRefused:
    return _ERROR_TYPES.get(name, IdentityRefused)(name, status)


_ERROR_TYPES: dict[str, type[IdentityRefused]] = {
    "invalid_grant": InvalidGrant,
    "invalid_client": InvalidClient,
    "unauthorized_client": UnauthorizedClient,
    "invalid_scope": InvalidScope,
}

# Xero sends codes without a description (`{"error":"invalid_grant"}`): the texts are ours.
_TITLES_AND_DETAILS = {
    "invalid_grant": ("Authorisation ended", "Xero no longer accepts what the customer granted."),
    "invalid_client": ("Invalid client", "Xero does not know the app's client id and secret."),
    "unauthorized_client": ("Unauthorised client", "The Xero app may not use this kind of grant."),
    "invalid_scope": ("Invalid scope", "The Xero app may not request one of the scopes."),
}
