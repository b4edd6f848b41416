"""Read labels from the files that annotation tools write, as rows of text that `sheet.read_sheet` checks.

Our own sheet and the report's corrections: one JSON object with `format`. Label Studio: its JSON and JSON-MIN export.
doccano: JSONL with `label` (a list) or `cats`. Potato: see `potato`. In all of them a task carries the comment's id as
`comment_id` (or `id`, `instance_id`), in Label Studio's `data` too.
"""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any, cast

import polars as pl

from discourse.annotate import potato
from discourse.annotate.page import FORMAT
from discourse.errors import InputError

if TYPE_CHECKING:
    from discourse.annotate.sheet import Vocabulary

COLUMNS = ("row", "id", "kind", "level", "value", "hard", "annotator", "design", "round", "labelled_at")
CORRECTIONS = "corrections"
NONE_CHOSEN = {"none", "none of these", "no frame"}
Row = dict[str, Any]


@dataclass(frozen=True, slots=True)
class Export:
    """Labels as text columns `COLUMNS`, `row` counting items from 1; and questions that no label was made of."""

    rows: pl.DataFrame
    left_out: tuple[str, ...]


def read_export(file: Path, vocabulary: Vocabulary) -> Export:
    """Read the labels of a JSON or JSONL file.

    Raises:
        InputError: the file is no JSON, of no known form, or an item names no comment.
    """
    return _export(file, _records(file), vocabulary)


def read_potato_table(file: Path, cells: pl.DataFrame, vocabulary: Vocabulary) -> Export:
    """Read the labels of a table that Potato wrote.

    Raises:
        InputError: it holds no labels, or a row names no comment.
    """
    questions = [*vocabulary.frames, "stance", *(f"stance:{target}" for target in vocabulary.targets)]
    return _export(file, potato.table_records(cells, questions), vocabulary)


def _export(file: Path, records: list[tuple[int, Row]], vocabulary: Vocabulary) -> Export:
    left_out = _other_questions(records, vocabulary)
    rows = [row for number, record in records for row in _item(file, number, _without(record, left_out), vocabulary)]
    if not rows:
        others = f" (questions on other things: {', '.join(left_out)})" if left_out else ""
        raise InputError(f"{file}: holds no labels{others}; label some comments and save again")
    cells = {name: [None if row.get(name) is None else str(row[name]) for row in rows] for name in COLUMNS}
    table = pl.DataFrame(cells, schema=dict.fromkeys(COLUMNS, pl.String)).with_columns(pl.col("row").cast(pl.Int64))
    return Export(table, left_out)


def _other_questions(records: list[tuple[int, Row]], vocabulary: Vocabulary) -> tuple[str, ...]:
    """Return Potato's questions that are about something else: neither by their name nor by any answer a frame."""
    given: dict[str, set[str]] = {}
    for _, record in records:
        for question, chosen in cast("potato.Answers", record.get(potato.ANSWERS, {})).items():
            given.setdefault(question, set()).update(chosen)
    known = {*vocabulary.frames, *({"stance"} if len(vocabulary.targets) == 1 else ())}
    ours = {*vocabulary.frames, *NONE_CHOSEN}
    return tuple(
        question
        for question, chosen in given.items()
        if question not in known and not question.startswith("stance:") and not {each.lower() for each in chosen} & ours
    )


def _without(record: Row, questions: tuple[str, ...]) -> Row:
    if not questions or potato.ANSWERS not in record:
        return record
    kept = {name: chosen for name, chosen in record[potato.ANSWERS].items() if name not in questions}
    return {**record, potato.ANSWERS: kept}


def sheet_name(file: Path) -> str | None:
    """Return the key of the sheet that a file was saved from, so that a later save replaces an earlier one.

    That of a report's corrections starts with `CORRECTIONS`.
    """
    try:
        found = json.loads(file.read_text(encoding="utf-8-sig")) if file.suffix == ".json" else None
    except (OSError, ValueError):
        return None
    if not isinstance(found, dict):
        return None
    whole = cast("Row", found)
    # Potato calls every annotator's file the same.
    person = whole.get("user_id") if potato.STATE in whole else None
    name = str(whole.get("sheet") or person or "") or None
    return f"{CORRECTIONS} {name}" if name and whole.get("corrections") else name


