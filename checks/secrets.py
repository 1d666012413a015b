"""Looks for secrets in the tracked files: `python -m checks.secrets`, and `--accept` for what is none.

detect-secrets knows the formats of many services' keys, and finds texts that look random. Those that belong here (keys
of simulators and samples) are in `known_secrets.json`, by file and hash: where they stand in the file does not matter.
"""

from __future__ import annotations

import json
import subprocess
import sys
from collections.abc import Iterable
from pathlib import Path

from detect_secrets import SecretsCollection
from detect_secrets.settings import transient_settings

ROOT = Path(__file__).resolve().parent.parent
KNOWN = ROOT / "checks" / "known_secrets.json"
# Hashes of packages, and hashes of accepted texts.
_HASHES = ("requirements/", "layers/dependencies/requirements.txt", "checks/known_secrets.json")
# Not the detector of variables named `secret` or `password`: a vault's code is full of them.
_DETECTORS = (
    "ArtifactoryDetector", "AWSKeyDetector", "AzureStorageKeyDetector", "BasicAuthDetector", "CloudantDetector",
    "DiscordBotTokenDetector", "GitHubTokenDetector", "GitLabTokenDetector", "IbmCloudIamDetector",
    "IbmCosHmacDetector", "JwtTokenDetector", "MailchimpDetector", "NpmDetector", "OpenAIDetector",
    "PrivateKeyDetector", "PypiTokenDetector", "SendGridDetector", "SlackDetector", "SoftlayerDetector",
    "SquareOAuthDetector", "StripeDetector", "TelegramBotTokenDetector", "TwilioKeyDetector",
)  # fmt: skip
_SETTINGS = {
    "plugins_used": [
        {"name": "Base64HighEntropyString", "limit": 4.5},
        {"name": "HexHighEntropyString", "limit": 3.0},
        *({"name": name} for name in _DETECTORS),
    ],
    "filters_used": [
        {"path": "detect_secrets.filters.allowlist.is_line_allowlisted"},
        {"path": "detect_secrets.filters.heuristic.is_sequential_string"},
        {"path": "detect_secrets.filters.heuristic.is_potential_uuid"},
        {"path": "detect_secrets.filters.heuristic.is_templated_secret"},
        {"path": "detect_secrets.filters.heuristic.is_not_alphanumeric_string"},
    ],
}


def tracked() -> list[str]:
    listed = subprocess.run(["git", "ls-files", "-z"], cwd=ROOT, capture_output=True, check=True).stdout.decode()
    return [name for name in listed.split("\0") if name and not name.startswith(_HASHES) and (ROOT / name).is_file()]


def scan(names: Iterable[str], root: Path = ROOT) -> dict[tuple[str, str], str]:
    """What looks like a secret, by file and hash: where it stands and what it looks like."""
    found = SecretsCollection(str(root))
    with transient_settings(_SETTINGS):
        found.scan_files(*names)
    return {(name, secret.secret_hash): f"{name}:{secret.line_number}: {secret.type}" for name, secret in found if name}


def known() -> set[tuple[str, str]]:
    accepted: dict[str, list[str]] = json.loads(KNOWN.read_text())
    return {(name, hash) for name, hashes in accepted.items() for hash in hashes}


def accept(found: Iterable[tuple[str, str]]) -> None:
    by_file: dict[str, list[str]] = {}
    for name, hash in sorted(found):
        by_file.setdefault(name, []).append(hash)
    KNOWN.write_text(json.dumps(by_file, indent=2) + "\n")


def main(accepting: bool) -> int:
    found = scan(tracked())
    if accepting:
        accept(found)
        return 0
    new = [place for key, place in sorted(found.items()) if key not in known()]
    gone = known() - found.keys()
    for place in new:
        print(f"{place}. If it is none: python -m checks.secrets --accept")
    for name, _ in sorted(gone):
        print(f"{name}: an accepted text is gone: python -m checks.secrets --accept")
    print("No secret is in the repository." if not new else "A real secret must be revoked: the history keeps it.")
    return bool(new or gone)


if __name__ == "__main__":
    sys.exit(main("--accept" in sys.argv))
