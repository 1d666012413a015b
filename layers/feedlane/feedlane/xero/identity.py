"""Xero's identity server: the consent URL, and access tokens for codes and refresh tokens."""

from __future__ import annotations

import base64
import binascii
import hashlib
from collections.abc import Mapping
from datetime import timedelta
from typing import Any, NamedTuple
from urllib.parse import quote_plus, urlencode

import httpx

from feedlane.clock import Clock, system_clock
from feedlane.credentials.token_set import AccessToken, TokenSet
from feedlane.errors import NotSent, Unanswered
from feedlane.http import Http
from feedlane.json_object import json_object
from feedlane.retry_after import xero_retry_after
from feedlane.xero.identity_errors import IdentityUnanswered, IdentityUnavailable, refusal

APP_SCOPE = "app.connections"
LIFETIME = timedelta(minutes=30)
_LIFETIME_SECONDS_MAX = 86_400


class ClientKeys(NamedTuple):
    """How the app authenticates. Not a record: it must never end up in a log or an item."""

    id: str
    secret: str

    def __repr__(self) -> str:
        return f"ClientKeys(id={self.id!r})"


def authorize_url(
    login_url: str,
    client_id: str,
    redirect_uri: str,
    scopes: tuple[str, ...],
    state: str,
    code_challenge: str | None = None,
) -> str:
    """Where the customer's browser goes to consent. `code_challenge` is PKCE's S256, in addition to the secret."""
    query = {
        "response_type": "code",
        "client_id": client_id,
        "redirect_uri": redirect_uri,
        "scope": " ".join(scopes),
        "state": state,
    }
    if code_challenge:
        query |= {"code_challenge": code_challenge, "code_challenge_method": "S256"}
    return f"{login_url.rstrip('/')}/identity/connect/authorize?{urlencode(query)}"


def code_challenge(verifier: str) -> str:
    """PKCE's S256 of a verifier, which has 43 to 128 characters."""
    digest = hashlib.sha256(verifier.encode()).digest()
    return base64.urlsafe_b64encode(digest).rstrip(b"=").decode()


