"""The vault's function as its callers see it: typed answers and errors through Lambda, and no secret in any log."""

from __future__ import annotations

import io
import json
from collections.abc import Callable, Iterator
from typing import Any

import httpx
import pytest
from botocore.exceptions import ClientError

from feedlane.aws.vault import LambdaVault
from feedlane.credentials.vault import SecretSlot
from feedlane.errors import AppKeysRejected, Invalid, ReconnectionNeeded, Unavailable
from feedlane.ids import fingerprint
from feedlane.vault.callers import ALLOWED
from feedlane.vault.published import RETRY_AFTER_SECONDS
from tests.fakes.secrets import after_looks
from tests.handlers import Context, load, sample
from tests.worlds.vault import CLIENT_ID, CONTINUOUS, NEW_SECRET, REDIRECT, SECRET, World

app = load("credential_vault")
CANARY = "canary"


@pytest.fixture
def world(monkeypatch: pytest.MonkeyPatch) -> World:
    world = World()
    monkeypatch.setattr(app, "vault", world.vault)
    return world


@pytest.fixture
def log() -> Iterator[io.StringIO]:
    """What the function writes to its log."""
    lines = io.StringIO()
    before = app.logger.registered_handler.setStream(lines)
    yield lines
    app.logger.registered_handler.setStream(before)


class FakeLambda:
    """Invokes the handler as Lambda does: JSON in, JSON out, a failure as `FunctionError`.

    Without a `caller`, it is one that may ask for what the message asks for.
    """

    def __init__(self, caller: str = "") -> None:
        self.failures: list[str] = []
        self._caller = caller

    def invoke(self, FunctionName: str, Payload: bytes) -> dict[str, Any]:  # noqa: N803
        assert FunctionName == "feedlane-credential_vault"
        event = json.loads(Payload)
        try:
            answer = app.handler(event, Context(self._caller or some_caller(event["action"])))
        except Exception as error:
            self.failures.append(f"{type(error).__name__}: {error}")
            return {"FunctionError": "Unhandled", "Payload": io.BytesIO(b'{"errorMessage": "..."}')}
        return {"Payload": io.BytesIO(json.dumps(answer).encode())}


def some_caller(action: str) -> str:
    return next(caller for caller, actions in ALLOWED.items() if action in actions)


@pytest.fixture
def client(world: World) -> LambdaVault:
    return LambdaVault(FakeLambda(), "feedlane-credential_vault")


def test_the_sample_event_is_answered(world: World) -> None:
    """The sample asks for an unknown token set: an error as data, not a failed function."""
    answer = app.handler(sample("credential_vault"), Context("push_statements"))
    assert answer["error"]["kind"] == "ReconnectionNeeded"
    assert answer["error"]["problem"]["type"] == "token-set-unknown"


def test_every_action_gives_its_caller_what_the_service_gives(world: World, client: LambdaVault) -> None:
    assert client.save_app_keys(CLIENT_ID, SECRET).ok is True
    grant = client.exchange_code("code-1", REDIRECT, "verifier")
    assert world.server.forms[-1]["code_verifier"] == "verifier"
    assert grant.scopes == ("openid", "offline_access", "bankfeeds")
    assert grant.authentication_event_id

    token = client.access_token(grant.token_set_id)
    assert token.value == grant.access_token
    assert token.expires_at == grant.expires_at
    world.advance(minutes=6)
    assert client.access_token(grant.token_set_id, rejected=fingerprint(token.value)).value != token.value

    world.server.secrets.append(NEW_SECRET)
    assert client.add_app_secret(NEW_SECRET).ok is True
    secret = client.create_webhook_secret("consumer")
    assert client.webhook_secrets("consumer") == [secret]
    client.set_webhook_headers("consumer", {"X-Key": "canary"})
    assert client.webhook_headers("consumer") == {"X-Key": "canary"}
    client.delete_webhook_secret("consumer")
    assert client.webhook_secrets("consumer") == []

    assert client.save_codat_key("canary-codat-key-1").endings == ("ey-1",)
    assert client.save_codat_key("canary-codat-key-2").endings == ("ey-2", "ey-1")
    assert client.codat_key().value == "canary-codat-key-2"
    assert client.codat_key(fingerprint("canary-codat-key-2")).value == "canary-codat-key-1"
    assert client.drop_codat_key(SecretSlot.SECOND).endings == ("ey-2",)
    assert client.codat_keys(check=True).ok is True
    signing = client.create_webhook_secret("codat")
    assert client.save_codat_webhook_secret(signing).webhook_ending == signing[-4:]
    assert client.codat_webhook_secrets() == [signing]


def test_one_off_access_of_a_customer_leaves_the_lasting_access_of_the_same_one_alive(
    world: World, client: LambdaVault
) -> None:
    client.save_app_keys(CLIENT_ID, SECRET)
    lasting = client.exchange_code("code-1", REDIRECT, None)
    world.server.scope = "openid bankfeeds"
    one_off = client.exchange_code("code-2", REDIRECT, None)
    assert one_off.token_set_id == lasting.token_set_id
    world.advance(minutes=31)
    world.server.scope = CONTINUOUS
    renewed = client.access_token(lasting.token_set_id)
    assert renewed.value not in {lasting.access_token, one_off.access_token}


