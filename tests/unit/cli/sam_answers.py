"""Runs in the SAM CLI's own environment: its real command line and configuration, and what it would deploy as JSON."""

import json
import sys
from typing import Any

from samcli.cli import main
from samcli.commands.deploy import command


def show(*arguments: Any, **keywords: Any) -> None:
    names = command.do_cli_real.__code__.co_varnames
    given = dict(zip(names, arguments, strict=False)) | keywords
    wanted = ("stack_name", "region", "parameter_overrides", "confirm_changeset", "capabilities", "resolve_s3")
    print(json.dumps({name: given[name] for name in wanted}))


command.do_cli_real, command.do_cli = command.do_cli, show
main.cli(sys.argv[1:])
