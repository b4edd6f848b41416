"""Values in JSON of which nothing is sure: each function gives what was promised, or None."""

from __future__ import annotations

import math
from collections.abc import Iterator
from typing import cast

from discourse.collect.answers import Json

Object = dict[str, Json]


def as_object(value: Json) -> Object:
    """Return an object; an empty one for anything else."""
    return cast("Object", value) if isinstance(value, dict) else {}


def as_list(value: Json) -> list[Json]:
    """Return a list; an empty one for anything else."""
    return value if isinstance(value, list) else []


def objects(value: Json) -> Iterator[Object]:
    """Yield the objects in a list, in order; what is no object is left out."""
    for one in as_list(value):
        if isinstance(one, dict):
            yield one


def at(value: Json, *path: str | int) -> Json:
    """Return the value at a path of keys and list positions, or None where the path breaks off."""
    for step in path:
        if isinstance(step, str):
            value = as_object(value).get(step)
        else:
            items = as_list(value)
            value = items[step] if -len(items) <= step < len(items) else None
    return value


def text_at(value: Json, *path: str | int) -> str | None:
    """Return the text at a path; None for what is no text, and for an empty one."""
    found = at(value, *path)
    return found if isinstance(found, str) and found else None


def name_at(value: Json, *path: str | int) -> str | None:
    """Return an id at a path as text: texts and whole numbers are ids, and nothing else is."""
    found = at(value, *path)
    if isinstance(found, bool):
        return None
    if isinstance(found, int):
        return str(found)
    return found.strip() or None if isinstance(found, str) else None


def count_at(value: Json, *path: str | int) -> int | None:
    """Return a count of at least 0 at a path: a whole number, or one written as text."""
    found = number_at(value, *path)
    return int(found) if found is not None and found >= 0 else None


def number_at(value: Json, *path: str | int) -> float | None:
    """Return a finite number at a path, also one written as text."""
    found = at(value, *path)
    if isinstance(found, bool) or not isinstance(found, int | float | str):
        return None
    try:
        number = float(found)
    except (ValueError, OverflowError):
        return None
    return number if math.isfinite(number) and abs(number) < 2**53 else None


def flag_at(value: Json, *path: str | int) -> bool:
    """Return whether the value at a path says yes: true, 1, or a word for it."""
    found = at(value, *path)
    if isinstance(found, str):
        return found.strip().lower() in {"true", "1", "yes"}
    return found is True or found == 1
