"""What every page must provide for people who use a screen reader, only a keyboard, or a small screen.

axe-core finds most faults: names, labels, roles, landmarks, the order of headings, contrast, the size of what is
pressed. What it has no rule for is checked beside it.
"""

from __future__ import annotations

import os
from typing import Any

from axe_playwright_python.base import AXE_SCRIPT
from playwright.sync_api import Page

# In pixels. `make accessibility` looks at every width in both schemes; `make test` at each layout and each scheme.
EVERY_VIEW = tuple((width, scheme) for width in (1280, 390, 320) for scheme in ("light", "dark"))
VIEWS = EVERY_VIEW if os.environ.get("EVERY_VIEW") else ((1280, "light"), (320, "dark"))
_AXE_OPTIONS: dict[str, dict[str, Any]] = {
    # Beside what axe does unasked: what is pressed with a finger is large enough (WCAG 2.2).
    "light": {"resultTypes": ["violations"], "rules": {"target-size": {"enabled": True}}},
    # Only the colours differ. All rules again would take twice the time.
    "dark": {"resultTypes": ["violations"], "runOnly": ["color-contrast", "link-in-text-block"]},
}
_AXE = "async (options) => (await axe.run(document, options)).violations"
_CHECK = """
() => {
  const faults = [];
  const headings = [...document.querySelectorAll("h1")].filter((heading) => heading.checkVisibility());
  if (headings.length !== 1) faults.push("not one h1");
  const ids = [...document.querySelectorAll("[id]")].map((element) => element.id);
  for (const id of ids) if (ids.indexOf(id) !== ids.lastIndexOf(id)) faults.push(`id twice: ${id}`);
  for (const table of document.querySelectorAll("table"))
    if (!table.querySelector("th[scope=col]")) faults.push("table without column headings");
  // On a phone, each row is a block of its own.
  if (innerWidth > 704)
    for (const cell of document.querySelectorAll("th,td"))
      if (cell.checkVisibility() && getComputedStyle(cell).display !== "table-cell")
        faults.push(`a cell out of its table: ${cell.className}`);
  if (document.documentElement.scrollWidth > innerWidth) faults.push("wider than the screen");
  return faults;
}
"""


def faults(page: Page) -> list[str]:
    """The page's faults in light and dark mode, on wide and narrow screens."""
    messages: list[str] = []
    viewport = page.viewport_size or {"width": 1200, "height": 900}
    # By the debugger, and not by the page: its content security policy stays as it is.
    page.evaluate(AXE_SCRIPT)
    for width, scheme in VIEWS:
        page.set_viewport_size({"width": width, "height": 900})
        # Colours would be between two schemes while they change.
        page.emulate_media(color_scheme=scheme, reduced_motion="reduce")  # type: ignore[arg-type]
        found = [*page.evaluate(_CHECK), *map(_in_words, page.evaluate(_AXE, _AXE_OPTIONS[scheme]))]
        messages += [f"{fault} ({width} px, {scheme})" for fault in found]
    page.emulate_media(color_scheme="light")
    page.set_viewport_size(viewport)  # type: ignore[arg-type]
    return messages


def _in_words(violation: dict[str, Any]) -> str:
    where = "; ".join(f"{node['target']} {node['failureSummary']}" for node in violation["nodes"][:3])
    return f"{violation['id']}, {len(violation['nodes'])} times: {' '.join(where.split())[:400]}"
