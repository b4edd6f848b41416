"""The contract of the tables."""

from __future__ import annotations

from pathlib import Path

import polars as pl
import pytest

from discourse import aggregate, annotate, collect, normalize, report, tag
from discourse.tables import COMMENTS, QUARANTINE, TABLES, Reason, Table
from discourse.workspace import Workspace


@pytest.mark.parametrize("table", TABLES.values(), ids=TABLES)
def test_an_empty_table_survives_the_disk(table: Table, tmp_path: Path) -> None:
    workspace = Workspace(tmp_path)
    workspace.write(table, table.empty())
    assert workspace.read(table).schema == table.schema


@pytest.mark.parametrize("stage", [collect, normalize, tag, annotate, aggregate, report], ids=lambda s: s.__name__)
def test_a_stage_writes_only_its_own_tables(stage: object) -> None:
    name = stage.__name__.rpartition(".")[2]  # type: ignore[attr-defined]
    assert {table.stage for table in stage.WRITES} <= {name}  # type: ignore[attr-defined]


def quarantine(**changes: object) -> pl.DataFrame:
    row = {"source": "a.csv", "location": "row 2", "thread_id": None, "reason": "empty", "excerpt": ""}
    return pl.DataFrame([{**row, **changes}], schema_overrides={"thread_id": pl.String})


def test_absent_columns_become_null_and_order_is_fixed() -> None:
    frame = QUARANTINE.conform(quarantine().select("reason", "location", "source"))
    assert frame.columns == list(QUARANTINE.columns)
    assert frame["excerpt"].to_list() == [None]


@pytest.mark.parametrize(
    ("frame", "said"),
    [
        (quarantine(colour="red"), "colour"),
        (quarantine(source=None), "source has 1 nulls"),
        (quarantine(reason="because"), "because"),
        (pl.concat([quarantine(), quarantine()]), "repeats"),
    ],
    ids=["unknown column", "null", "vocabulary", "key"],
)
def test_what_does_not_conform_is_refused(frame: pl.DataFrame, said: str) -> None:
    with pytest.raises(ValueError, match=said):
        QUARANTINE.conform(frame)


def test_reasons_are_a_closed_vocabulary() -> None:
    assert QUARANTINE.columns["reason"].values is Reason
    assert COMMENTS.key == ("comment_id",)
