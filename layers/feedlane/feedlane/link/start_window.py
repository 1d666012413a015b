"""A window of starts: what is come back for when a link is opened, however often.

Mail scanners and chat previews open every link, and whoever has one can open it a thousand times. The first start of a
connection within ten minutes opens a window, and the others join it. An answer to any of them closes it.
"""

from __future__ import annotations

from datetime import UTC, datetime

from feedlane.link.state import LINK_STATE_LIFETIME, LINK_STATE_RETENTION, LinkState
from feedlane.record import Record
from feedlane.store import keys
from feedlane.store.attempts import attempts
from feedlane.store.due import Kind, due_keys
from feedlane.store.records import add_record, expiry, item_of
from feedlane.store.store import Store
from feedlane.store.table import Key, Put, When, Write

_EPOCH = datetime.fromtimestamp(0, UTC)


class StartWindow(Record):
    """`number` counts the lifetimes of a state since 1970; `began` is the time of the first start."""

    company_id: str
    connection_id: str
    number: int
    began: datetime
    closed: bool = False
    """One of its starts was answered, or that none was has been reported."""

    @property
    def key(self) -> Key:
        return keys.start_window(self.connection_id, self.number)

    @property
    def over(self) -> datetime:
        """When every start of the window has expired."""
        return _EPOCH + (self.number + 2) * LINK_STATE_LIFETIME


def window_of(state: LinkState) -> StartWindow:
    number = (state.started - _EPOCH) // LINK_STATE_LIFETIME
    return StartWindow(
        company_id=state.company_id, connection_id=state.connection_id, number=number, began=state.started
    )


def store_start(store: Store, state: LinkState, add_state: Write) -> None:
    """Stores the state, and opens its window if it is the first start in it."""
    window = window_of(state)
    for attempt in attempts(f"the starts of connection {state.connection_id}"):
        is_first = store.table.get(window.key) is None
        with attempt:
            store.commit(add_state, *([_open(window)] if is_first else []))


def close_answered(state: LinkState) -> Put:
    """For the commit that uses the state up: there is nothing to report, also if it was reported by now."""
    return _put_closed(window_of(state))


def close_reported(window: StartWindow) -> Put:
    """The write fails if the window has been closed."""
    return Put(_put_closed(window).item, When(equal={"closed": False}))


def _open(window: StartWindow) -> Put:
    """Listed in the due index until it is closed. The write fails if another start was first."""
    due = due_keys(Kind.LINK_START, window.connection_id, window.over)
    return add_record(window.key, window, expires_at=expiry(window.over, LINK_STATE_RETENTION), **due)


def _put_closed(window: StartWindow) -> Put:
    expires_at = expiry(window.over, LINK_STATE_RETENTION)
    return Put(item_of(window.key, window.but(closed=True), expires_at=expires_at))
