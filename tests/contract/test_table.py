"""The table port: the fake in memory and DynamoDB answer the same to every write that the domain relies on."""

from __future__ import annotations

import uuid

import pytest
from botocore.exceptions import ClientError, ParamValidationError

from feedlane.store.table import (
    ABSENT,
    ALWAYS,
    EXISTS,
    WRITES_PER_COMMIT_MAX,
    Add,
    Condition,
    ConditionFailed,
    Delete,
    Index,
    Item,
    ItemNamedTwice,
    Key,
    Put,
    Table,
    When,
    Write,
)
from tests.contract.conftest import NOWHERE, THERE

# items


def test_an_item_comes_back_as_it_was_put(table: Table) -> None:
    pk = _partition()
    nested = {"none": None, "list": [1, "two", None, {"deep": False}], "raw": b"\x00\xff", "empty": ""}
    item = {"pk": pk, "sk": "1", "text": "ä€", "number": -5, "flag": True, "raw": b"\x00\x01", "nested": nested}
    table.commit(Put(item))

    assert table.get((pk, "1")) == item
    assert table.get((pk, "2")) is None


def test_a_field_that_is_none_is_not_there(table: Table) -> None:
    pk = _partition()
    table.commit(Put({"pk": pk, "sk": "1", "nothing": None}))

    assert table.get((pk, "1")) == {"pk": pk, "sk": "1"}
    table.commit(Put({"pk": pk, "sk": "1"}, When(equal={"pk": pk})))


def test_what_was_read_can_be_changed_without_changing_the_table(table: Table) -> None:
    pk = _partition()
    table.commit(Put({"pk": pk, "sk": "1", "list": [1]}))
    read = table.get((pk, "1"))
    assert read is not None
    read["list"].append(2)

    assert table.get((pk, "1")) == {"pk": pk, "sk": "1", "list": [1]}


# conditions


@pytest.mark.parametrize(
    ("when", "of_absent", "of_present"),
    [
        (ALWAYS, True, True),
        (ABSENT, True, False),
        (EXISTS, False, True),
        (When(equal={"number": 5}), False, True),
        (When(equal={"number": 6}), False, False),
        (When(equal={"number": 5, "text": "b"}), False, True),
        (When(equal={"number": 5, "text": "c"}), False, False),
        (When(equal={"unknown": 5}), False, False),
        (When(equal={"flag": False}), False, True),
        (When(before={"text": "c"}), False, True),
        (When(before={"text": "b"}), False, False),
        (When(before={"unknown": "c"}), False, False),
        (When(before={"number": 6}), False, True),
        (When(equal={"number": 5}, before={"text": "c"}), False, True),
        (When(equal={"number": 6}, before={"text": "c"}), False, False),
        (When(absent=True, equal={"number": 5}), True, True),
        (When(absent=True, equal={"number": 6}), True, False),
        (When(absent=True, before={"text": "c"}), True, True),
        (When(absent=True, before={"text": "a"}), True, False),
        (When(absent=True, equal={"number": 5}, before={"text": "a"}), True, False),
        (When(exists=True, equal={"number": 5}), False, True),
        (When(exists=True, equal={"number": 6}), False, False),
    ],
    ids=str,
)
@pytest.mark.parametrize("kind", ["put", "delete", "condition", "add"])
def test_a_condition_lets_a_write_pass_or_stops_it(
    table: Table, kind: str, when: When, of_absent: bool, of_present: bool
) -> None:
    if kind == "condition" and when == ALWAYS:
        pytest.skip("a condition that is always met is no condition")
    for key, is_present, passes in ((NOWHERE, False, of_absent), (THERE, True, of_present)):
        before = {"pk": key[0], "sk": key[1], "number": 5, "text": "b", "flag": False} if is_present else None
        if before:
            table.commit(Put(before))
        write, after = _write(kind, key, when, before)
        if passes:
            table.commit(write)
            assert table.get(key) == after
        else:
            with pytest.raises(ConditionFailed) as failed:
                table.commit(write)
            assert failed.value.keys == (key,)
            assert table.get(key) == before


