"""The claims of access tokens and id tokens, as Xero's tokens carry them."""

import base64
import hashlib
import secrets
from datetime import datetime
from typing import Any

from local.simulator.grants import ACCESS_TOKEN_LIFETIME, ID_TOKEN_LIFETIME, Grant

ISSUER = "https://identity.xero.com"
RESOURCES = "https://identity.xero.com/resources"
IDP = "local"


def access_claims(grant: Grant, now: datetime) -> dict[str, Any]:
    return {
        **_validity(now, ACCESS_TOKEN_LIFETIME.total_seconds()),
        "aud": RESOURCES,
        "client_id": grant.client_id,
        "sub": grant.user.subject,
        "auth_time": int(grant.auth_time.timestamp()),
        "xero_userid": grant.user.user_id,
        "global_session_id": grant.session_id,
        "sid": grant.session_id,
        "jti": secrets.token_hex(16),
        # Only here, never in the id token.
        "authentication_event_id": grant.auth_event_id,
        "scope": list(grant.scopes),
        "amr": ["pwd"],
    }


def app_claims(client_id: str, scopes: tuple[str, ...], now: datetime) -> dict[str, Any]:
    """Client credentials: the app itself, no user."""
    return {
        **_validity(now, ACCESS_TOKEN_LIFETIME.total_seconds()),
        "aud": RESOURCES,
        "client_id": client_id,
        "jti": secrets.token_hex(16),
        "scope": list(scopes),
    }


def id_claims(grant: Grant, access_token: str, now: datetime) -> dict[str, Any]:
    user = grant.user
    claims = {
        **_validity(now, ID_TOKEN_LIFETIME.total_seconds()),
        "iat": int(now.timestamp()),
        "aud": grant.client_id,
        "at_hash": _half_hash(access_token),
        "sid": grant.session_id,
        "sub": user.subject,
        "auth_time": int(grant.auth_time.timestamp()),
        "idp": IDP,
        "xero_userid": user.user_id,
        "global_session_id": grant.session_id,
        "amr": ["pwd"],
    }
    if grant.nonce is not None:
        claims["nonce"] = grant.nonce
    if "profile" in grant.scopes:
        claims |= {
            "preferred_username": user.email,
            "given_name": user.given_name,
            "family_name": user.family_name,
            "name": f"{user.given_name} {user.family_name}",
        }
    if "email" in grant.scopes:
        claims["email"] = user.email
    return claims


def _validity(now: datetime, lifetime_seconds: float) -> dict[str, Any]:
    issued = int(now.timestamp())
    return {"nbf": issued, "exp": issued + int(lifetime_seconds), "iss": ISSUER}


def _half_hash(access_token: str) -> str:
    digest = hashlib.sha256(access_token.encode()).digest()
    return base64.urlsafe_b64encode(digest[:16]).rstrip(b"=").decode()