def test_neither_refresh_token_nor_client_secret_leaves_the_vault(world: World) -> None:
    token_set = world.connect()
    answers = [
        app.handler({"action": "access_token", "token_set_id": token_set}, Context("link")),
        app.handler({"action": "exchange_code", "code": "code-2", "redirect_uri": REDIRECT}, Context("oauth_callback")),
        app.handler({"action": "save_app_keys", "client_id": CLIENT_ID, "client_secret": SECRET}, Context("portal")),
    ]
    text = json.dumps(answers)
    assert "canary-access" in text
    assert "canary-refresh" not in text
    assert SECRET not in text


@pytest.mark.parametrize(
    ("prepare", "error"),
    [
        (lambda world: world.server.secrets.clear(), AppKeysRejected),
        (lambda world: world.server.alive_until.clear(), ReconnectionNeeded),
        (lambda world: setattr(world.server, "before", lambda _: httpx.Response(500)), Unavailable),
    ],
)
def test_each_error_arrives_as_its_own_type(
    world: World, client: LambdaVault, prepare: Callable[[World], Any], error: type[Exception]
) -> None:
    token_set = world.connect()
    world.advance(minutes=31)
    prepare(world)
    with pytest.raises(error):
        client.access_token(token_set)


def test_a_version_that_is_not_shown_yet_arrives_as_unavailable_with_its_wait(
    world: World, client: LambdaVault, log: io.StringIO
) -> None:
    client.save_app_keys(CLIENT_ID, SECRET)
    world.secrets.client.lag = lambda: after_looks(20)
    token_set = client.exchange_code("code-1", REDIRECT).token_set_id
    with pytest.raises(Unavailable) as raised:
        client.access_token(token_set)
    assert raised.value.retry_after == RETRY_AFTER_SECONDS
    assert "NotShownYet" in log.getvalue()


def test_invalid_keys_arrive_with_the_field(client: LambdaVault) -> None:
    with pytest.raises(Invalid) as raised:
        client.save_app_keys("with space here", SECRET)
    assert raised.value.findings[0].item_id == "clientId"


def test_a_failed_function_is_unavailable_and_tells_where_without_telling_what(
    world: World, client: LambdaVault
) -> None:
    token_set = world.connect()
    world.advance(minutes=31)

    def fail(_: str) -> None:
        raise KeyError("canary-access-2")

    world.secrets.on_write = fail
    with pytest.raises(Unavailable):
        client.access_token(token_set)
    [failure] = client._client.failures
    assert failure.startswith("VaultFailed: KeyError at ")
    assert CANARY not in failure


@pytest.mark.parametrize(
    "event",
    [
        {"action": "access_tokens", "token_set_id": "canary"},
        {"action": "exchange_code", "code": ["canary"]},
        {"action": "save_app_keys", "client_id": CLIENT_ID, "client_secret": 5, "extra": "canary"},
        {"no": "action"},
        {"action": "canary"},
        [],
    ],
)
def test_a_message_that_is_not_understood_is_refused_without_its_values(
    world: World, event: Any, log: io.StringIO
) -> None:
    answer = app.handler(event, Context("portal"))
    assert answer["error"]["kind"] == "Invalid"
    assert CANARY not in json.dumps(answer)
    assert CANARY not in log.getvalue()


def test_no_secret_is_in_a_log_line_or_an_item_whatever_happens(
    world: World, client: LambdaVault, log: io.StringIO, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("POWERTOOLS_LOGGER_LOG_EVENT", "true")
    client.save_app_keys(CLIENT_ID, SECRET)
    client.save_app_keys(CLIENT_ID, "canary-wrong-secret")
    with pytest.raises(ReconnectionNeeded):
        client.exchange_code("canary-code", REDIRECT, "canary-verifier")
    token_set = client.exchange_code("code-1", REDIRECT).token_set_id
    world.advance(minutes=31)
    client.access_token(token_set)
    client.create_webhook_secret("consumer")
    world.advance(days=61)
    with pytest.raises(ReconnectionNeeded):
        client.access_token(token_set)

    lines = log.getvalue()
    assert lines.count("vault answered") >= 5
    assert CANARY not in lines
    assert "whsec_" not in lines
    items = json.dumps(list(world.table.items.values()))
    assert CANARY not in items
    assert "whsec_" not in items


class BusyLambda:
    def __init__(self, code: str) -> None:
        self.code = code

    def invoke(self, **_: Any) -> Any:
        raise ClientError({"Error": {"Code": self.code, "Message": ""}}, "Invoke")


def test_a_busy_vault_is_unavailable_and_a_forbidden_one_is_not() -> None:
    with pytest.raises(Unavailable) as raised:
        LambdaVault(BusyLambda("TooManyRequestsException"), "vault").webhook_secrets("one")
    assert raised.value.retry_after == 2
    with pytest.raises(ClientError):
        LambdaVault(BusyLambda("AccessDeniedException"), "vault").webhook_secrets("one")
