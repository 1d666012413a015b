"""Push operations as items: the operation, what it brought, and which of a feed's operations have not ended."""

from __future__ import annotations

from bisect import bisect_right
from collections.abc import Iterable, Sequence
from datetime import datetime, timedelta
from itertools import accumulate

from feedlane.clock import iso
from feedlane.errors import Finding, NotFound
from feedlane.feeds.items import pack_lines, unpack_lines
from feedlane.feeds.line import Line
from feedlane.feeds.push_operation import PushOperation
from feedlane.ids import feed_id, fingerprint
from feedlane.store import keys
from feedlane.store.records import expiry, put_record, record_in
from feedlane.store.store import Store
from feedlane.store.table import ABSENT, Delete, Key, Put, When

# Content older than a year is refused by its dates, so that nothing need be remembered for longer.
CONTENT_RETENTION = timedelta(days=400)
# As long as Codat does.
IDEMPOTENCY_KEY_RETENTION = timedelta(minutes=90)
FINDINGS_MAX = 1000
# An item has at most 400 KB: of errors, and of warnings, no more than this.
FINDINGS_BYTES_MAX = 150_000
# What a finding has beside its texts, and an operation beside its findings.
_FINDING_OVERHEAD_BYTES = 100
_OPERATION_OVERHEAD_BYTES = 5_000


def find_operation(store: Store, company_id: str, key: str) -> PushOperation:
    found = existing_operation(store, company_id, key)
    if found is None:
        raise NotFound("push operation", key)
    return found


def existing_operation(store: Store, company_id: str, key: str) -> PushOperation | None:
    return record_in(PushOperation, store.table.get(keys.push_operation(company_id, key)))


def operations_of_company(store: Store, company_id: str) -> Iterable[PushOperation]:
    """Newest first."""
    items = store.table.query(keys.pushes(company_id), index=True, reverse=True)
    return map(PushOperation.model_validate, items)


def operations_by_key(store: Store, wanted: Iterable[Key]) -> dict[Key, PushOperation]:
    """Those of these that there are."""
    return {key: PushOperation.model_validate(item) for key, item in store.table.get_many(wanted).items()}


def put_operation(operation: PushOperation) -> Put:
    """New if its version is 0, else as it was read."""
    trimmed = operation.but(errors=_trim_findings(operation.errors), warnings=_trim_findings(operation.warnings))
    key = keys.push_operation(operation.company_id, operation.key)
    listed = f"{iso(operation.requested_on)}#{operation.key}"
    return put_record(key, trimmed, gsi1pk=keys.pushes(operation.company_id), gsi1sk=listed)


def estimated_bytes(operation: PushOperation) -> int:
    """About how many bytes the operation and the event of its end have as items."""
    return _OPERATION_OVERHEAD_BYTES + sum(
        map(_finding_bytes, (*_trim_findings(operation.errors), *_trim_findings(operation.warnings)))
    )


def _trim_findings(findings: tuple[Finding, ...]) -> tuple[Finding, ...]:
    """As many as an item has room for, errors and warnings each; how many are left out is said in the last."""
    ends = list(accumulate(map(_finding_bytes, findings)))
    if not findings or (len(findings) <= FINDINGS_MAX and ends[-1] <= FINDINGS_BYTES_MAX):
        return findings
    room = FINDINGS_BYTES_MAX - 2 * _FINDING_OVERHEAD_BYTES
    kept = min(FINDINGS_MAX - 1, bisect_right(ends, room))
    left_out = Finding(
        item_id="transactions", message=f"and {len(findings) - kept} more, left out here", validator="More"
    )
    return (*findings[:kept], left_out)


def _finding_bytes(finding: Finding) -> int:
    return len(finding.item_id.encode()) + len(finding.message.encode()) + _FINDING_OVERHEAD_BYTES


# what it brought


def add_pushed_lines(operation: PushOperation, lines: Sequence[Line]) -> list[Put]:
    """The lines of a push, kept until the ledger has them, and for good if it refuses them."""
    feed = feed_id(operation.connection_id, operation.account_id)
    writes = []
    for part, (_, page) in enumerate(pack_lines(lines)):
        pk, sk = keys.pushed_lines(feed, operation.key, part)
        item = {"pk": pk, "sk": sk, "lines": page}
        writes.append(Put(item | {"expires_at": expiry(operation.requested_on, CONTENT_RETENTION)}))
    return writes


def pushed_lines(store: Store, operation: PushOperation) -> list[Line]:
    partition = keys.feed_partition(feed_id(operation.connection_id, operation.account_id))
    parts = store.table.query(partition, prefix=f"PUSHED#{operation.key}#")
    return [line for part in parts for line in unpack_lines(part["lines"])]


def pushed_lines_by_key(store: Store, operation: PushOperation) -> list[Line]:
    """The same for a push of the API, by the key of its first part, which may be read ahead: most have no other."""
    first = store.table.get(keys.pushed_lines(feed_id(operation.connection_id, operation.account_id), operation.key, 0))
    lines = unpack_lines(first["lines"]) if first else []
    return lines if len(lines) == operation.transactions else pushed_lines(store, operation)


def operation_key_for_content(store: Store, feed: str, fingerprint: str) -> str | None:
    """The key of the operation that brought the same content before."""
    item = store.table.get(keys.content(feed, fingerprint))
    return item["operation"] if item else None


def put_content(operation: PushOperation, replaces: str | None) -> Put:
    """Remembers the content; fails if another operation than `replaces` has brought it meanwhile."""
    pk, sk = keys.content(feed_id(operation.connection_id, operation.account_id), operation.content)
    item = {"pk": pk, "sk": sk, "operation": operation.key}
    when = ABSENT if replaces is None else When(equal={"operation": replaces})
    return Put(item | {"expires_at": expiry(operation.requested_on, CONTENT_RETENTION)}, when)


def operation_key_for_idempotency_key(store: Store, company_id: str, idempotency_key: str, now: datetime) -> str | None:
    """The key of the operation that this idempotency key stands for, while it does."""
    item = store.table.get(keys.idempotency(company_id, fingerprint(idempotency_key)))
    return item["operation"] if item and item["until"] >= iso(now) else None


def put_idempotency_key(operation: PushOperation, idempotency_key: str, now: datetime) -> Put:
    """Lets the idempotency key stand for the operation; fails if it stands for one already."""
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


# not ended


def add_open_operation(feed: str, operation: PushOperation) -> Put:
    pk, sk = keys.open_push(feed, operation.through, operation.key)
    return Put({"pk": pk, "sk": sk, "operation": operation.key, "company": operation.company_id})


def remove_open_operation(feed: str, operation: PushOperation) -> Delete:
    return Delete(keys.open_push(feed, operation.through, operation.key))


def open_operations(store: Store, feed: str, after: int = 0, through: int | None = None) -> list[PushOperation]:
    """The feed's operations that wait for lines behind `after`, up to `through`, in the ledger's order."""
    if through is not None and through <= after:
        return []
    end = "OPEN#~" if through is None else f"OPEN#{keys.sequence_text(through)}#~"
    start = f"OPEN#{keys.sequence_text(after + 1)}"
    pointers = list(store.table.query(keys.feed_partition(feed), start=start, end=end))
    wanted = [keys.push_operation(pointer["company"], pointer["operation"]) for pointer in pointers]
    found = store.table.get_many(wanted)
    return [PushOperation.model_validate(found[key]) for key in wanted if key in found]
