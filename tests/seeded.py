"""What `make chaos`, `make outbox` and `make races` have in common: seeds on the command line, figures in a file."""

from __future__ import annotations

import argparse
import json
from collections.abc import Mapping
from pathlib import Path

from local.instance import BUILD


def arguments(module: str, about: str | None, runs: str, number: int, seed: int = 1) -> argparse.Namespace:
    """`seed`, `only`, and how many `runs` there are, under that name."""
    parser = argparse.ArgumentParser(prog=f"python -m {module}", description=about)
    parser.add_argument(f"--{runs}", type=int, default=number)
    parser.add_argument("--seed", type=int, default=seed, help="where the random numbers begin")
    parser.add_argument("--only", type=int, help=f"one of the {runs}, to replay it")
    return parser.parse_args()


def write(figures: Mapping[str, object], name: str) -> Path:
    """Into `build/<name>.json`."""
    BUILD.mkdir(exist_ok=True)
    where = BUILD / f"{name}.json"
    where.write_text(json.dumps(figures, indent=1) + "\n")
    return where
