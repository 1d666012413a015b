"""Xero's problems as data, and what an answer without a problem of Xero's means."""

from __future__ import annotations

from feedlane.feeds.refusals import NO_TYPE, stated_problems, status_phrase
from feedlane.json_object import json_object
from feedlane.problem import Problem

# How the gateway's 401 for a scope differs from the one for a token. Most often it answers 403.
SCOPE_MISSING_DETAIL = "AuthorizationUnsuccessful"


def problems_in(status: int, body: bytes) -> tuple[Problem, ...]:
    """Every problem of an answer, in any of the shapes; at least one for a failed status."""
    problems = _stated_problems(status, body)
    if problems or status < 400:
        return problems
    return (Problem(type=NO_TYPE, title=status_phrase(status), status=status),)


def is_page(status: int, body: bytes) -> bool:
    """Whether an error is a page of something in front of Xero, such as a firewall: it says nothing about the call.

    Xero states every error as JSON. Not for `DELETE /connections/{id}`, whose 404 has no body.
    """
    return status >= 400 and not _stated_problems(status, body) and not _has_items(body)


def is_access_refusal(status: int, body: bytes) -> bool:
    """Whether the gateway refuses the caller. It does so for many reasons, and states none."""
    return status in {401, 403} and not is_page(status, body) and problems_in(status, body)[0].type == NO_TYPE


def is_scope_refusal(status: int, body: bytes) -> bool:
    """Whether the gateway says that a scope is missing, and not that the token has ended."""
    return status == 401 and problems_in(status, body)[0].detail.startswith(SCOPE_MISSING_DETAIL)


def _stated_problems(status: int, body: bytes) -> tuple[Problem, ...]:
    value = json_object(body)
    return () if value is None else stated_problems(value, status)


def _has_items(body: bytes) -> bool:
    """Whether these are refused items; each may come without a reason."""
    items = (json_object(body) or {}).get("items")
    return isinstance(items, list) and any(isinstance(item, dict) for item in items)
