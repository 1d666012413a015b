"""A deployment's parameters have one place, and all of them arrive at CloudFormation, whatever the SAM CLI does."""

import json
import os
import subprocess
import sys
from pathlib import Path
from typing import Any

import click
import pytest
from click.testing import CliRunner

from cli.deployment import command, file
from cli.deployment.file import Deployment
from tests.stack.template import ROOT

ANSWERS = Path(__file__).parent / "sam_answers.py"
CHOSEN = {"LogRetentionDays": "30", "OperatorEmail": "ops@bank.example", "Concurrency": "small"}


def sam(*arguments: str) -> dict[str, Any]:
    """What the real SAM CLI makes of these arguments and of its configuration."""
    python = Path(sys.prefix) / "sam" / "bin" / "python"
    environment = {"PATH": os.environ["PATH"], "HOME": os.environ["HOME"], "SAM_CLI_TELEMETRY": "0"}
    result = subprocess.run(
        [python, ANSWERS, *arguments],
        cwd=ROOT,
        env=environment,
        capture_output=True,
        text=True,
        check=False,
        timeout=240,
    )
    assert result.returncode == 0, result.stderr
    answer: dict[str, Any] = json.loads(result.stdout.strip().splitlines()[-1])
    return answer


@pytest.fixture
def config(tmp_path: Path) -> Path:
    path = tmp_path / "deployment.toml"
    file.write(path, Deployment("feedlane-test", "eu-west-1", CHOSEN))
    return path


def deployed(
    config: Path, monkeypatch: pytest.MonkeyPatch, first: bool = False, created: bool = True
) -> list[list[str]]:
    """The arguments that `make deploy` gives to the SAM CLI, step by step."""
    commands: list[list[str]] = []
    monkeypatch.setattr(command, "_run", lambda *arguments: commands.append(list(arguments)))
    monkeypatch.setattr(command, "_ask_aws", lambda *_: first)
    monkeypatch.setattr(command.stack, "was_created", lambda *_: created)
    result = CliRunner().invoke(command.deploy, ["--config", str(config)])
    assert result.exit_code == 0, result.output
    return [each[1:] for each in commands if each[0] == str(command.SAM)]


def test_what_was_written_is_read_again(config: Path) -> None:
    assert file.read(config) == Deployment("feedlane-test", "eu-west-1", CHOSEN)


def test_a_parameter_on_the_command_line_makes_the_sam_cli_forget_those_of_the_file(config: Path) -> None:
    """Why `make deploy` names all of them."""
    arguments = ("deploy", "--config-file", str(config))
    assert sam(*arguments)["parameter_overrides"] == CHOSEN
    assert sam(*arguments, "--parameter-overrides", "LogLevel=DEBUG")["parameter_overrides"] == {"LogLevel": "DEBUG"}


def test_the_sam_cli_deploys_what_the_file_says_and_defaults_for_the_rest(
    config: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (arguments,) = deployed(config, monkeypatch)
    answer = sam(*arguments)
    assert answer["parameter_overrides"] == file.defaults() | CHOSEN
    assert (answer["stack_name"], answer["region"]) == ("feedlane-test", "eu-west-1")
    assert answer["confirm_changeset"]
    assert answer["resolve_s3"]
    assert answer["capabilities"] == ["CAPABILITY_IAM"]


def test_what_is_taken_out_of_the_file_returns_to_its_default(config: Path) -> None:
    """CloudFormation would keep the last value of a parameter that is not named."""
    config.write_text(config.read_text().replace('LogRetentionDays = "30"\n', ""))
    assert file.read(config).parameters["LogRetentionDays"] == file.defaults()["LogRetentionDays"]


def test_a_first_deployment_protects_the_table_only_when_the_stack_stands(
    config: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """CloudFormation cannot remove a protected table when the first deployment fails."""
    steps = deployed(config, monkeypatch, first=True)
    assert ['DeletionProtection="false"' in step for step in steps] == [True, False]
    assert ['DeletionProtection="true"' in step for step in steps] == [False, True]
    assert ["--no-confirm-changeset" in step for step in steps] == [False, True]


def test_what_nobody_confirmed_is_not_deployed_by_the_second_step(
    config: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The SAM CLI ends without an error when its question is answered with no."""
    steps = deployed(config, monkeypatch, first=True, created=False)
    assert len(steps) == 1


def test_questions_keep_what_the_file_says(config: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(command, "_run", lambda *_: None)
    monkeypatch.setattr(command, "_ask_aws", lambda *_: False)
    before = config.read_text()
    result = CliRunner().invoke(command.deploy, ["--config", str(config), "--guided"], input="\n" * 40)
    assert result.exit_code == 0, result.output
    assert config.read_text() == before


def test_an_answer_that_would_be_refused_is_asked_again(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(command, "_run", lambda *_: None)
    monkeypatch.setattr(command, "_ask_aws", lambda *_: False)
    config = tmp_path / "new.toml"
    names = list(file.defaults())
    answers = {"PythonRuntime": "python2.7\npython3.14", "LogRetentionDays": "2\n30", "InvocationsPerHourMax": "0\n9"}
    typed = "feed_lane\nfeedlane-two\nEurope\neu-west-2\n" + "".join(f"{answers.get(name, '')}\n" for name in names)
    result = CliRunner().invoke(command.deploy, ["--config", str(config), "--guided"], input=typed)
    assert result.exit_code == 0, result.output
    assert file.read(config) == Deployment(
        "feedlane-two",
        "eu-west-2",
        {"PythonRuntime": "python3.14", "LogRetentionDays": "30", "InvocationsPerHourMax": "9"},
    )


@pytest.mark.parametrize("text", ["", "version = [", '[default]\nglobal = "x"'])
def test_a_file_of_another_shape_is_refused(tmp_path: Path, text: str) -> None:
    path = tmp_path / "deployment.toml"
    path.write_text(text)
    with pytest.raises(click.ClickException):
        file.read(path)


def test_an_unknown_parameter_is_refused(config: Path) -> None:
    config.write_text(config.read_text().replace("OperatorEmail", "OperatorMail"))
    with pytest.raises(click.ClickException, match="OperatorMail"):
        file.read(config)


def test_without_a_file_the_command_says_how_to_make_one(tmp_path: Path) -> None:
    result = CliRunner().invoke(command.deploy, ["--config", str(tmp_path / "none.toml")])
    assert result.exit_code == 1
    assert "GUIDED=1" in result.output
