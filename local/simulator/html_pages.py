"""The HTML pages that a Xero user sees: consent, errors, and the connection limit."""

from pathlib import Path
from typing import Any

from jinja2 import Environment, FileSystemLoader
from starlette.responses import HTMLResponse

_templates = Environment(
    loader=FileSystemLoader(Path(__file__).parent / "pages"),
    autoescape=True,
    trim_blocks=True,
    lstrip_blocks=True,
)


def render(name: str, status: int = 200, **facts: Any) -> HTMLResponse:
    return HTMLResponse(_templates.get_template(name).render(**facts), status)
