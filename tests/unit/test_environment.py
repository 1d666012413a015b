"""Each function gets exactly the environment variables that it needs, and does not start without one of them."""

from __future__ import annotations

import os
from pathlib import Path
from unittest.mock import patch

import pytest

from feedlane.environment import Environment, Variable, VariableMissing, environment, require
from tests.handlers import ROOT, load
from tests.stack.service_needs import probe
from tests.stack.template import Need, functions, statements, template, variables_of
from tests.unit.reads import reads_of

FIELDS = {variable.name: field for field, variable in vars(Environment).items() if isinstance(variable, Variable)}
LOGGER = {"POWERTOOLS_LOG_LEVEL", "POWERTOOLS_SERVICE_NAME"}
METRICS = "POWERTOOLS_METRICS_NAMESPACE"
EACH = [(function, variable) for function in functions() for variable in variables_of(function)]


@pytest.fixture(autouse=True)
def routes_of_the_api(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.syspath_prepend(str(ROOT / "functions" / "public_api"))


def start(function: str, variables: dict[str, str]) -> None:
    with patch.dict(os.environ, variables, clear=True):
        load(function)


@pytest.mark.parametrize("function", functions())
def test_a_function_starts_with_exactly_the_variables_of_the_template(function: str) -> None:
    start(function, dict.fromkeys(variables_of(function), "INFO"))


@pytest.mark.parametrize(("function", "variable"), EACH)
def test_a_function_without_one_of_its_variables_does_not_start_and_names_it(function: str, variable: str) -> None:
    complete = dict.fromkeys(variables_of(function), "INFO")
    absent = {name: value for name, value in complete.items() if name != variable}
    for variables in (complete | {variable: ""}, absent):
        with pytest.raises(VariableMissing, match=rf"^{variable}: "):
            start(function, variables)


@pytest.mark.parametrize("function", functions())
def test_every_variable_is_read_by_the_functions_code(function: str) -> None:
    """Powertools reads three by itself: two for its logger, which every function has, and one for the metrics."""
    reads = reads_of(ROOT / "functions" / function)
    variables = set(variables_of(function)) - LOGGER
    assert "Logger" in reads.names
    assert (METRICS in variables) == ("metrics" in reads.names)
    unread = {variable for variable in variables - {METRICS} if FIELDS[variable] not in reads.environment}
    assert unread == set()


@pytest.mark.parametrize("function", functions())
def test_a_variable_names_a_resource_exactly_where_the_functions_code_may_use_that_resource(function: str) -> None:
    """`tests/stack/test_permissions.py` proves that each permission is used, by taking it away."""
    references = {
        str(value["Ref"]) for value in variables_of(function).values() if isinstance(value, dict) if "Ref" in value
    }
    resources = references & set(template()["Resources"])
    usable = {
        str(resource.get("Ref") or resource["Fn::GetAtt"][0])
        for statement in statements(function)
        if isinstance(resource := statement["Resource"], dict) and not resource.keys().isdisjoint({"Ref", "Fn::GetAtt"})
        if probe(Need(function, statement["Sid"])) is None
    }
    assert resources == usable
    keeps_secrets = any("secretsmanager:" in str(statement["Action"]) for statement in statements(function))
    assert ("SECRETS_PREFIX" in variables_of(function)) == keeps_secrets


def test_a_variable_that_is_not_set_has_no_value() -> None:
    for values in ({}, {"TABLE_NAME": ""}):
        with pytest.raises(VariableMissing, match="TABLE_NAME"):
            _ = Environment(values).table_name
    assert Environment({"TABLE_NAME": "feedlane"}).table_name == "feedlane"


def test_all_that_is_missing_is_named_at_once(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("TABLE_NAME")
    monkeypatch.setenv("PUBLIC_URL", "")
    with pytest.raises(VariableMissing, match="TABLE_NAME, PUBLIC_URL"):
        require(Environment.table_name, Environment.public_url, Environment.checks_queue_url)


def test_each_variable_is_known_by_its_name_in_small_letters() -> None:
    for name, field in FIELDS.items():
        assert name.removeprefix("POWERTOOLS_").lower() == field
    assert environment().values is not os.environ
    assert {variable for _, variable in EACH} == set(FIELDS)


def test_code_that_nothing_calls_reads_nothing(tmp_path: Path) -> None:
    """The test of unread variables would miss them if every definition counted as reached."""
    code = "from feedlane.aws import clients\nfrom feedlane.environment import environment\n"
    (tmp_path / "app.py").write_text(f"{code}def handler():\n    return clients.store()\n")
    assert reads_of(tmp_path).environment == {"table_name"}
