"""The table port: the fake in memory and DynamoDB answer the same to every query and batch."""

from __future__ import annotations

import uuid
from typing import Any

from feedlane.store.table import Delete, Index, Put, Table

# Eight of these are more than the megabyte that DynamoDB answers at once.
LARGE = b"\x00" * 300_000


# queries


def test_a_query_answers_a_partition_in_the_order_of_its_sort_keys(table: Table) -> None:
    pk = _partition()
    table.put_many({"pk": pk, "sk": sk} for sk in ("B#2", "a", "B#10", "A", "B#1", "~"))
    table.put_many([{"pk": f"{pk}-other", "sk": "B#1"}])

    assert _keys(table.query(pk)) == ["A", "B#1", "B#10", "B#2", "a", "~"]
    assert _keys(table.query(pk, reverse=True)) == ["~", "a", "B#2", "B#10", "B#1", "A"]
    assert _keys(table.query(pk, prefix="B#")) == ["B#1", "B#10", "B#2"]
    assert _keys(table.query(pk, prefix="B#", reverse=True, limit=2)) == ["B#2", "B#10"]
    assert _keys(table.query(pk, start="B#10")) == ["B#10", "B#2", "a", "~"]
    assert _keys(table.query(pk, end="B#10")) == ["A", "B#1", "B#10"]
    assert _keys(table.query(pk, start="B#1", end="B#2")) == ["B#1", "B#10", "B#2"]
    assert _keys(table.query(pk, start="B#1", end="B#2", reverse=True, limit=1)) == ["B#2"]
    assert _keys(table.query(pk, limit=0)) == []
    assert _keys(table.query(pk, limit=100)) == ["A", "B#1", "B#10", "B#2", "a", "~"]
    assert _keys(table.query(_partition())) == []


def test_a_query_answers_all_of_a_partition_larger_than_a_page(table: Table) -> None:
    pk = _partition()
    for n in range(8):
        table.commit(Put({"pk": pk, "sk": f"page-{n}", "raw": LARGE}))

    assert _keys(table.query(pk)) == [f"page-{n}" for n in range(8)]
    assert _keys(table.query(pk, reverse=True)) == [f"page-{n}" for n in reversed(range(8))]
    assert _keys(table.query(pk, limit=6)) == [f"page-{n}" for n in range(6)]
    assert all(item["raw"] == LARGE for item in table.query(pk, start="page-6"))


def test_the_index_lists_across_partitions_what_asks_to_be_listed(table: Table) -> None:
    # Given items of several partitions, two of them in the same list, and one in none
    pk, listed = _partition(), _partition()
    table.commit(
        Put({"pk": pk, "sk": "1", "gsi1pk": listed, "gsi1sk": "b"}),
        Put({"pk": f"{pk}-2", "sk": "1", "gsi1pk": listed, "gsi1sk": "a", "raw": b"\x01"}),
        Put({"pk": f"{pk}-3", "sk": "1"}),
    )
    assert [item["pk"] for item in table.query(listed, index=Index.LISTS)] == [f"{pk}-2", pk]
    assert [item["pk"] for item in table.query(listed, index=Index.LISTS, reverse=True, limit=1)] == [pk]
    assert [item["raw"] for item in table.query(listed, index=Index.LISTS, end="a")] == [b"\x01"]

    # When one is deleted and one rewritten without the list, then neither is in it
    table.commit(Delete((f"{pk}-2", "1")), Put({"pk": pk, "sk": "1"}))
    assert list(table.query(listed, index=Index.LISTS)) == []


def test_the_due_index_answers_the_keys_of_what_is_due_in_order(table: Table) -> None:
    # Given items with the index's keys, two of them due at the same time, and one that is no longer listed
    pk, due = _partition(), _partition()
    for sk, at in (("1", "2026-03-01T10:10Z"), ("2", "2026-03-01T10:05Z"), ("3", "2026-03-01T10:05Z")):
        table.commit(Put({"pk": pk, "sk": sk, "gsi2pk": due, "gsi2sk": at, "gsi1pk": due, "gsi1sk": "a", "more": 1}))
    table.commit(Put({"pk": pk, "sk": "3", "more": 2}))

    # Then only keys are answered, the earliest first
    earliest = {"pk": pk, "sk": "2", "gsi2pk": due, "gsi2sk": "2026-03-01T10:05Z"}
    assert [item["sk"] for item in table.query(due, index=Index.DUE)] == ["2", "1"]
    assert list(table.query(due, end="2026-03-01T10:05Z", limit=5, index=Index.DUE)) == [earliest]


# many at once


def test_many_are_put_read_and_deleted_in_any_number(table: Table) -> None:
    pk = _partition()
    keys = [(pk, f"{n:03d}") for n in range(230)]
    table.put_many({"pk": pk, "sk": sk, "raw": sk.encode()} for _, sk in keys)
    table.put_many([{"pk": pk, "sk": "000", "changed": True}])

    items = table.get_many([*keys, *keys, (pk, "missing")])
    assert set(items) == set(keys)
    assert items[pk, "000"] == {"pk": pk, "sk": "000", "changed": True}
    assert items[pk, "229"] == {"pk": pk, "sk": "229", "raw": b"229"}

    table.delete_many([*keys[:60], (pk, "missing")])
    assert len(list(table.query(pk))) == 170
    assert table.get_many([]) == {}
    table.put_many([])
    table.delete_many([])


def _partition() -> str:
    return str(uuid.uuid4())


def _keys(items: Any) -> list[str]:
    return [item["sk"] for item in items]
