"""The checks of `make lint` find what they are there for."""

import shutil
from pathlib import Path

import pytest

from checks import pins, secrets


@pytest.fixture
def copy(tmp_path: Path) -> Path:
    """The requirement files, to be spoilt."""
    pairs = [f"{pair}{ending}" for pair in pins.PAIRS for ending in (".in", ".txt")]
    for name in (*pairs, pins.NODE_WISHES, pins.NODE_LOCK):
        target = tmp_path / name
        target.parent.mkdir(parents=True, exist_ok=True)
        shutil.copy(pins.ROOT / name, target)
    return tmp_path


def spoil(root: Path, name: str, old: str, new: str) -> None:
    text = (root / name).read_text()
    assert old in text
    (root / name).write_text(text.replace(old, new, 1))


def test_what_is_committed_is_pinned(copy: Path) -> None:
    assert pins.problems(copy) == []


@pytest.mark.parametrize(
    ("file", "old", "new", "problem"),
    [
        ("requirements/dev.txt", "pytest==", "pytest>=", "has no exact version: pytest"),
        ("requirements/dev.txt", "# ", "--index-url https://index.example/simple\n# ", "names an index"),
        ("requirements/dev.in", "hypothesis", "hypothesis\nnot-locked", "lacks not-locked"),
        ("requirements/dev.in", "ministack==", "ministack==9", "lacks ministack==9"),
        ("layers/dependencies/requirements.txt", "jinja2==", "jinja2==9", "jinja2 9"),
        (
            pins.NODE_LOCK,
            '"integrity"',
            '"resolved": "https://index.example/a", "integrity"',
            "names an address",
        ),
        (pins.NODE_LOCK, '"integrity"', '"former"', "has no hash"),
        (pins.NODE_WISHES, '"xero-node": "', '"xero-node": "^', "run `make lock`"),
    ],
)
def test_what_is_not_pinned_is_found(copy: Path, file: str, old: str, new: str, problem: str) -> None:
    spoil(copy, file, old, new)
    assert any(problem in found for found in pins.problems(copy)), pins.problems(copy)


def test_a_package_without_a_hash_is_found(copy: Path) -> None:
    text = (copy / "requirements/uv.txt").read_text()
    lines = [line.removesuffix(" \\") for line in text.splitlines() if "--hash" not in line]
    (copy / "requirements/uv.txt").write_text("\n".join(lines) + "\n")
    assert "requirements/uv.txt: uv has no hash" in pins.problems(copy)


# In pieces, or this file would be found itself.
SECRETS = {
    "AWS Access Key": "AKIA" + "Z7QX2M4KP5VN3JTD",
    "Private Key": "-----BEGIN RSA " + "PRIVATE KEY-----",
    "GitHub Token": "ghp_" + "z1Y2x3W4v5U6" + "g7H8i9J0k1L2" + "m3N4o5P6q7R8",
    "Base64 High Entropy String": 'key = "' + "q3Z9vXw1Lk8" + "RtB7nYp2Hs6" + "Dm4Gc0Jf5Aa" + '"',
    "Basic Auth Credentials": "https://feedlane:" + "kR9tQ2wX@db.example",
}


@pytest.mark.parametrize("kind", SECRETS)
def test_a_secret_in_a_file_is_found(tmp_path: Path, kind: str) -> None:
    (tmp_path / "settings.py").write_text(f"{SECRETS[kind]}\n")
    found = secrets.scan(["settings.py"], tmp_path)
    assert any(kind in place for place in found.values()), found
    assert not found.keys() & secrets.known()
