"""Push operations as items: the operation, what it brought, and which of a feed's operations have not ended."""

from __future__ import annotations

from bisect import bisect_right
from collections.abc import Iterable, Sequence
from datetime import datetime, timedelta
from itertools import accumulate

from feedlane.clock import iso
from feedlane.errors import Finding, NotFound
from feedlane.feed import feed_id
from feedlane.ids import fingerprint
from feedlane.push_operation import PushOperation
from feedlane.store import keys
from feedlane.store.ledger import packed, unpacked
from feedlane.store.records import changed, expiry, record_in
from feedlane.store.store import Store
from feedlane.store.table import ABSENT, Delete, Key, Put, When
from feedlane.transaction import Line

# Content older than a year is refused by its dates, so that nothing need be remembered for longer.
CONTENT_KEPT = timedelta(days=400)
# As long as Codat does.
KEY_KEPT = timedelta(minutes=90)
MOST_FINDINGS = 1000
# An item has at most 400 KB: of errors, and of warnings, no more than this.
MOST_FINDING_BYTES = 150_000
# What a finding has beside its texts, and an operation beside its findings.
_AROUND_A_FINDING = 100
_OTHER_BYTES = 5_000


def find_operation(store: Store, company_id: str, key: str) -> PushOperation:
    found = existing_operation(store, company_id, key)
    if found is None:
        raise NotFound("push operation", key)
    return found


def existing_operation(store: Store, company_id: str, key: str) -> PushOperation | None:
    return record_in(PushOperation, store.table.get(keys.push_operation(company_id, key)))


def operations(store: Store, company_id: str) -> Iterable[PushOperation]:
    """Newest first."""
    items = store.table.query(keys.pushes(company_id), index=True, reverse=True)
    return map(PushOperation.model_validate, items)


def operations_at(store: Store, wanted: Iterable[Key]) -> dict[Key, PushOperation]:
    """Those of these that there are."""
    return {key: PushOperation.model_validate(item) for key, item in store.table.get_many(wanted).items()}


def put_operation(operation: PushOperation) -> Put:
    """New if its version is 0, else as it was read."""
    trimmed = operation.but(errors=_fitting(operation.errors), warnings=_fitting(operation.warnings))
    key = keys.push_operation(operation.company_id, operation.key)
    listed = f"{iso(operation.requested_on)}#{operation.key}"
    return changed(key, trimmed, gsi1pk=keys.pushes(operation.company_id), gsi1sk=listed)


def size_of(operation: PushOperation) -> int:
    """About how many bytes the operation and the event of its end have as items."""
    return _OTHER_BYTES + sum(map(_bytes, (*_fitting(operation.errors), *_fitting(operation.warnings))))


def _fitting(findings: tuple[Finding, ...]) -> tuple[Finding, ...]:
    """As many as an item has room for, errors and warnings each; how many are left out is said in the last."""
    ends = list(accumulate(map(_bytes, findings)))
    if not findings or (len(findings) <= MOST_FINDINGS and ends[-1] <= MOST_FINDING_BYTES):
        return findings
    room = MOST_FINDING_BYTES - 2 * _AROUND_A_FINDING
    kept = min(MOST_FINDINGS - 1, bisect_right(ends, room))
    left_out = Finding(
        item_id="transactions", message=f"and {len(findings) - kept} more, left out here", validator="More"
    )
    return (*findings[:kept], left_out)


def _bytes(finding: Finding) -> int:
    return len(finding.item_id.encode()) + len(finding.message.encode()) + _AROUND_A_FINDING


# what it brought


def add_pushed(operation: PushOperation, lines: Sequence[Line]) -> list[Put]:
    """The lines of a push, kept until the ledger has them, and for good if it refuses them."""
    feed = feed_id(operation.connection_id, operation.account_id)
    writes = []
    for part, (_, page) in enumerate(packed(lines)):
        pk, sk = keys.pushed(feed, operation.key, part)
        item = {"pk": pk, "sk": sk, "lines": page}
        writes.append(Put(item | {"expires_at": expiry(operation.requested_on, CONTENT_KEPT)}))
    return writes


def pushed_lines(store: Store, operation: PushOperation) -> list[Line]:
    partition = keys.feed_partition(feed_id(operation.connection_id, operation.account_id))
    parts = store.table.query(partition, prefix=f"PUSHED#{operation.key}#")
    return [line for part in parts for line in unpacked(part["lines"])]


def pushed_at_once(store: Store, operation: PushOperation) -> list[Line]:
    """The same for a push of the API, by the key of its first part, which may be read ahead: most have no other."""
    first = store.table.get(keys.pushed(feed_id(operation.connection_id, operation.account_id), operation.key, 0))
    lines = unpacked(first["lines"]) if first else []
    return lines if len(lines) == operation.transactions else pushed_lines(store, operation)


def content_operation(store: Store, feed: str, fingerprint: str) -> str | None:
    """The key of the operation that brought the same content before."""
    item = store.table.get(keys.content(feed, fingerprint))
    return item["operation"] if item else None


def put_content(operation: PushOperation, replaces: str | None) -> Put:
    """Remembers the content; fails if another operation than `replaces` has brought it meanwhile."""
    pk, sk = keys.content(feed_id(operation.connection_id, operation.account_id), operation.content)
    item = {"pk": pk, "sk": sk, "operation": operation.key}
    when = ABSENT if replaces is None else When(equal={"operation": replaces})
    return Put(item | {"expires_at": expiry(operation.requested_on, CONTENT_KEPT)}, when)


def keyed_operation(store: Store, company_id: str, idempotency_key: str, now: datetime) -> str | None:
    """The key of the operation that this idempotency key stands for, while it does."""
    item = store.table.get(keys.idempotency(company_id, fingerprint(idempotency_key)))
    return item["operation"] if item and item["until"] >= iso(now) else None


def put_key(operation: PushOperation, idempotency_key: str, now: datetime) -> Put:
    """Lets the idempotency key stand for the operation; fails if it stands for one already."""
    pk, sk = keys.idempotency(operation.company_id, fingerprint(idempotency_key))
    until = now + KEY_KEPT
    item = {"pk": pk, "sk": sk, "operation": operation.key, "until": iso(until), "expires_at": expiry(now, KEY_KEPT)}
    return Put(item, When(absent=True, before={"until": iso(now)}))


# not ended


def add_open(feed: str, operation: PushOperation) -> Put:
    pk, sk = keys.open_push(feed, operation.through, operation.key)
    return Put({"pk": pk, "sk": sk, "operation": operation.key, "company": operation.company_id})


def remove_open(feed: str, operation: PushOperation) -> Delete:
    return Delete(keys.open_push(feed, operation.through, operation.key))


def open_operations(store: Store, feed: str, after: int = 0, through: int | None = None) -> list[PushOperation]:
    """The feed's operations that wait for lines behind `after`, up to `through`, in the ledger's order."""
    if through is not None and through <= after:
        return []
    end = "OPEN#~" if through is None else f"OPEN#{keys.sequence(through)}#~"
    start = f"OPEN#{keys.sequence(after + 1)}"
    pointers = list(store.table.query(keys.feed_partition(feed), start=start, end=end))
    wanted = [keys.push_operation(pointer["company"], pointer["operation"]) for pointer in pointers]
    found = store.table.get_many(wanted)
    return [PushOperation.model_validate(found[key]) for key in wanted if key in found]
