"""What users have granted: codes, grants per app and user, rotating refresh tokens, access tokens.

Tokens belong to a user and an app, not to an organisation: a user's second consent replaces the refresh token of the
first.
"""

import secrets
from dataclasses import dataclass, field
from datetime import datetime, timedelta

CODE_LIFETIME = timedelta(minutes=5)
ACCESS_TOKEN_LIFETIME = timedelta(minutes=30)
ID_TOKEN_LIFETIME = timedelta(minutes=5)
REFRESH_TOKEN_LIFETIME = timedelta(days=60)
GRACE_PERIOD = timedelta(minutes=30)

# Xero's are opaque. These have a fixed prefix, so that tests can find leaked ones.
REFRESH_TOKEN_BEGINS = "simulated-refresh-token-"
CODE_BEGINS = "simulated-code-"

IDENTITY_SCOPES = {"openid", "profile", "email", "offline_access"}


@dataclass(frozen=True)
class User:
    user_id: str
    given_name: str
    family_name: str
    email: str

    @property
    def subject(self) -> str:
        return self.user_id.replace("-", "")


@dataclass(frozen=True)
class AuthorizeRequest:
    """A valid authorize request that awaits the user's decision."""

    client_id: str
    redirect_uri: str
    scopes: tuple[str, ...]
    state: str | None
    user_id: str
    code_challenge: str | None = None
    code_challenge_method: str = "S256"
    nonce: str | None = None


@dataclass
class AuthorizationCode:
    request: AuthorizeRequest
    auth_event_id: str
    auth_time: datetime
    expires_at: datetime
    used: bool = False


@dataclass
class AccessToken:
    """`user` is None for the app's own token (client credentials)."""

    value: str
    client_id: str
    user: User | None
    scopes: tuple[str, ...]
    expires_at: datetime
    ended: bool = False


@dataclass
class RefreshToken:
    value: str
    issued_at: datetime
    grant: "Grant"
    replaced_at: datetime | None = None
    ended: bool = False
    successor: "TokenPair | None" = None

    def is_alive(self, now: datetime) -> bool:
        if self.ended or self.grant.revoked or now >= self.issued_at + REFRESH_TOKEN_LIFETIME:
            return False
        return self.replaced_at is None or now < self.replaced_at + GRACE_PERIOD


@dataclass
class TokenPair:
    access: AccessToken
    refresh: RefreshToken | None
    id_token: str | None


@dataclass
class Grant:
    """Everything one user has granted to the app. At most one refresh token is current."""

    client_id: str
    user: User
    auth_event_id: str
    auth_time: datetime
    session_id: str = field(default_factory=lambda: secrets.token_hex(16))
    scopes: tuple[str, ...] = ()
    nonce: str | None = None
    current: RefreshToken | None = None
    latest_access: AccessToken | None = None
    revoked: bool = False

    def widen(self, requested: tuple[str, ...]) -> None:
        """API scopes accumulate over consents; identity scopes are those of the latest."""
        kept = [scope for scope in self.scopes if scope not in IDENTITY_SCOPES and scope not in requested]
        self.scopes = (*requested, *kept)

    def rotate(self, now: datetime, replaced: RefreshToken | None) -> RefreshToken:
        """Issues a new refresh token. The replaced one enters its grace period, unless it is in it already."""
        if replaced is not None and replaced.replaced_at is None:
            replaced.replaced_at = now
        self.current = RefreshToken(REFRESH_TOKEN_BEGINS + secrets.token_urlsafe(32), now, self)
        return self.current