def test_one_failed_condition_stops_the_whole_commit_and_each_is_named(table: Table) -> None:
    pk = _partition()
    table.commit(Put({"pk": pk, "sk": "old"}))
    writes: list[Write] = [
        Put({"pk": pk, "sk": "new"}, ABSENT),
        Put({"pk": pk, "sk": "old", "changed": 1}, ABSENT),
        Delete((pk, "gone"), EXISTS),
        Condition((pk, "other"), EXISTS),
        Add((pk, "count"), "sum", 1),
    ]
    with pytest.raises(ConditionFailed) as failed:
        table.commit(*writes)

    assert failed.value.keys == ((pk, "old"), (pk, "gone"), (pk, "other"))
    assert list(table.query(pk)) == [{"pk": pk, "sk": "old"}]


# additions


def test_an_addition_counts_from_nothing_and_writes_along(table: Table) -> None:
    key = (_partition(), "1")
    table.commit(Add(key, "sum", 3, set={"mark": "a", "raw": b"\x01"}))
    table.commit(Add(key, "sum", -5, set={"mark": "b"}))
    table.commit(Add(key, "other", 0))

    assert table.get(key) == {"pk": key[0], "sk": "1", "sum": -2, "other": 0, "mark": "b", "raw": b"\x01"}


def test_an_addition_removes_fields_and_with_them_the_item_from_its_list(table: Table) -> None:
    pk, listed = _partition(), _partition()
    table.commit(Add((pk, "1"), "sum", 1, set={"gsi1pk": listed, "gsi1sk": "one", "mark": "a"}))
    assert [item["sk"] for item in table.query(listed, index=Index.LISTS)] == ["1"]
    table.commit(Add((pk, "1"), "sum", 1, set={"mark": "b"}, remove=("gsi1pk", "gsi1sk", "never-there")))

    assert table.get((pk, "1")) == {"pk": pk, "sk": "1", "sum": 2, "mark": "b"}
    assert list(table.query(listed, index=Index.LISTS)) == []


def test_an_addition_stops_at_its_limit(table: Table) -> None:
    key = (_partition(), "1")
    for _ in range(2):
        table.commit(Add(key, "sum", 1, below=2))
    with pytest.raises(ConditionFailed) as failed:
        table.commit(Add(key, "sum", 1, below=2))

    assert failed.value.keys == (key,)
    assert table.get(key) == {"pk": key[0], "sk": "1", "sum": 2}


@pytest.mark.parametrize(
    ("when", "below", "passes"),
    [
        (When(equal={"mark": "a"}), 6, True),
        (When(equal={"mark": "a"}), 5, False),
        (When(equal={"mark": "b"}), 6, False),
        (When(absent=True, equal={"mark": "a"}), 6, True),
        (When(absent=True, equal={"mark": "a"}), 5, False),
        (ABSENT, 6, False),
    ],
    ids=str,
)
def test_an_addition_needs_both_its_condition_and_its_limit(table: Table, when: When, below: int, passes: bool) -> None:
    key = (_partition(), "1")
    table.commit(Put({"pk": key[0], "sk": "1", "sum": 5, "mark": "a"}))
    addition = Add(key, "sum", 1, when=when, below=below)
    if passes:
        table.commit(addition)
    else:
        with pytest.raises(ConditionFailed):
            table.commit(addition)

    assert (table.get(key) or {})["sum"] == (6 if passes else 5)


def test_an_addition_to_a_field_that_is_not_there_is_below_every_limit(table: Table) -> None:
    key = (_partition(), "1")
    table.commit(Put({"pk": key[0], "sk": "1"}))
    table.commit(Add(key, "sum", 1, below=1))

    assert table.get(key) == {"pk": key[0], "sk": "1", "sum": 1}


# commits


