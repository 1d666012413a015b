"""How the platform shows itself in Link: its name, logo and colour, and the ways to its help."""

from __future__ import annotations

from typing import Any, NamedTuple

from feedlane.settings.colours import CONTRAST_MIN, WHITE, contrast, is_colour
from feedlane.settings.settings import Profile, Settings
from feedlane.texts import say

# The surface of cards in dark mode (`style.css`), on which links and buttons must be seen.
_DARK = "#181c25"
_STEPS = 20


class FootLink(NamedTuple):
    url: str
    words: str


def frame_of(profile: Profile, settings: Settings | None = None) -> dict[str, Any]:
    """What the frame of a customer's page is made of. Without the settings: no links to privacy policy and terms."""
    return {
        "name": profile.name,
        "logo_url": profile.logo_url,
        "brand": brand_style(profile.colour),
        "links": _foot_links(profile, settings),
    }


def brand_style(colour: str) -> str:
    """The style sheet that puts this colour in the place of our own; nothing without one.

    In dark mode it is as much lighter as it has to be to be seen there.
    """
    if not is_colour(colour):
        return ""
    bright = _brightened(colour)
    light = _variables(colour, _mixed(colour, "#000000", 0.2), WHITE, _mixed(colour, WHITE, 0.92))
    dark = _variables(bright, _mixed(bright, WHITE, 0.25), "#0d1117", _mixed(bright, _DARK, 0.82))
    return f":root{{{light}}}@media (prefers-color-scheme:dark){{:root{{{dark}}}}}"


def _variables(accent: str, strong: str, on_accent: str, tint: str) -> str:
    return f"--accent:{accent};--accent-strong:{strong};--on-accent:{on_accent};--tint:{tint}"


def _brightened(colour: str) -> str:
    mixed = (_mixed(colour, WHITE, step / _STEPS) for step in range(_STEPS + 1))
    return next(candidate for candidate in mixed if contrast(candidate, _DARK) >= CONTRAST_MIN)


def _mixed(colour: str, other: str, share: float) -> str:
    """`share` of the other colour, from 0 to 1."""
    pairs = zip(_parts(colour), _parts(other), strict=True)
    return "#" + "".join(f"{round(own * (1 - share) + its * share):02x}" for own, its in pairs)


def _parts(colour: str) -> list[int]:
    return [int(colour[start : start + 2], 16) for start in (1, 3, 5)]


def _foot_links(profile: Profile, settings: Settings | None) -> tuple[FootLink, ...]:
    support = profile.support_address
    urls = {
        "frame.privacy": settings.privacy_policy_url if settings else "",
        "frame.terms": settings.terms_url if settings else "",
        "frame.support": f"mailto:{support}" if "@" in support and "//" not in support else support,
    }
    return tuple(FootLink(url, say(key)) for key, url in urls.items() if url)
