"""What the routes work with. Tests put other parts in `current`."""

from __future__ import annotations

from feedlane.wiring.parts import Parts

current = Parts()
