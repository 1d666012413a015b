"""How push operations are kept: the operation, the lines and content pushed, and a feed's list of open operations."""

from __future__ import annotations

from bisect import bisect_right
from collections.abc import Iterable, Sequence
from datetime import datetime, timedelta
from itertools import accumulate

from feedlane.clock import iso
from feedlane.errors import Finding, NotFound
from feedlane.feeds.items import pack_lines, unpack_lines
from feedlane.feeds.line import Line
from feedlane.feeds.push_operation import PushOperation, PushStatus
from feedlane.ids import fingerprint
from feedlane.store import keys
from feedlane.store.due import LATE_AFTER, Kind, due_keys, next_look
from feedlane.store.records import expiry, put_record, record_in
from feedlane.store.store import Store
from feedlane.store.table import ABSENT, Delete, Index, Key, Put, When

# Content older than a year is refused because of its dates, so nothing needs to be kept for longer.
CONTENT_RETENTION = timedelta(days=400)
# As long as Codat does.
IDEMPOTENCY_KEY_RETENTION = timedelta(minutes=90)
FINDINGS_MAX = 1000
# An item has at most 400 KB; errors and warnings take at most this much each.
FINDINGS_BYTES_MAX = 150_000
# The size of a finding without its texts, and of an operation without its findings.
_FINDING_OVERHEAD_BYTES = 100
_OPERATION_OVERHEAD_BYTES = 5_000


def find_operation(store: Store, company_id: str, key: str) -> PushOperation | None:
    return record_in(PushOperation, store.table.get(keys.push_operation(company_id, key)))


def operation(store: Store, company_id: str, key: str) -> PushOperation:
    """Raises `NotFound`."""
    operation = find_operation(store, company_id, key)
    if operation is None:
        raise NotFound("push operation", key)
    return operation


def operations_of_company(
    store: Store,
    company_id: str,
    limit: int | None = None,
    oldest_first: bool = False,
    days: tuple[str, str] = ("", ""),
) -> Iterable[PushOperation]:
    """Newest first, unless said otherwise. `days` are the first and the last day (ISO) of their requests."""
    first, last = days
    if first > f"{last}~":
        return []
    items = store.table.query(
        keys.pushes(company_id),
        start=first or " ",
        end=f"{last}~",
        reverse=not oldest_first,
        limit=limit,
        index=Index.LISTS,
    )
    return map(PushOperation.model_validate, items)


def count_up_to(store: Store, company_id: str, limit: int) -> int:
    return sum(1 for _ in store.table.query(keys.pushes(company_id), limit=limit, index=Index.LISTS))


def operations_by_key(store: Store, operation_keys: Iterable[Key]) -> dict[Key, PushOperation]:
    """Those of the operations that exist."""
    return {key: PushOperation.model_validate(item) for key, item in store.table.get_many(operation_keys).items()}


def put_operation(operation: PushOperation) -> Put:
    """Fails if a new one (version 0) already exists, or an existing one has changed since it was read."""
    trimmed = operation.but(errors=_trim_findings(operation.errors), warnings=_trim_findings(operation.warnings))
    key = keys.push_operation(operation.company_id, operation.key)
    order = f"{iso(operation.requested_on)}#{operation.key}"
    due = due_keys(Kind.PUSH, operation.key, _look(operation))
    return put_record(key, trimmed, gsi1pk=keys.pushes(operation.company_id), gsi1sk=order, **due)


def _look(operation: PushOperation) -> datetime | None:
    """When the watch looks at the operation itself. Once it is recorded, its feed sees to all but its time-out."""
    if operation.is_unrecorded:
        return next_look(operation.requested_on)
    return operation.due + LATE_AFTER if operation.status is PushStatus.PENDING and operation.due else None


def estimated_bytes(operation: PushOperation) -> int:
    """The approximate size of the operation and its end event as items."""
    return _OPERATION_OVERHEAD_BYTES + sum(
        map(_finding_bytes, (*_trim_findings(operation.errors), *_trim_findings(operation.warnings)))
    )


def _trim_findings(findings: tuple[Finding, ...]) -> tuple[Finding, ...]:
    """As many findings as an item has room for; the last one says how many are left out."""
    ends = list(accumulate(map(_finding_bytes, findings)))
    if not findings or (len(findings) <= FINDINGS_MAX and ends[-1] <= FINDINGS_BYTES_MAX):
        return findings
    room = FINDINGS_BYTES_MAX - 2 * _FINDING_OVERHEAD_BYTES
    kept = min(FINDINGS_MAX - 1, bisect_right(ends, room))
    left_out = Finding(
        item_id="transactions", message=f"and {len(findings) - kept} more, not listed here", validator="More"
    )
    return (*findings[:kept], left_out)


