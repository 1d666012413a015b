"""Checks, without the network, that what is installed is pinned: `python -m checks.pins`.

Each requirement has one version and its hashes, no file names a package index, a `.txt` has what its `.in` asks for,
the functions' packages are those that are tested, and the Node client's lock has hashes and no addresses.
"""

from __future__ import annotations

import json
import re
import sys
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

ROOT = Path(__file__).resolve().parent.parent
LAYER = "layers/dependencies/requirements"
# Without their ending: each is an `.in`, written by people, and a `.txt`, written by `make lock`.
PAIRS = (
    "requirements/dev",
    "requirements/former_sdk",
    "requirements/sam",
    "requirements/uv",
    "requirements/audit",
    "requirements/clients",
    LAYER,
)
NODE_WISHES, NODE_LOCK = "requirements/clients/package.json", "requirements/clients/package-lock.json"

_PIN = re.compile(r"(?P<name>[A-Za-z0-9._-]+)(\[[^]]*\])?==(?P<version>[^\s;]+)\s*(;(?P<marker>[^\\]*))?")
_HASH = re.compile(r"--hash=(sha256:[0-9a-f]{64})$")
_WISH = re.compile(r"(?P<name>[A-Za-z0-9._-]+)(\[[^]]*\])?(==(?P<version>\S+))?$")


@dataclass(frozen=True)
class Pin:
    name: str
    version: str
    marker: str
    hashes: frozenset[str]


def problems(root: Path = ROOT) -> list[str]:
    found = []
    pins = {}
    for pair in PAIRS:
        text = (root / f"{pair}.txt").read_text()
        pins[pair] = read(text)
        found += [f"{pair}.txt: {problem}" for problem in (*_unpinned(text), *_without_hash(pins[pair]))]
        wishes = (root / f"{pair}.in").read_text()
        found += [f"{pair}.txt: {problem}" for problem in _missing(wishes, pins[pair])]
    untested = set(pins[LAYER]) - set(pins["requirements/dev"])
    found += [f"{LAYER}.txt: {pin.name} {pin.version} is not what is tested" for pin in untested]
    node = _node_problems(json.loads((root / NODE_WISHES).read_text()), json.loads((root / NODE_LOCK).read_text()))
    return [*found, *(f"{NODE_LOCK}: {problem}" for problem in node)]


def read(text: str) -> list[Pin]:
    pins = []
    for line in _requirements(text):
        first, *rest = line.split(" --hash=")
        if match := _PIN.fullmatch(first.strip()):
            hashes = frozenset(each.strip() for each in rest if _HASH.fullmatch(f"--hash={each.strip()}"))
            marker = (match["marker"] or "").strip()
            pins.append(Pin(_normal(match["name"]), match["version"], marker, hashes))
    return pins


def _requirements(text: str) -> Iterator[str]:
    """Each requirement with its hashes on one line, without comments."""
    for line in text.replace("\\\n", " ").splitlines():
        if line.strip() and not line.lstrip().startswith("#"):
            yield " ".join(line.split())


def _unpinned(text: str) -> Iterator[str]:
    for line in _requirements(text):
        if line.startswith("-") or "://" in line:
            yield f"names an index or an address: {line[:60]}"
        elif not _PIN.fullmatch(line.split(" --hash=")[0].strip()):
            yield f"has no exact version: {line[:60]}"


def _without_hash(pins: list[Pin]) -> Iterator[str]:
    return (f"{pin.name} has no hash" for pin in pins if not pin.hashes)


def _missing(wishes: str, pins: list[Pin]) -> Iterator[str]:
    for line in _requirements(wishes):
        if line.startswith("-r "):
            continue
        wish = _WISH.fullmatch(line)
        if wish is None:
            yield f"{line!r} of its .in cannot be checked"
            continue
        versions = {pin.version for pin in pins if pin.name == _normal(wish["name"])}
        if not versions or wish["version"] not in (None, *versions):
            yield f"lacks {line} of its .in: run `make lock`"


def _node_problems(wishes: dict[str, Any], lock: dict[str, Any]) -> Iterator[str]:
    """A version and a hash for each package; npm's `resolved` is its address in a registry."""
    packages = dict(lock["packages"])
    if packages.pop("")["dependencies"] != wishes["dependencies"]:
        yield "is not for its package.json: run `make lock`"
    for wish, version in wishes["dependencies"].items():
        if packages.get(f"node_modules/{wish}", {}).get("version") != version:
            yield f"has not exactly {wish} {version}"
    for path, package in packages.items():
        name = path.removeprefix("node_modules/")
        if not str(package.get("integrity", "")).startswith("sha512-"):
            yield f"{name} has no hash"
        if "resolved" in package:
            yield f"{name} names an address"


def _normal(name: str) -> str:
    return re.sub(r"[-_.]+", "-", name).lower()


if __name__ == "__main__":
    found = problems()
    print("\n".join(found) or "All requirements are pinned.")
    sys.exit(bool(found))
