"""The command line and the file of figures that `make chaos`, `make outbox` and `make races` share."""

from __future__ import annotations

import argparse
import json
from collections.abc import Mapping
from pathlib import Path

from local.instance import BUILD


def arguments(module: str, about: str | None, runs: str, number: int, seed: int = 1) -> argparse.Namespace:
    """Parses `seed`, `only` and the number of runs, an option named by `runs`."""
    return parser(module, about, runs, number, seed).parse_args()


def parser(module: str, about: str | None, runs: str, number: int, seed: int = 1) -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(prog=f"python -m {module}", description=about)
    parser.add_argument(f"--{runs}", type=int, default=number)
    parser.add_argument("--seed", type=int, default=seed, help="seed of the random numbers")
    parser.add_argument("--only", type=int, help=f"repeat only this one of the {runs}")
    return parser


def write(figures: Mapping[str, object], name: str) -> Path:
    """Writes the figures to `build/<name>.json` and returns its path."""
    BUILD.mkdir(exist_ok=True)
    file = BUILD / f"{name}.json"
    file.write_text(json.dumps(figures, indent=1) + "\n")
    return file
