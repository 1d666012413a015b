"""Asks for the stack's name, its region and each parameter of the template. What would be refused is asked again."""

from __future__ import annotations

import re
from collections.abc import Callable
from functools import partial
from typing import Any

import click

from cli.deployment import names
from cli.deployment.file import Deployment
from local.template import template

Problem = Callable[[str], str | None]


def ask(before: Deployment) -> Deployment:
    """The answers; whoever only presses Enter keeps what was there `before`, or the template's defaults."""
    stack = _ask("Stack name", before.stack, names.problem)
    region = _ask("AWS region", before.region or "us-east-1", _region_problem)
    chosen = {}
    for name, facts in template()["Parameters"].items():
        click.echo(f"\n{facts['Description']}.")
        chosen[name] = _ask(name, before.parameters[name], partial(_problem, facts))
    return Deployment(stack, region, chosen)


def _ask(label: str, default: str, problem: Problem) -> str:
    while True:
        answer = str(click.prompt(label, default=default, show_default=bool(default))).strip()
        why = problem(answer)
        if why is None:
            return answer
        click.echo(why)


def _region_problem(region: str) -> str | None:
    return None if re.fullmatch(r"[a-z]{2}(-[a-z]+)+-\d", region) else f"{region!r} is no region, as eu-west-1 is."


def _problem(facts: dict[str, Any], value: str) -> str | None:
    allowed = [str(each) for each in facts.get("AllowedValues", [])]
    if allowed and value not in allowed:
        return f"Choose one of {', '.join(allowed)}."
    if not re.fullmatch(facts.get("AllowedPattern", ".*"), value):
        return f"The value {facts.get('ConstraintDescription', 'must match ' + str(facts.get('AllowedPattern')))}."
    if facts["Type"] == "Number" and (not value.isdecimal() or int(value) < facts.get("MinValue", 0)):
        return f"The value must be a whole number, {facts.get('MinValue', 0)} or more."
    return None
