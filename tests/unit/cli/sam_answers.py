"""Runs in the SAM CLI's own environment: its real command line and configuration, and what it would deploy as JSON."""

import json
import sys
from typing import Any

from samcli.cli import main
from samcli.commands.deploy import command
from samcli.lib.utils import version_checker


def show(*arguments: Any, **keywords: Any) -> None:
    names = command.do_cli_real.__code__.co_varnames
    given = dict(zip(names, arguments, strict=False)) | keywords
    wanted = ("stack_name", "region", "parameter_overrides", "confirm_changeset", "capabilities", "resolve_s3")
    print(json.dumps({name: given[name] for name in wanted}))


# It would ask the network for a newer version.
version_checker._inform_newer_version = lambda *_, **__: None
command.do_cli_real, command.do_cli = command.do_cli, show
main.cli(sys.argv[1:])
