"""Labels as Potato keeps them: one state file for each annotator, or a table with a column for each answer.

Version 2 writes `user_state.json` (answers as pairs of a question and a value, or nested by question) and exports CSV,
TSV and JSONL with `instance_id`, `user_id` and columns `question.answer`. Version 1 writes `annotated_instances` as
JSONL with `label_annotations`, or as CSV and TSV with `user`, `instance_id` and columns `question:::answer`.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from typing import Any, cast

import polars as pl

STATE = "instance_id_to_label_to_value"
ITEM = "instance_id"
ANSWERS = "potato:answers"  # our own key in a record; no tool's column is called so
PEOPLE = ("user_id", "user", "annotator")
BESIDE = {ITEM, *PEOPLE, "displayed_text", "text", "annotator_origin", "annotator_origin_detail"}
Row = dict[str, Any]
Answers = dict[str, list[str]]


def is_chosen(value: object) -> bool:
    """Say whether a stored value means that an answer was chosen; "0" does, it may be the answer's key."""
    return value is not None and value is not False and str(value).strip().lower() not in {"", "false"}


def answers(stored: object) -> Answers:
    """Return the answers chosen to each question of one item, in any of the forms that Potato writes."""
    found: Answers = {}
    if isinstance(stored, Mapping):
        for question, chosen in cast("Row", stored).items():
            found[question] = _chosen(chosen)
    elif isinstance(stored, Sequence) and not isinstance(stored, str):
        for pair in cast("Sequence[Any]", stored):
            question, answer, value = _pair(pair)
            named = found.setdefault(question, []) if question else []
            if is_chosen(value):
                named.append(answer or str(value))
    return found


def state_records(state: Row) -> Iterator[Row]:
    """Return the items of an annotator's state file as records with `instance_id`, `ANSWERS` and `annotator`."""
    for item, stored in cast("Row", state[STATE]).items():
        yield {ITEM: item, ANSWERS: answers(stored), "annotator": state.get("user_id")}


def is_table(columns: Sequence[str]) -> bool:
    """Say whether a table is one of Potato's: an item and a person in each row, and columns of answers."""
    return ITEM in columns and any(name in columns for name in PEOPLE)


def table_records(cells: pl.DataFrame, questions: Sequence[str]) -> list[tuple[int, Row]]:
    """Return the rows of a table as records with `instance_id`, `ANSWERS` and `annotator`, each with its line.

    Args:
        cells: text columns.
        questions: names of questions that are known, which may hold a dot.
    """
    who = next(name for name in PEOPLE if name in cells.columns)
    columns = {name: _split(name, questions) for name in cells.columns if name not in BESIDE}
    return [(line, _record(row, columns, who)) for line, row in enumerate(cells.iter_rows(named=True), start=2)]


def _record(row: Row, columns: Mapping[str, tuple[str, str]], who: str) -> Row:
    found: Answers = {}
    for name, (question, answer) in columns.items():
        chosen = found.setdefault(question, [])
        # The column of a question as such repeats what its answers say, or is all that there is.
        if is_chosen(row[name]):
            chosen.append(answer or str(row[name]))
    return {
        ITEM: row[ITEM],
        ANSWERS: {key: list(dict.fromkeys(each)) for key, each in found.items()},
        "annotator": row[who],
    }


def _split(column: str, questions: Sequence[str]) -> tuple[str, str]:
    """Return the question and the answer that a column stands for; no answer where the cell holds it."""
    if ":::" in column:
        question, _, answer = column.partition(":::")
        return question, answer
    known = max((name for name in questions if column == name or column.startswith(f"{name}.")), key=len, default=None)
    if known is not None:
        return known, column[len(known) + 1 :]
    question, dot, answer = column.rpartition(".")
    return (question, answer) if dot else (column, "")


def _chosen(stored: object) -> list[str]:
    if isinstance(stored, Mapping):
        named = cast("Row", stored)
        inner = named.get("labels")
        if isinstance(inner, Mapping):
            named = cast("Row", inner)
        return [answer for answer, value in named.items() if is_chosen(value)]
    if isinstance(stored, list):
        return [str(each) for each in cast("list[Any]", stored)]
    return [str(stored)] if is_chosen(stored) else []


def _pair(pair: object) -> tuple[str, str, object]:
    if isinstance(pair, Sequence) and not isinstance(pair, str):
        parts = cast("Sequence[Any]", pair)
        if len(parts) == 2 and isinstance(parts[0], Mapping):
            about = cast("Row", parts[0])
            return str(about.get("schema", "")), str(about.get("name", "")), parts[1]
        if len(parts) == 2:
            return str(parts[0]), "", parts[1]
    return "", "", None
