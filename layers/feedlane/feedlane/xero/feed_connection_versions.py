"""Feed connections by the version of Xero's API that the operator has chosen, and those made by the other one.

Xero does not say whether each version knows the feed connections of the other. So whatever is looked for is looked for
in both, as far as the customer's consent allows.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from typing import TypeVar

from feedlane.companies.reconnection import FEED_CONNECTIONS_SCOPE_MISSING
from feedlane.errors import Refused
from feedlane.feeds.refusals import INVALID_COUNTRY, MAY_BE_THERE, NOT_ENABLED_FOR_2
from feedlane.feeds.upstream import Failed, FeedConnection, NewFeedConnection, TenantAccess
from feedlane.xero import feed_connections as api_1
from feedlane.xero import feed_connections_2 as api_2
from feedlane.xero.accounting import Accounting
from feedlane.xero.api import XeroApi
from feedlane.xero.outcomes import raise_obstacle

T = TypeVar("T")


class FeedConnections:
    """`version` is asked at every call: the operator may change it at any time."""

    def __init__(self, api: XeroApi, new_key: Callable[[], str], version: Callable[[], int] = lambda: 1) -> None:
        self._api = api
        self._new_key = new_key
        self._version = version

    def list_all(self, access: TenantAccess) -> list[FeedConnection]:
        """All of this app's feed connections in the organisation, each once; not those that Xero has rejected."""
        found: dict[str, FeedConnection] = {}
        answers = self._answers(
            access, lambda: api_1.list_all(self._api, access), lambda: api_2.list_all(self._api, access)
        )
        for connections in answers:
            found = {connection.id: connection for connection in connections} | found
        return list(found.values())

    def find(self, access: TenantAccess, id: str) -> FeedConnection | None:
        """None if it no longer exists. One that Xero has rejected comes with the reason."""
        answers = self._answers(
            access, lambda: api_1.find(self._api, access, id), lambda: api_2.find(self._api, access, id)
        )
        return next((connection for connection in answers if connection is not None), None)

    def delete(self, access: TenantAccess, id: str) -> None:
        """One that is gone already is no error."""
        any(
            self._answers(
                access,
                lambda: api_1.delete(self._api, access, id, self._new_key()),
                lambda: api_2.delete(self._api, access, id),
            )
        )

    def create(self, access: TenantAccess, new: NewFeedConnection) -> FeedConnection:
        """Creates the feed connection, or returns the one created before with this account token.

        Xero documents the country for apps of several regions only. So it is sent if Xero refuses to do without.
        """
        try:
            return self._create(access, new)
        except Refused as refused:
            if refused.problem.type != INVALID_COUNTRY or new.country:
                raise
            country = Accounting(self._api).organisation(access).country
            if not country:
                raise
            return self._create(access, new.but(country=country))

    def _create(self, access: TenantAccess, new: NewFeedConnection) -> FeedConnection:
        try:
            return self._post(access, new)
        except Refused as refused:
            if refused.problem.type not in MAY_BE_THERE:
                raise
            ours = api_1.with_our_token(self.list_all(access), new)
            if ours is None:
                raise
            return ours
        except api_2.PartlyMade as partly:
            return self._complete(access, new, partly)

    def _post(self, access: TenantAccess, new: NewFeedConnection) -> FeedConnection:
        if self._version() == 1:
            return api_1.create(self._api, access, new, self._new_key())
        if not self._may_use_2(access, if_unknown=True):
            raise Refused(FEED_CONNECTIONS_SCOPE_MISSING)  # without a call: Xero could only refuse it
        return api_2.create(self._api, access, new)

    def _complete(self, access: TenantAccess, new: NewFeedConnection, partly: api_2.PartlyMade) -> FeedConnection:
        """What is partly made is found by its token, or goes on with the account that was made for it.

        Otherwise Xero has failed for now. Whoever tries again begins with the list, as here.
        """
        ours = api_1.with_our_token(self.list_all(access), new)
        try:
            if ours is None and new.account_id is None and partly.account_id is not None:
                ours = api_2.create(self._api, access, new.but(account_id=partly.account_id))
        except api_2.PartlyMade as again:
            partly = again
        if ours is None:
            raise_obstacle(Failed(problem=partly.problem))
        return ours

    def _answers(self, access: TenantAccess, ask_1: Callable[[], T], ask_2: Callable[[], T]) -> Iterator[T]:
        """What each version says, the chosen one first. 2.0 is left out where it cannot have made anything.

        That is without its scope, or if Xero has not enabled the app for it.
        """
        is_2 = self._version() != 1
        if not is_2:
            yield ask_1()
        if self._may_use_2(access, if_unknown=is_2):
            try:
                yield ask_2()
            except Refused as refused:
                if refused.problem.type not in {NOT_ENABLED_FOR_2, FEED_CONNECTIONS_SCOPE_MISSING.type}:
                    raise
        if is_2:
            yield ask_1()

    def _may_use_2(self, access: TenantAccess, if_unknown: bool) -> bool:
        return self._api.has_scope_for(access, api_2.FEED_CONNECTIONS_2_PATH, if_unknown)