def _records(file: Path) -> list[tuple[int, Row]]:
    try:
        text = file.read_text(encoding="utf-8-sig")
    except OSError as e:
        raise InputError(f"{file}: cannot be read ({e.strerror}); name a file of labels") from e
    except UnicodeDecodeError as e:
        raise InputError(f"{file}: is not UTF-8 text; export it again as JSON") from e
    if file.suffix.lower() == ".jsonl":
        lines = [(number, line) for number, line in enumerate(text.splitlines(), 1) if line.strip()]
        found = [(number, _parsed(file, line, f"line {number}: ")) for number, line in lines]
    else:
        whole = _parsed(file, text, "")
        if isinstance(whole, dict) and cast("Row", whole).get("format") == FORMAT:
            whole = _own(file, cast("Row", whole))
        if isinstance(whole, dict) and isinstance(cast("Row", whole).get(potato.STATE), dict):
            whole = list(potato.state_records(cast("Row", whole)))
        if not isinstance(whole, list):
            raise InputError(f"{file}: is no file of labels; give a sheet's JSON, or an export of a known tool")
        found = list(enumerate(cast("list[Any]", whole), 1))
    for number, record in found:
        if not isinstance(record, dict):
            raise InputError(f"{file}: item {number}: is no object; export it again")
    return [(number, _answered(record)) for number, record in cast("list[tuple[int, Row]]", found)]


def _answered(record: Row) -> Row:
    """Bring Potato's JSONL of either version to the form of its state files."""
    labels = record.get("labels") if "instance_id" in record else None
    stored = record.get("label_annotations", labels if isinstance(labels, dict) else None)
    if stored is None or isinstance(record.get("data"), dict):
        return record
    return {key: value for key, value in record.items() if key != "labels"} | {potato.ANSWERS: potato.answers(stored)}


def _parsed(file: Path, text: str, place: str) -> Any:  # noqa: ANN401  # JSON is of any type
    try:
        return json.loads(text)
    except (ValueError, RecursionError) as e:
        raise InputError(f"{file}: {place}is not valid JSON ({str(e)[:80]}); export it again") from e


def _own(file: Path, whole: Row) -> list[Any]:
    if whole.get("version") != 1:
        raise InputError(f"{file}: has version {str(whole.get('version'))[:20]}, this program reads version 1")
    items = whole.get("items")
    if not isinstance(items, list):
        raise InputError(f"{file}: has no list of items; save the labels again")
    shared = {"kind": whole.get("kind"), "level": whole.get("level"), "round": whole.get("round") or 0, "own": True}
    # A reader corrects what meets the eye: with what chance a comment does is not known, whatever an item says.
    fixed = {"design": "unknown", "round": 0} if whole.get(CORRECTIONS) else {}
    return [
        {**shared, **cast("Row", item), **fixed} if isinstance(item, dict) else item
        for item in cast("list[Any]", items)
    ]


def _item(file: Path, number: int, record: Row, vocabulary: Vocabulary) -> Iterator[Row]:
    if record.get("own"):
        hard = "yes" if record.get("hard") else "no"
        yield {
            **record,
            "row": number,
            "id": _name(file, number, record),
            "hard": hard,
            "labelled_at": record.get("at"),
        }
        return
    data = record.get("data")
    about = cast("Row", data) if isinstance(data, dict) else record
    name = _name(file, number, {**record, **about, "id": about.get("id", record.get("id"))})
    for choice, values, who, when in _choices(file, number, record, vocabulary):
        for kind, level, value in _levels(file, number, choice, values, vocabulary):
            yield {
                "row": number,
                "id": name,
                "kind": kind,
                "level": level,
                "value": value,
                "annotator": who,
                "labelled_at": when,
            }


