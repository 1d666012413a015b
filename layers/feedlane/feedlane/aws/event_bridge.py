"""The event bus on EventBridge."""

from __future__ import annotations

from typing import Any

from feedlane.events.relay import BusEntry

SOURCE = "feedlane"


class EventBridgeBus:
    """Implements `Bus`. `client` is boto3's for EventBridge, which retries throttled calls."""

    def __init__(self, client: Any, name: str) -> None:
        self._client = client
        self._name = name

    def put(self, entries: list[BusEntry]) -> list[bool]:
        answer = self._client.put_events(Entries=[self._request_entry(entry) for entry in entries])
        return ["ErrorCode" not in result for result in answer["Entries"]]

    def _request_entry(self, entry: BusEntry) -> dict[str, Any]:
        return {
            "EventBusName": self._name,
            "Source": SOURCE,
            "DetailType": entry.event.type,
            "Time": entry.event.time,
            "Detail": entry.detail,
        }