def test_a_commit_takes_a_hundred_writes_of_every_kind(table: Table) -> None:
    pk = _partition()
    table.put_many({"pk": pk, "sk": f"old-{n:02d}"} for n in range(50))
    puts: list[Write] = [Put({"pk": pk, "sk": f"new-{n:02d}", "raw": b"\xff"}, ABSENT) for n in range(40)]
    additions: list[Write] = [Add((pk, f"sum-{n}"), "sum", n) for n in range(10)]
    deletions: list[Write] = [Delete((pk, f"old-{n:02d}"), EXISTS) for n in range(40)]
    conditions: list[Write] = [Condition((pk, f"old-{n:02d}"), EXISTS) for n in range(40, 50)]
    table.commit(*puts, *additions, *deletions, *conditions)

    assert len(list(table.query(pk, prefix="new-"))) == 40
    assert [item["sk"] for item in table.query(pk, prefix="old-")] == [f"old-{n}" for n in range(40, 50)]
    assert [item["sum"] for item in table.query(pk, prefix="sum-")] == list(range(10))


def test_a_commit_takes_no_more_than_a_hundred_writes(table: Table) -> None:
    pk = _partition()
    with pytest.raises((ValueError, ClientError)):
        table.commit(*(Put({"pk": pk, "sk": str(n)}) for n in range(WRITES_PER_COMMIT_MAX + 1)))

    assert list(table.query(pk)) == []


def test_a_commit_has_at_least_one_write(table: Table) -> None:
    with pytest.raises((ValueError, ParamValidationError)):
        table.commit()


@pytest.mark.parametrize("first", ["put", "delete", "condition", "add"])
@pytest.mark.parametrize("second", ["put", "delete", "condition", "add"])
def test_a_commit_that_names_an_item_twice_is_refused_whatever_it_does_with_it(
    table: Table, first: str, second: str
) -> None:
    pk = _partition()
    key = (pk, "twice")
    table.commit(Put({"pk": pk, "sk": "twice"}))
    writes = [_write(kind, key, EXISTS, None)[0] for kind in (first, second)]
    with pytest.raises(ItemNamedTwice) as refused:
        table.commit(writes[0], Put({"pk": pk, "sk": "other"}), writes[1])

    assert refused.value.keys == (key,)
    assert list(table.query(pk)) == [{"pk": pk, "sk": "twice"}]


def test_an_item_named_twice_is_no_failed_condition_that_an_attempt_would_repeat(table: Table) -> None:
    pk = _partition()
    with pytest.raises(ItemNamedTwice) as refused:
        table.commit(Put({"pk": pk, "sk": "1"}, EXISTS), Put({"pk": pk, "sk": "1"}, ABSENT))

    assert not isinstance(refused.value, ConditionFailed)


def test_batches_that_name_an_item_twice_are_refused(table: Table) -> None:
    pk = _partition()
    with pytest.raises(ItemNamedTwice):
        table.put_many([{"pk": pk, "sk": "1"}, {"pk": pk, "sk": "2"}, {"pk": pk, "sk": "1", "changed": True}])
    assert list(table.query(pk)) == []

    table.put_many([{"pk": pk, "sk": "1"}])
    with pytest.raises(ItemNamedTwice):
        table.delete_many([(pk, "1"), (pk, "1")])
    assert list(table.query(pk)) == [{"pk": pk, "sk": "1"}]


def _partition() -> str:
    return str(uuid.uuid4())


def _write(kind: str, key: Key, when: When, before: Item | None) -> tuple[Write, Item | None]:
    """A write of this kind, and the item after it."""
    pk, sk = key
    match kind:
        case "put":
            return Put({"pk": pk, "sk": sk, "put": 1}, when), {"pk": pk, "sk": sk, "put": 1}
        case "delete":
            return Delete(key, when), None
        case "condition":
            return Condition(key, when), before
        case _:
            after = (before or {"pk": pk, "sk": sk}) | {"sum": 2, "mark": "set"}
            return Add(key, "sum", 2, set={"mark": "set"}, when=when), after
