"""What Xero says of an authorisation that nobody has asked a customer for."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum


class Verdict(StrEnum):
    ACCEPTED = "accepted"
    WRONG_CLIENT = "client"
    WRONG_REDIRECT = "redirect"
    WRONG_SCOPE = "scope"
    UNKNOWN = "unknown"


@dataclass(frozen=True)
class Authorization:
    """`answered_at` is Xero's own time, if it said so. `reason` is of an answer that is none."""

    verdict: Verdict
    answered_at: datetime | None = None
    reason: str = ""

    @property
    def is_granted(self) -> bool | None:
        """Whether the scopes are granted. None: nobody knows."""
        return {Verdict.ACCEPTED: True, Verdict.WRONG_SCOPE: False}.get(self.verdict)
