"""The end of a consent: its state and the link's password are used up in the commit of its result, and not before.

So whatever fails on the way, the customer's browser can load the callback again and finds everything as it was.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass

from feedlane.link import start_window, state_items
from feedlane.link.choice import OrganisationChoice
from feedlane.link.passwords import LinkPassword, PasswordSpent, spend_password
from feedlane.link.state import LinkState, UsedState
from feedlane.store import keys
from feedlane.store.table import ConditionFailed, Contended, Write

Also = Callable[[OrganisationChoice | None], Sequence[Write]]
"""Writes that belong to the result, such as the customer's session."""


@dataclass(frozen=True)
class ConsentEnd:
    """`code` is the code's fingerprint. `password` is the one that the link was opened with, if it had one."""

    state: LinkState | None = None
    code: str = ""
    password: LinkPassword | None = None
    also: Also = lambda choice: ()

    def writes(self, choice: OrganisationChoice | None = None) -> list[Write]:
        """For a consent that has linked the connection, or that leaves a choice."""
        writes = self._answered(self.code, choice)
        writes += [spend_password(self.password)] if self.password else []
        return [*writes, *self.also(choice)]

    def failure_writes(self) -> list[Write]:
        """For a consent that came to nothing: the link's password is not spent."""
        return self._answered()

    def _answered(self, code: str = "", choice: OrganisationChoice | None = None) -> list[Write]:
        if self.state is None:
            return []
        return [state_items.mark_state_used(self.state, code, choice), start_window.close_answered(self.state)]

    def require_open(self, failed: ConditionFailed) -> None:
        """Raises `UsedState` or `PasswordSpent` if the commit failed because the consent or the link has ended."""
        if isinstance(failed, Contended):
            return  # names every key, whoever was in the way
        if self.state is not None and keys.state(self.state.fingerprint) in failed.keys:
            raise UsedState("The state has been used", self.state) from None
        if self.password is not None and keys.link_password(self.password.fingerprint) in failed.keys:
            raise PasswordSpent("Another consent has used the link") from None


NO_END = ConsentEnd()
