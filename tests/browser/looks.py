"""Looks at pages one after the other, and keeps what is wrong with them and whose pages they were."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from urllib.parse import urlsplit

from playwright.sync_api import Page, Response

from tests.browser.accessibility import faults

# Sends a form as a page of ours would, with the token of the page that is shown.
_SEND = """
([path, fields]) => {
  const form = document.createElement("form");
  const token = document.querySelector("input[name=formToken]");
  form.method = "post";
  form.action = path;
  for (const [name, values] of Object.entries({formToken: token ? token.value : "", ...fields}))
    for (const value of [values].flat()) {
      const input = document.createElement("input");
      input.name = name;
      input.value = value;
      form.append(input);
    }
  document.body.append(form);
  form.submit();
}
"""
# In this run of the tests, for the line that it ends with.
LOOKED: list[str] = []
Fields = Mapping[str, str | Sequence[str]]


class Looks:
    """`shown` are the addresses that have answered with a page that was looked at: method and path."""

    def __init__(self, page: Page, url: str) -> None:
        self.page = page
        self.shown: set[tuple[str, str]] = set()
        self.faults: dict[str, list[str]] = {}
        self._url = url
        self._last: tuple[str, str] | None = None
        page.on("response", self._note)

    def open(self, path: str, name: str = "") -> None:
        self.page.goto(self._url + path)
        self.look(f"{name} {path}".strip())

    def send(self, path: str, fields: Fields, name: str = "") -> None:
        with self.page.expect_navigation():
            self.page.evaluate(_SEND, [path, fields])
        self.look(f"{name} POST {path} {dict(fields)}"[:200].strip())

    def look(self, name: str) -> None:
        """At the page that is there."""
        if self._last:
            self.shown.add(self._last)
        LOOKED.append(name)
        if found := faults(self.page):
            self.faults[name] = found

    def require_no_faults(self) -> None:
        """Says all of them: pytest would cut what is so long."""
        told = [f"{name}: {fault}" for name, found in self.faults.items() for fault in found]
        assert not told, "\n".join(told)

    def _note(self, response: Response) -> None:
        request = response.request
        if request.is_navigation_request() and response.headers.get("content-type", "").startswith("text/html"):
            self._last = (request.method, urlsplit(request.url).path)
