"""template.yaml as data, with CloudFormation's short forms (`!Ref`, `!GetAtt` and the others) written out."""

from __future__ import annotations

from functools import cache
from pathlib import Path
from typing import Any

import yaml

FILE = Path(__file__).resolve().parent.parent / "template.yaml"


@cache
def template() -> dict[str, Any]:
    parsed: dict[str, Any] = yaml.load(FILE.read_text(), _Loader)
    return parsed


class _Loader(yaml.SafeLoader):  # type: ignore[misc]  # it has no types
    """Knows the tags of CloudFormation."""


def _function(loader: _Loader, suffix: str, node: yaml.Node) -> dict[str, Any]:
    if isinstance(node, yaml.ScalarNode):
        value = loader.construct_scalar(node)
        if suffix == "GetAtt":
            value = str(value).split(".", 1)
    elif isinstance(node, yaml.SequenceNode):
        value = loader.construct_sequence(node, deep=True)
    else:
        value = loader.construct_mapping(node, deep=True)
    return {suffix if suffix in ("Ref", "Condition") else f"Fn::{suffix}": value}


_Loader.add_multi_constructor("!", _function)
