"""How a deployment looks from outside, as a port."""

from __future__ import annotations

from typing import Protocol

from feedlane.companies.hosted_link import HostedClient
from feedlane.credentials.authorization import Authorization


class Outside(Protocol):
    def ask_xero(self, client_id: str, redirect_uri: str, scopes: tuple[str, ...]) -> Authorization:
        """Whether Xero would let a customer authorise the app so. Asks no customer, and never raises."""

    def codat_client(self) -> HostedClient:
        """What is set at Codat for all customers. Raises `Refused`, `ReconnectionNeeded`, `Unavailable`."""

    def page_faults(self, *urls: str) -> list[str]:
        """For each address, why no page of ours answers there; empty if one does, whatever it says."""

    def alarm_recipients(self) -> tuple[int, int]:
        """How many addresses get the alarms, and how many have not confirmed it. Raises `Unavailable`."""