class Identity:
    """Every method raises the types of `identity_errors`, which carry no token and no secret."""

    def __init__(self, http: Http, clock: Clock = system_clock) -> None:
        self._http = http
        self._clock = clock

    def exchange(self, keys: ClientKeys, code: str, redirect_uri: str, code_verifier: str | None = None) -> TokenSet:
        """The token set for a code, which is valid for 5 minutes and once: never send it a second time."""
        form = {"grant_type": "authorization_code", "code": code, "redirect_uri": redirect_uri}
        if code_verifier:
            form["code_verifier"] = code_verifier
        return self._token_set(keys, form, None)

    def refresh(self, keys: ClientKeys, old: TokenSet) -> TokenSet:
        """A new pair. Xero accepts the old refresh token for 30 more minutes, as often as needed."""
        form = {"grant_type": "refresh_token", "refresh_token": old.refresh_token or ""}
        return self._token_set(keys, form, old)

    def revoke(self, keys: ClientKeys, refresh_token: str) -> None:
        """Revokes everything that the user granted to the app, for every organisation."""
        answer = self._post(keys, "/connect/revocation", {"token": refresh_token})
        if answer.status_code != 200 or answer.content:
            raise _unreadable("revocation")  # Xero's own answer is a 200 without a body

    def check(self, keys: ClientKeys) -> None:
        """Requests a token for the app itself, only to check whether Xero knows the keys."""
        self.app_token(keys)

    def app_token(self, keys: ClientKeys) -> AccessToken:
        """A token for the app itself, which lists and removes all its connections, whoever made them.

        Xero may refuse it to an app: `UnauthorizedClient`, `InvalidScope`.
        """
        requested_at = self._clock()
        answer = self._post(keys, "/connect/token", {"grant_type": "client_credentials", "scope": APP_SCOPE})
        body = json_object(answer.content) or {}
        value = body.get("access_token")
        if not isinstance(value, str):
            raise _unreadable("token")
        return AccessToken(value=value, expires_at=requested_at + _lifetime(body.get("expires_in")))

    def _token_set(self, keys: ClientKeys, form: Mapping[str, str], old: TokenSet | None) -> TokenSet:
        requested_at = self._clock()
        answer = json_object(self._post(keys, "/connect/token", form).content) or {}
        access_token = answer.get("access_token")
        if not isinstance(access_token, str):
            raise _unreadable("token")
        claims = _claims(access_token)
        user = claims.get("xero_userid") or (old.xero_user_id if old else None)
        if not user:
            raise IdentityUnavailable("Xero's access token names no user")
        event = _text(claims.get("authentication_event_id")) or (old.authentication_event_id if old else None)
        return TokenSet(
            access_token=access_token,
            expires_at=requested_at + _lifetime(answer.get("expires_in")),
            # OAuth lets a refresh answer without one: then the old one stays.
            refresh_token=_text(answer.get("refresh_token")) or (old.refresh_token if old else None),
            scopes=_scopes(answer, claims, old),
            xero_user_id=str(user),
            client_id=keys.id,
            authentication_event_id=event,
        )

    def _post(self, keys: ClientKeys, path: str, form: Mapping[str, str]) -> httpx.Response:
        headers = {
            "Authorization": _basic_auth(keys),
            "Accept": "application/json",
            "Content-Type": "application/x-www-form-urlencoded",
        }
        try:
            answer = self._http.send("POST", path, headers=headers, content=urlencode(form).encode())
        except NotSent as error:
            raise IdentityUnavailable(f"Xero's identity server could not be reached ({error})") from None
        except Unanswered as error:
            raise IdentityUnanswered(f"Xero's identity server did not answer ({error})") from None
        if answer.is_success:
            return answer
        if answer.status_code == 429 or not answer.is_client_error:
            reason = f"Xero's identity server answered {answer.status_code}"
            raise IdentityUnavailable(reason, xero_retry_after(answer.headers, self._clock()))
        name = (json_object(answer.content) or {}).get("error")
        if not isinstance(name, str):
            # Not an OAuth error: it comes from something in front of the identity server, and decides nothing.
            raise IdentityUnavailable(f"Xero's identity server answered {answer.status_code} without a reason")
        raise refusal(name, answer.status_code)


def _unreadable(what: str) -> IdentityUnavailable:
    """For a success that something in front of the identity server answered."""
    return IdentityUnavailable(f"Xero's {what} answer could not be read")


def _claims(access_token: str) -> dict[str, Any]:
    """The JWT's payload. The signature is not checked: it came over TLS from the token endpoint itself."""
    try:
        payload = access_token.split(".")[1]
        return json_object(base64.urlsafe_b64decode(payload + "=" * (-len(payload) % 4))) or {}
    except (IndexError, binascii.Error, ValueError):
        return {}


def _text(value: Any) -> str:
    """Empty for anything that is no text: what came with it must not be lost."""
    return value if isinstance(value, str) else ""


def _lifetime(expires_in: Any) -> timedelta:
    """`expires_in` as a number or as text; Xero's documented lifetime for anything else.

    A code can be exchanged once: no form of this field may lose what it brought. A token that ends earlier gets a 401,
    and is refreshed.
    """
    try:
        seconds = float(expires_in)
    except (TypeError, ValueError, OverflowError):
        return LIFETIME
    return timedelta(seconds=int(seconds)) if 1 <= seconds <= _LIFETIME_SECONDS_MAX else LIFETIME


def _scopes(answer: Mapping[str, Any], claims: Mapping[str, Any], old: TokenSet | None) -> tuple[str, ...]:
    granted = answer.get("scope") or claims.get("scope")
    if isinstance(granted, str):
        return tuple(granted.split())
    if isinstance(granted, list):
        return tuple(map(str, granted))
    return old.scopes if old else ()


def _basic_auth(keys: ClientKeys) -> str:
    """RFC 6749, 2.3.1: id and secret are form-encoded before they are joined."""
    pair = f"{quote_plus(keys.id)}:{quote_plus(keys.secret)}"
    return "Basic " + base64.b64encode(pair.encode()).decode()
