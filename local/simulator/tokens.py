"""`POST /connect/token`, `POST /connect/revocation` and `GET /connect/userinfo`."""

import base64
import binascii
import hashlib
import hmac
from typing import Any
from urllib.parse import parse_qsl, unquote_plus

from local.simulator import claims
from local.simulator.answers import Answer
from local.simulator.api_call import ApiCall
from local.simulator.grants import (
    ACCESS_TOKEN_LIFETIME,
    AccessToken,
    AuthorizationCode,
    Grant,
    RefreshToken,
    TokenPair,
)
from local.simulator.problems import gateway, oauth_error
from local.simulator.state import APP_SCOPES, Simulator

NO_STORE = {"Cache-Control": "no-store, no-cache, max-age=0"}


def answer_token(sim: Simulator, call: ApiCall) -> Answer:
    form = _form(call)
    if not _is_our_client(sim, call, form):
        return oauth_error("invalid_client")
    grant_type = form.get("grant_type")
    if grant_type is None:
        return oauth_error("invalid_request")
    act = {
        "authorization_code": _exchange_code,
        "refresh_token": _refresh,
        "client_credentials": _client_credentials,
    }.get(grant_type)
    if act is None:
        return oauth_error("unsupported_grant_type")
    if grant_type not in sim.app.grant_types:
        return oauth_error("unauthorized_client")
    return act(sim, form)


def answer_revocation(sim: Simulator, call: ApiCall) -> Answer:
    """Removes all of the user's connections. An unknown token is not an error."""
    form = _form(call)
    if not _is_our_client(sim, call, form):
        return oauth_error("invalid_client")
    token = sim.refresh_tokens.get(form.get("token", ""))
    if token is not None:
        token.grant.revoked = True
        for connection in sim.live_connections():
            if (connection.client_id, connection.user_id) == (token.grant.client_id, token.grant.user.user_id):
                connection.removed = True
    return Answer(200)


def answer_userinfo(_sim: Simulator, call: ApiCall) -> Answer:
    token = call.token
    if token is None or token.user is None or "openid" not in token.scopes:
        return gateway(403, "AuthenticationUnsuccessful")
    user = token.user
    body: dict[str, Any] = {"sub": user.subject, "xero_userid": user.user_id}
    if "profile" in token.scopes:
        body |= {
            "name": f"{user.given_name} {user.family_name}",
            "given_name": user.given_name,
            "family_name": user.family_name,
            "preferred_username": user.email,
        }
    if "email" in token.scopes:
        body["email"] = user.email
    return Answer(200, body)


def _exchange_code(sim: Simulator, form: dict[str, str]) -> Answer:
    code = sim.codes.get(form.get("code", ""))
    if code is None or code.used or sim.now() >= code.expires_at:
        return oauth_error("invalid_grant")
    if code.request.redirect_uri != form.get("redirect_uri") or not _proves_possession(code, form):
        return oauth_error("invalid_grant")
    code.used = True
    request = code.request
    key = (request.client_id, request.user_id)
    grant = sim.grants.get(key)
    if grant is None or grant.revoked:
        user = sim.user(request.user_id)
        grant = Grant(request.client_id, user, code.auth_event_id, code.auth_time)
        sim.grants[key] = grant
    grant.auth_event_id, grant.auth_time, grant.nonce = code.auth_event_id, code.auth_time, request.nonce
    grant.widen(request.scopes)
    return _pair_answer(sim, _issue_to_consent(sim, grant))


def _issue_to_consent(sim: Simulator, grant: Grant) -> TokenPair:
    """A consent's pair. What becomes of the user's earlier tokens is a switch."""
    earlier, choice = grant.current, sim.behaviour.second_consent
    if choice == "ends":
        tokens: list[RefreshToken | AccessToken] = [*sim.refresh_tokens.values(), *sim.access_tokens.values()]
        for ended in tokens:
            owner = ended.grant.user if isinstance(ended, RefreshToken) else ended.user
            ended.ended = ended.ended or owner == grant.user
    if choice == "shares" and earlier is not None and earlier.is_alive(sim.now()):
        return TokenPair(_issue_access(sim, grant), earlier, _id_token(sim, grant))
    return _issue(sim, grant, None if choice == "keeps" else earlier)


