"""The layer describes exactly the AWS services that functions call: boto3 makes no client without a description."""

from __future__ import annotations

import importlib.util
import re
from pathlib import Path

ROOT = Path(__file__).parents[2]
_CLIENT = re.compile(r'\bclient\(\s*"([a-z]+)"')


def test_the_layer_has_every_service_that_code_makes_a_client_of_and_no_other() -> None:
    specification = importlib.util.spec_from_file_location("build_layer", ROOT / "layers" / "build.py")
    assert specification is not None
    assert specification.loader is not None
    build = importlib.util.module_from_spec(specification)
    specification.loader.exec_module(build)
    files = [*(ROOT / "layers/feedlane").rglob("*.py"), *(ROOT / "functions").rglob("*.py")]
    assert {name for file in files for name in _CLIENT.findall(file.read_text())} == build.AWS_SERVICES