def _name(file: Path, number: int, record: Row) -> str:
    found = record.get("comment_id", record.get("instance_id", record.get("id")))
    if not isinstance(found, str | int) or str(found) == "":
        raise InputError(f"{file}: item {number}: names no comment; keep the column comment_id in the tool's data")
    return str(found)


def _choices(
    file: Path, number: int, record: Row, vocabulary: Vocabulary
) -> Iterator[tuple[str, list[str], str | None, str | None]]:
    """Yield what was chosen under which name, by whom and when, in the form of each tool."""
    if isinstance(record.get("annotations"), list):  # Label Studio
        yield from _label_studio(file, number, record)
    elif potato.ANSWERS in record:  # Potato; a choice among frames with nothing chosen was not answered
        for question, chosen in cast("potato.Answers", record[potato.ANSWERS]).items():
            if chosen or question in vocabulary.frames or question.startswith("stance"):
                yield question, chosen, _who(record), None
    elif any(key in record for key in ("label", "labels", "cats")):  # doccano
        chosen = record.get("label", record.get("labels", record.get("cats")))
        if isinstance(chosen, dict):
            chosen = [key for key, on in cast("Row", chosen).items() if on]
        yield "label", _texts(chosen), _who(record), None
    else:  # one object for each task with the choices by name: Label Studio JSON-MIN
        for name, chosen in record.items():
            if name in vocabulary.frames or name == "stance" or name.startswith("stance:"):
                yield name, _texts(chosen), _who(record), record.get("created_at")


def _label_studio(file: Path, number: int, record: Row) -> Iterator[tuple[str, list[str], str | None, str | None]]:
    for annotation in _objects(file, number, record["annotations"]):
        if annotation.get("was_cancelled"):
            continue
        by = annotation.get("completed_by")
        by = cast("Row", by).get("email", cast("Row", by).get("id")) if isinstance(by, dict) else by
        who = None if by is None else str(by)
        for result in _objects(file, number, annotation.get("result") or []):
            value = result.get("value")
            chosen = cast("Row", value).get("choices") if isinstance(value, dict) else None
            if chosen is not None:
                yield str(result.get("from_name")), _texts(chosen), who, annotation.get("created_at")


def _objects(file: Path, number: int, found: object) -> list[Row]:
    if not isinstance(found, list) or not all(isinstance(each, dict) for each in cast("list[Any]", found)):
        raise InputError(f"{file}: item {number}: is no annotation of Label Studio; export it again as JSON")
    return cast("list[Row]", found)


def _who(record: Row) -> str | None:
    found = record.get(
        "annotator", record.get("username", record.get("user", record.get("user_id", record.get("annotator_id"))))
    )
    return None if found is None else str(found)


def _texts(chosen: object) -> list[str]:
    if chosen is None or chosen == "":
        return []
    if isinstance(chosen, Mapping):
        return _texts(cast("Row", chosen).get("choices"))
    return [str(each) for each in cast("list[object]", chosen)] if isinstance(chosen, list) else [str(chosen)]


def _levels(
    file: Path, number: int, name: str, chosen: Sequence[str], vocabulary: Vocabulary
) -> list[tuple[str, str, str | None]]:
    """Turn one question's answer into labels: a frame's yes or no, a stance, or a choice among frames."""
    if name in vocabulary.frames:
        return [("frame", name, chosen[0] if chosen else None)]
    if name.startswith("stance:"):
        return [("stance", name.removeprefix("stance:"), chosen[0] if chosen else None)]
    if name == "stance" and len(vocabulary.targets) == 1:
        return [("stance", vocabulary.targets[0], chosen[0] if chosen else None)]
    strange = [each for each in chosen if each not in vocabulary.frames and each.lower() not in NONE_CHOSEN]
    if strange:
        raise InputError(
            f'{file}: item {number}: "{name[:40]}" holds "{strange[0][:40]}"; allowed: {", ".join(vocabulary.frames)}, '
            'or a question named after a frame, or "stance:<target>"'
        )
    return [("frame", frame, "yes" if frame in chosen else "no") for frame in vocabulary.frames]
