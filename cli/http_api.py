"""A client of the deployment's HTTP API, and the options of the commands that use it."""

from __future__ import annotations

import base64
from collections.abc import Callable, Iterator, Sequence
from functools import wraps
from typing import Any

import click
import httpx

from cli.wording import counted

TIMEOUT_SECONDS = 30


class RefusedByApi(click.ClickException):
    """An error response. `findings`: what is wrong with each item of the body, as the API says it."""

    def __init__(self, message: str, findings: Sequence[dict[str, Any]] = ()) -> None:
        super().__init__(message)
        self.findings = findings


class HttpApi:
    def __init__(self, url: str, key: str) -> None:
        authorization = "Basic " + base64.b64encode(key.encode()).decode()
        self._client = httpx.Client(base_url=url, headers={"Authorization": authorization}, timeout=TIMEOUT_SECONDS)

    def ask(self, method: str, path: str, body: Any = None, **parameters: str | int) -> Any:
        """The response's JSON. An error response ends the command with the API's own message (`RefusedByApi`)."""
        try:
            answer = self._client.request(method, path, params=parameters or None, json=body)
        except httpx.HTTPError as error:
            raise click.ClickException(f"The API could not be reached: {error}") from None
        try:
            content = answer.json()
        except ValueError:
            raise click.ClickException(f"The API answered {answer.status_code} with a body that is not JSON.") from None
        if answer.is_success:
            return content
        findings = (content.get("validation") or {}).get("errors", [])
        raise RefusedByApi(f"{answer.status_code}: {content.get('error', answer.text)}", findings)

    def linked(self, path: str, **parameters: str | int) -> Iterator[dict[str, Any]]:
        """All results of a list that links its pages; each page is fetched when it is needed."""
        page = self.ask("GET", path, **parameters)
        yield from page["results"]
        while following := page["_links"].get("next"):
            page = self.ask("GET", following["href"])
            yield from page["results"]


def _require(context: click.Context, parameter: click.Parameter, value: str | None) -> str:
    """Click's own message names the option, but not the variable that stands for it."""
    if value is None:
        raise click.UsageError(f"{parameter.opts[0]} is missing: give it, or set {parameter.envvar}.", context)
    return value


_REQUIRED: dict[str, Any] = {"callback": _require, "show_envvar": True}


def with_api(command: Callable[..., None]) -> Callable[..., None]:
    """Adds the options that every command over HTTP needs; the command gets `api`."""

    @wraps(command)
    def connected(api_url: str, api_key: str, **options: Any) -> None:
        command(api=HttpApi(api_url, api_key), **options)

    url = click.option("--api-url", help="The API's URL; required.", envvar="FEEDLANE_API_URL", **_REQUIRED)
    key = click.option("--api-key", help="An API key; required.", envvar="FEEDLANE_API_KEY", **_REQUIRED)
    return url(key(connected))


def with_release(command: Callable[..., None]) -> Callable[..., None]:
    """Adds the options of a release; the command gets `api` and `set_aside`."""
    set_aside = click.option(
        "--set-aside",
        multiple=True,
        metavar="TRANSACTION",
        help="A transaction of the held feed that Xero will never accept. It stays in the ledger, marked, and the "
        "others are sent without it. May be repeated.",
    )
    return with_api(set_aside(command))


def release(api: HttpApi, path: str, set_aside: tuple[str, ...]) -> None:
    """Releases the hold or feed at `path` and prints the push operations that send the waiting transactions."""
    operations = api.ask("POST", f"{path}/release", {"setAside": list(set_aside)})["results"]
    for operation in operations:
        click.echo(operation["pushOperationKey"])
    click.echo(f"Released. {counted(len(operations), 'push operation')} started.", err=True)
