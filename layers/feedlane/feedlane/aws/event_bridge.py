"""The event bus on EventBridge."""

from __future__ import annotations

from typing import Any

from feedlane.events.relay import BusEntry

SOURCE = "feedlane"


class EventBridgeBus:
    """Implements `Bus`. `client` is boto3's for EventBridge, which tries again what was throttled."""

    def __init__(self, client: Any, name: str) -> None:
        self._client = client
        self._name = name

    def put(self, notices: list[BusEntry]) -> list[bool]:
        answer = self._client.put_events(Entries=[self._entry(notice) for notice in notices])
        return ["ErrorCode" not in entry for entry in answer["Entries"]]

    def _entry(self, notice: BusEntry) -> dict[str, Any]:
        return {
            "EventBusName": self._name,
            "Source": SOURCE,
            "DetailType": notice.event.type,
            "Time": notice.event.time,
            "Detail": notice.detail,
        }
