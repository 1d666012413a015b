"""The parts that the routes work with: store, queues, clock, vault and Xero."""

from __future__ import annotations

from feedlane.wiring.parts import Parts

# Tests put their world here.
_current = Parts()


def current_parts() -> Parts:
    """The same for every request, so that their clients are reused."""
    return _current
