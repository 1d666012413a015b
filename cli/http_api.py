"""The deployment's HTTP API, as the commands use it."""

from __future__ import annotations

import base64
from collections.abc import Callable, Iterator
from functools import wraps
from typing import Any

import click
import httpx

SECONDS = 30


class HttpApi:
    def __init__(self, url: str, key: str) -> None:
        authorization = "Basic " + base64.b64encode(key.encode()).decode()
        self._client = httpx.Client(base_url=url, headers={"Authorization": authorization}, timeout=SECONDS)

    def ask(self, method: str, path: str, body: Any = None, **parameters: str | int) -> Any:
        """The answer's JSON. A refusal ends the command with what the API says."""
        try:
            answer = self._client.request(method, path, params=parameters or None, json=body)
        except httpx.HTTPError as error:
            raise click.ClickException(f"The API could not be reached: {error}") from None
        try:
            told = answer.json()
        except ValueError:
            raise click.ClickException(f"The API answered {answer.status_code} without JSON.") from None
        if answer.is_success:
            return told
        raise click.ClickException(f"{answer.status_code}: {told.get('error', answer.text)}")

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


def with_api(command: Callable[..., None]) -> Callable[..., None]:
    """The options that every command over HTTP needs; the command gets `api`."""

    @wraps(command)
    def connected(api_url: str, api_key: str, **rest: Any) -> None:
        command(api=HttpApi(api_url, api_key), **rest)

    url = click.option("--api-url", envvar="FEEDLANE_API_URL", required=True, help="Address of the API.")
    key = click.option("--api-key", envvar="FEEDLANE_API_KEY", required=True, help="An API key.")
    return url(key(connected))


def with_release(command: Callable[..., None]) -> Callable[..., None]:
    """The options of a release; the command gets `api` and `set_aside`."""
    aside = click.option(
        "--set-aside",
        multiple=True,
        metavar="TRANSACTION",
        help="A transaction of the held feed that Xero will never take: it stays in the ledger, marked, and the rest "
        "goes on without it. May be given several times.",
    )
    return with_api(aside(command))


def release(api: HttpApi, path: str, set_aside: tuple[str, ...]) -> None:
    """Lifts what `path` names, and prints the push operations under which what waits is sent."""
    started = api.ask("POST", f"{path}/release", {"setAside": list(set_aside)})["results"]
    for operation in started:
        click.echo(operation["pushOperationKey"])
    click.echo(f"released; {len(started)} push operation(s) started", err=True)
