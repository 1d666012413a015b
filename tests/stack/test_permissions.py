"""Least privilege: every statement is needed, and every need is shown by something that fails without it."""

from collections.abc import Iterator

import pytest

from local.instance import Instance
from tests.stack.permissions import taken_out
from tests.stack.probes import PROBES, probe_of
from tests.stack.probes.given import given
from tests.stack.template import Need, functions, needs, of_type, statements


def test_every_statement_has_a_probe_and_every_probe_a_statement() -> None:
    without_probe = [str(need) for need in needs() if probe_of(need) is None]
    without_statement = [str(need) for need in PROBES if need not in needs()]

    assert without_probe == []
    assert without_statement == []


@pytest.fixture
def tidied(instance: Instance) -> Iterator[None]:
    yield
    given(instance).remove_all()


@pytest.mark.usefixtures("tidied")
@pytest.mark.parametrize("need", [need for need in needs() if probe_of(need)], ids=str)
def test_taking_one_statement_out_makes_something_fail(instance: Instance, need: Need) -> None:
    # Given a function that does its work with the policy as it is
    probe = probe_of(need)
    assert probe is not None
    probe(instance)

    # When the statement is taken out, then it does not any more
    with taken_out(instance, need), pytest.raises(Exception):  # noqa: B017, PT011 each fails in its own way
        probe(instance)

    # And does again afterwards
    probe(instance)


@pytest.mark.parametrize("function", functions())
def test_no_statement_allows_more_than_named_actions_on_named_resources(function: str) -> None:
    for statement in statements(function):
        actions = statement["Action"] if isinstance(statement["Action"], list) else [statement["Action"]]
        resource = statement["Resource"]
        assert not any("*" in action for action in actions), statement
        assert resource != "*" or all(action.startswith("xray:") for action in actions), statement


def test_secrets_are_the_vaults_alone() -> None:
    others = {
        function
        for function in functions()
        for statement in statements(function)
        if "secretsmanager:" in str(statement["Action"])
    }
    assert others == {"credential_vault"}


@pytest.mark.parametrize("function", functions())
def test_a_function_writes_into_its_own_log_only(function: str) -> None:
    own = functions()[function]["LoggingConfig"]["LogGroup"]["Ref"]
    logs = [statement["Resource"] for statement in statements(function) if "logs:" in str(statement["Action"])]
    assert logs == [{"Fn::GetAtt": [own, "Arn"]}]


def test_every_role_that_shares_a_managed_policy_belongs_to_a_function() -> None:
    """What such a policy allows is then taken away from each of them above."""
    sharing = {id for id, role in of_type("AWS::IAM::Role").items() if "ManagedPolicyArns" in role["Properties"]}
    assert sharing == {function["Role"]["Fn::GetAtt"][0] for function in functions().values()}
