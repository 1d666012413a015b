"""The deployment's HTTP API, as the commands use it."""

from __future__ import annotations

import base64
from collections.abc import Callable, Iterator
from typing import Any, TypeVar

import click
import httpx

C = TypeVar("C", bound=Callable[..., Any])
SECONDS = 30


class HttpApi:
    def __init__(self, url: str, key: str) -> None:
        authorization = "Basic " + base64.b64encode(key.encode()).decode()
        self._client = httpx.Client(base_url=url, headers={"Authorization": authorization}, timeout=SECONDS)

    def ask(self, method: str, path: str, body: dict[str, Any] | None = None, **parameters: str | int) -> Any:
        """The answer's JSON. A refusal ends the command with what the API says."""
        try:
            answer = self._client.request(method, path, params=parameters or None, json=body)
        except httpx.HTTPError as error:
            raise click.ClickException(f"The API could not be reached: {error}") from None
        try:
            answered = answer.json()
        except ValueError:
            raise click.ClickException(f"The API answered {answer.status_code} without JSON.") from None
        if answer.is_success:
            return answered
        raise click.ClickException(f"{answer.status_code}: {answered.get('error', answer.text)}")

    def pages(self, path: str, **parameters: str | int) -> list[dict[str, Any]]:
        """All results, page by page."""
        found: list[dict[str, Any]] = []
        page: dict[str, Any] = {"_links": {"next": {}}}
        number = 1
        while "next" in page["_links"]:
            page = self.ask("GET", path, page=number, **parameters)
            found += page["results"]
            number += 1
        return found

    def linked(self, path: str, **parameters: str | int) -> Iterator[dict[str, Any]]:
        """All results of a list that links from page to page, each page when it is needed."""
        page = self.ask("GET", path, **parameters)
        yield from page["results"]
        while following := page["_links"].get("next"):
            page = self.ask("GET", following["href"])
            yield from page["results"]


def with_api(command: C) -> C:
    """The options that every command over HTTP needs; the command gets `api_url` and `api_key`."""
    command = click.option("--api-url", envvar="FEEDLANE_API_URL", required=True, help="Address of the API.")(command)
    return click.option("--api-key", envvar="FEEDLANE_API_KEY", required=True, help="An API key.")(command)
