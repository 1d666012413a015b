"""The templates, with the style sheet and script that each page embeds: a page loads neither from a URL."""

from __future__ import annotations

import base64
import hashlib
from datetime import datetime
from pathlib import Path
from typing import Any

from jinja2 import Environment, FileSystemLoader, StrictUndefined
from markupsafe import Markup, escape

from feedlane import texts
from feedlane.web import filters

_FOLDER = Path(__file__).parent / "templates"
# The first remembers the parts of the page as they came, before the second changes them.
_SCRIPTS = ("refresh.js", "enhance.js", "start_date.js")

STYLE = (_FOLDER / "style.css").read_text()
SCRIPT = "".join((_FOLDER / name).read_text() for name in _SCRIPTS)
ICON = (_FOLDER / "icon.svg").read_text()


def hash_of(text: str) -> str:
    """As a content security policy names what it allows."""
    return f"'sha256-{base64.b64encode(hashlib.sha256(text.encode()).digest()).decode()}'"


STYLE_HASH = hash_of(STYLE)
SCRIPT_HASH = hash_of(SCRIPT)


def render(template: str, *, now: datetime | None = None, **context: Any) -> str:
    """`now` is the time that `3 minutes ago` is seen from; the present if it is None."""
    with filters.shown_at(now):
        return _environment.get_template(f"{template}.html").render(style=STYLE, script=SCRIPT, **context)


def _say(key: str, **facts: Any) -> Markup:
    """A text of the catalogue. What its facts contain is shown and never run."""
    return escape(texts.catalogue(texts.language())[key]).format(**facts)


_environment = Environment(
    loader=FileSystemLoader(_FOLDER), autoescape=True, trim_blocks=True, lstrip_blocks=True, undefined=StrictUndefined
)
_environment.filters |= {
    "ago": filters.ago,
    "counted": filters.counted,
    "day": filters.day,
    "last_four": filters.last_four,
    "lasted": filters.lasted,
    "moment": filters.moment,
    "money": filters.money,
    "number": filters.number,
    "short_day": filters.short_day,
}
# What a page need not say.
_environment.globals |= {"brand": "", "done": "", "errors": (), "home": "", "note": "", "section": "", "links": ()}
_environment.globals |= {"language": texts.language, "say": _say, "say_number": texts.say_number}