def _refresh(sim: Simulator, form: dict[str, str]) -> Answer:
    token = sim.refresh_tokens.get(form.get("refresh_token", ""))
    if token is None or not token.is_alive(sim.now()):
        return oauth_error("invalid_grant")
    grant = token.grant
    if not set(form.get("scope", "").split()) <= set(grant.scopes):
        return oauth_error("invalid_scope")
    if token.successor is not None and sim.behaviour.grace_replay == "samePair":
        return _pair_answer(sim, token.successor)
    if sim.behaviour.refresh_ends_access_token and grant.latest_access is not None:
        grant.latest_access.ended = True
    if sim.behaviour.refresh_answer == "withoutToken":
        token.issued_at = sim.now()
        return _pair_answer(sim, TokenPair(_issue_access(sim, grant), None, _id_token(sim, grant)))
    token.successor = _issue(sim, grant, token if sim.behaviour.second_consent == "keeps" else grant.current)
    return _pair_answer(sim, token.successor)


def _client_credentials(sim: Simulator, form: dict[str, str]) -> Answer:
    scopes = tuple(form.get("scope", "").split()) or tuple(sorted(APP_SCOPES))
    if not set(scopes) <= APP_SCOPES:
        return oauth_error("invalid_scope")
    value = sim.key.sign(claims.app_claims(sim.app.client_id, scopes, sim.now()))
    expires_at = sim.now() + ACCESS_TOKEN_LIFETIME
    sim.access_tokens[value] = AccessToken(value, sim.app.client_id, None, scopes, expires_at)
    body = {
        "access_token": value,
        "expires_in": int(ACCESS_TOKEN_LIFETIME.total_seconds()),
        "token_type": "Bearer",
        "scope": " ".join(scopes),
    }
    return Answer(200, body, headers=NO_STORE)


def _issue(sim: Simulator, grant: Grant, replaced: RefreshToken | None) -> TokenPair:
    access, refresh = _issue_access(sim, grant), None
    if "offline_access" in grant.scopes:
        refresh = grant.rotate(sim.now(), replaced)
        sim.refresh_tokens[refresh.value] = refresh
    return TokenPair(access, refresh, _id_token(sim, grant))


def _issue_access(sim: Simulator, grant: Grant) -> AccessToken:
    now = sim.now()
    with_idp = sim.behaviour.access_token_idp == "present"
    value = sim.key.sign(claims.access_claims(grant, now) | ({"idp": claims.IDP} if with_idp else {}))
    access = AccessToken(value, grant.client_id, grant.user, grant.scopes, now + ACCESS_TOKEN_LIFETIME)
    sim.access_tokens[value] = access
    grant.latest_access = access
    return access


def _id_token(sim: Simulator, grant: Grant) -> str | None:
    if "openid" not in grant.scopes or grant.latest_access is None:
        return None
    return sim.key.sign(claims.id_claims(grant, grant.latest_access.value, sim.now()))


def _pair_answer(sim: Simulator, pair: TokenPair) -> Answer:
    body: dict[str, Any] = {}
    if pair.id_token is not None:
        body["id_token"] = pair.id_token
    body["access_token"] = pair.access.value
    seconds = max(0, round((pair.access.expires_at - sim.now()).total_seconds()))
    body["expires_in"] = seconds if sim.behaviour.expires_in == "number" else str(seconds)
    body["token_type"] = "Bearer"
    if pair.refresh is not None:
        body["refresh_token"] = pair.refresh.value
    body["scope"] = " ".join(pair.access.scopes)
    return Answer(200, body, headers=NO_STORE)


def _is_our_client(sim: Simulator, call: ApiCall, form: dict[str, str]) -> bool:
    """Accepts client_secret_basic and client_secret_post, with any of the app's secrets."""
    client_id, secret = _basic_credentials(call) or (form.get("client_id"), form.get("client_secret"))
    if client_id != sim.app.client_id or secret is None:
        return False
    return any(hmac.compare_digest(secret.encode(), known.encode()) for known in sim.app.client_secrets)


def _basic_credentials(call: ApiCall) -> tuple[str, str] | None:
    scheme, _, encoded = call.headers.get("authorization", "").partition(" ")
    if scheme.lower() != "basic":
        return None
    try:
        client_id, _, secret = base64.b64decode(encoded, validate=True).decode().partition(":")
    except (binascii.Error, UnicodeDecodeError):
        return "", ""
    return unquote_plus(client_id), unquote_plus(secret)


def _proves_possession(code: AuthorizationCode, form: dict[str, str]) -> bool:
    challenge = code.request.code_challenge
    if challenge is None:
        return True
    verifier = form.get("code_verifier", "")
    if code.request.code_challenge_method == "plain":
        return hmac.compare_digest(verifier, challenge)
    digest = hashlib.sha256(verifier.encode()).digest()
    expected = base64.urlsafe_b64encode(digest).rstrip(b"=").decode()
    return hmac.compare_digest(expected, challenge)


def _form(call: ApiCall) -> dict[str, str]:
    return dict(parse_qsl(call.body.decode("utf-8", "replace"), keep_blank_values=True))
