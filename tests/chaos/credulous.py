"""The product broken on purpose: it believes what says nothing, and so holds and asks customers without need."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import AbstractContextManager, contextmanager
from typing import Any
from unittest.mock import patch

from feedlane.credentials.problems import NOT_GRANTED
from feedlane.errors import ReconnectionNeeded, Unavailable
from feedlane.feeds import refusals
from feedlane.xero import api as xero_api
from feedlane.xero import outcomes, problems
from feedlane.xero.api import XeroApi

# How the client and the vault say that a second token has been refused, too.
_SECOND_REFUSALS = ("refuses new access tokens", "rejects an access token that is new")


def a_refused_new_token_is_believed() -> AbstractContextManager[Any]:
    """A 401 for a token and for its replacement counts as the end of the customer's grant."""
    real = XeroApi.call

    def call(self: XeroApi, *arguments: Any, **keywords: Any) -> Any:
        try:
            return real(self, *arguments, **keywords)
        except Unavailable as error:
            if any(words in str(error) for words in _SECOND_REFUSALS):
                raise ReconnectionNeeded(NOT_GRANTED) from None
            raise

    return patch.object(XeroApi, "call", call)


@contextmanager
def pages_are_believed() -> Iterator[None]:
    """A page of something before Xero counts as Xero's refusal."""
    with (
        patch.object(problems, "is_page", lambda *_: False),
        patch.object(outcomes, "is_page", lambda *_: False),
        patch.object(xero_api, "is_page", lambda *_: False),
    ):
        yield


def missing_bank_feeds_hold_the_connection() -> AbstractContextManager[Any]:
    """A refusal of the organisation asks its customer to come again, who can do nothing about it."""
    meanings = refusals.MEANING_BY_TYPE
    wrong = {"invalid-organisation-bank-feeds": refusals.NO_ACCESS_MEANING}
    return patch.dict(meanings, wrong)
