"""Each caller of the vault gets what it needs and nothing else, by the alias through which it invokes the function."""

from __future__ import annotations

import json
from typing import Any, get_args

import pytest

from feedlane.credentials import messages
from feedlane.vault.callers import ALLOWED, NotAllowed
from tests import rights
from tests.handlers import Context, load
from tests.rights import AccessDenied, acting_as, invoked
from tests.stack.template import functions, of_type, statements, variables_of
from tests.worlds.vault import World

app = load("credential_vault")
CANARY = "canary-secret"
# A message of each action, with every field that it needs.
FIELDS = {
    "save_app_keys": {"client_id": "id", "client_secret": CANARY},
    "add_app_secret": {"client_secret": CANARY},
    "drop_app_secret": {"which": "first"},
    "app_keys": {},
    "exchange_code": {"code": CANARY, "redirect_uri": "https://feedlane.example/oauth/callback"},
    "access_token": {"token_set_id": "tokens"},
    "revoke": {"token_set_id": "tokens"},
    "app_token": {},
    "create_webhook_secret": {"consumer_id": "one"},
    "webhook_secrets": {"consumer_id": "one"},
    "webhook_headers": {"consumer_id": "one"},
    "set_webhook_headers": {"consumer_id": "one", "headers": {"X-Key": CANARY}},
    "delete_webhook_secret": {"consumer_id": "one"},
    "save_codat_key": {"api_key": CANARY},
    "drop_codat_key": {"which": "first"},
    "codat_keys": {},
    "codat_key": {},
    "save_codat_webhook_secret": {"secret": CANARY},
    "codat_webhook_secrets": {},
}


class Perform:
    """In the place of the vault's work: what got through to it."""

    def __init__(self) -> None:
        self.actions: list[str] = []

    def __call__(self, vault: object, message: messages.Message) -> dict[str, Any]:
        self.actions.append(message.action)
        return {}


@pytest.fixture
def performed(monkeypatch: pytest.MonkeyPatch) -> list[str]:
    perform = Perform()
    monkeypatch.setattr(app, "vault", lambda: None)
    monkeypatch.setattr(app, "perform", perform)
    return perform.actions


def test_every_action_is_known_here() -> None:
    assert {member.model_fields["action"].default for member in get_args(messages.Message)} == set(FIELDS)
    assert frozenset().union(*ALLOWED.values()) == set(FIELDS)


@pytest.mark.parametrize("action", FIELDS)
@pytest.mark.parametrize("caller", ALLOWED)
def test_a_caller_gets_what_is_allowed_to_it_and_nothing_else(performed: list[str], caller: str, action: str) -> None:
    event = {"action": action} | FIELDS[action]
    if action in ALLOWED[caller]:
        assert app.handler(event, Context(caller)) == {"ok": {}}
        assert performed == [action]
        return
    with pytest.raises(NotAllowed) as refused:
        app.handler(event, Context(caller))
    assert str(refused.value) == f"{caller} may not ask the vault for {action}"
    assert performed == []


@pytest.mark.parametrize("alias", ["", "$LATEST", "1", "Portal", "unknown"])
@pytest.mark.parametrize("action", FIELDS)
def test_nobody_gets_anything_without_an_alias_that_the_vault_knows(
    performed: list[str], alias: str, action: str
) -> None:
    with pytest.raises(NotAllowed):
        app.handler({"action": action} | FIELDS[action], Context(alias))
    assert performed == []


@pytest.mark.parametrize("function", sorted(set(functions()) - {"credential_vault"}))
def test_a_role_may_invoke_its_own_alias_and_no_other(function: str) -> None:
    """And whoever puts dead letters back, the function whose runs by the clock leave some."""
    invokes = [statement["Resource"] for statement in statements(function) if "lambda:" in json.dumps(statement)]
    rerun = {"Fn::GetAtt": ["TendConnections", "Arn"]}
    assert (rerun in invokes) == (function == "portal")
    invokes = [resource for resource in invokes if resource != rerun]
    aliases = {alias["Properties"]["Name"]: {"Ref": id} for id, alias in of_type("AWS::Lambda::Alias").items()}
    assert set(aliases) == set(ALLOWED)
    assert invokes == ([aliases[function]] if function in ALLOWED else [])
    assert variables_of(function).get("VAULT_ARN") == aliases.get(function)


def test_the_aliases_are_all_of_the_code_that_is_deployed() -> None:
    """A version of its own would go on running old code."""
    for alias in of_type("AWS::Lambda::Alias").values():
        assert alias["Properties"]["FunctionName"] == {"Ref": "CredentialVault"}
        assert alias["Properties"]["FunctionVersion"] == "$LATEST"


def test_the_fakes_refuse_what_the_vault_would_refuse() -> None:
    vault = invoked(World().vault())
    with acting_as("portal"), pytest.raises(AccessDenied):
        vault.webhook_secrets("one")
    with acting_as("route_events"), pytest.raises(AccessDenied):
        vault.webhook_secrets("one")
    assert rights.take_refusals() == [
        "portal may not ask the vault for webhook_secrets",
        "route_events may not lambda:InvokeFunction on CredentialVault",
    ]