def _finding_bytes(finding: Finding) -> int:
    return len(finding.item_id.encode()) + len(finding.message.encode()) + _FINDING_OVERHEAD_BYTES


# the lines and the content of a push


def add_pushed_lines(operation: PushOperation, lines: Sequence[Line]) -> list[Put]:
    """The lines of a push: read until the ledger has them, and kept if it refuses them."""
    writes = []
    for part, (_, page) in enumerate(pack_lines(lines)):
        pk, sk = keys.pushed_lines(operation.feed_id, operation.key, part)
        item = {"pk": pk, "sk": sk, "lines": page}
        writes.append(Put(item | {"expires_at": expiry(operation.requested_on, CONTENT_RETENTION)}))
    return writes


def pushed_lines(store: Store, operation: PushOperation) -> list[Line]:
    return lines_of(store, operation.feed_id, operation.key)


def lines_of(store: Store, feed_id: str, operation_key: str) -> list[Line]:
    """The same for the push operation with this key."""
    parts = store.table.query(keys.feed_partition(feed_id), prefix=f"PUSHED#{operation_key}#")
    return [line for part in parts for line in unpack_lines(part["lines"])]


def pushed_lines_by_key(store: Store, operation: PushOperation) -> list[Line]:
    """The same for a push through the API, by the key of its first part, which can be read ahead: most have one."""
    first = store.table.get(keys.pushed_lines(operation.feed_id, operation.key, 0))
    lines = unpack_lines(first["lines"]) if first else []
    return lines if len(lines) == operation.transactions else pushed_lines(store, operation)


def operation_key_for_content(store: Store, feed_id: str, content: str) -> str | None:
    """The key of the earlier operation with the same content. `content` is its fingerprint."""
    item = store.table.get(keys.content(feed_id, content))
    return item["operation"] if item else None


def put_content(operation: PushOperation, replaces: str | None) -> Put:
    """Records the content; fails if an operation other than `replaces` has recorded it in between."""
    pk, sk = keys.content(operation.feed_id, operation.content)
    item = {"pk": pk, "sk": sk, "operation": operation.key}
    when = ABSENT if replaces is None else When(equal={"operation": replaces})
    return Put(item | {"expires_at": expiry(operation.requested_on, CONTENT_RETENTION)}, when)


def operation_key_for_idempotency_key(store: Store, company_id: str, idempotency_key: str, now: datetime) -> str | None:
    """The key of the operation that this idempotency key stands for, until it expires."""
    item = store.table.get(keys.idempotency(company_id, fingerprint(idempotency_key)))
    return item["operation"] if item and item["until"] >= iso(now) else None


def put_idempotency_key(operation: PushOperation, idempotency_key: str, now: datetime) -> Put:
    """Records that the idempotency key stands for the operation; fails if it still stands for another."""
    pk, sk = keys.idempotency(operation.company_id, fingerprint(idempotency_key))
    until = now + IDEMPOTENCY_KEY_RETENTION
    item = {
        "pk": pk,
        "sk": sk,
        "operation": operation.key,
        "until": iso(until),
        "expires_at": expiry(now, IDEMPOTENCY_KEY_RETENTION),
    }
    return Put(item, When(absent=True, before={"until": iso(now)}))


# open operations: those that have not ended


def add_open_operation(feed_id: str, operation: PushOperation) -> Put:
    pk, sk = keys.open_push(feed_id, operation.through, operation.key)
    return Put({"pk": pk, "sk": sk, "operation": operation.key, "company": operation.company_id})


def remove_open_operation(feed_id: str, operation: PushOperation) -> Delete:
    return Delete(keys.open_push(feed_id, operation.through, operation.key))


def open_operations(store: Store, feed_id: str, after: int = 0, through: int | None = None) -> list[PushOperation]:
    """The feed's operations that wait for a line after `after`, up to `through`, in the ledger's order."""
    if through is not None and through <= after:
        return []
    end = "OPEN#~" if through is None else f"OPEN#{keys.sequence_text(through)}#~"
    start = f"OPEN#{keys.sequence_text(after + 1)}"
    pointers = list(store.table.query(keys.feed_partition(feed_id), start=start, end=end))
    operation_keys = [keys.push_operation(pointer["company"], pointer["operation"]) for pointer in pointers]
    operations = operations_by_key(store, operation_keys)
    return [operations[key] for key in operation_keys if key in operations]
