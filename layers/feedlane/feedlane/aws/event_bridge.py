"""The event bus on EventBridge."""

from __future__ import annotations

from typing import Any

from feedlane.events.relay import BusEntry, Reply

SOURCE = "feedlane"
# Of the codes that EventBridge documents, those that are about one entry and that no retry resolves.
_REFUSED_FOR_EVER = frozenset({"InvalidArgument", "MalformedDetail", "RedactionFailure"})


class EventBridgeBus:
    """Implements `Bus`. `client` is boto3's for EventBridge, which retries throttled calls."""

    def __init__(self, client: Any, name: str) -> None:
        self._client = client
        self._name = name

    def put(self, entries: list[BusEntry]) -> list[Reply]:
        answer = self._client.put_events(Entries=[self._request_entry(entry) for entry in entries])
        return [_reply(result.get("ErrorCode")) for result in answer["Entries"]]

    def _request_entry(self, entry: BusEntry) -> dict[str, Any]:
        return {
            "EventBusName": self._name,
            "Source": SOURCE,
            "DetailType": entry.event.type,
            "Time": entry.event.time,
            "Detail": entry.detail,
        }


def _reply(code: str | None) -> Reply:
    if code is None:
        return Reply.ACCEPTED
    return Reply.NEVER if code in _REFUSED_FOR_EVER else Reply.NOT_NOW
