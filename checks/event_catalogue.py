"""Writes the schemas of the events into one file of the layer, where the portal's catalogue reads them.

`docs/events/` is where they are changed; a test compares the two.
"""

from __future__ import annotations

import json
from pathlib import Path

ROOT = Path(__file__).parents[1]
SCHEMAS = ROOT / "docs" / "events"
CATALOGUE = ROOT / "layers" / "feedlane" / "feedlane" / "web" / "templates" / "event_schemas.json"


def catalogue() -> str:
    schemas = {path.stem: json.loads(path.read_text()) for path in sorted(SCHEMAS.glob("*.json"))}
    return json.dumps(schemas, ensure_ascii=False, separators=(",", ":")) + "\n"


if __name__ == "__main__":
    CATALOGUE.write_text(catalogue())
