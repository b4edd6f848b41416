"""Places of keys are found again however many parts there are, and nothing else is."""

from __future__ import annotations

import numpy as np
import polars as pl
from hypothesis import given, settings
from hypothesis import strategies as st

from discourse.tag.input_numbers import halves
from discourse.tag.vector_places import NOWHERE, VectorPlaces


@settings(deadline=None, max_examples=30)
@given(st.lists(st.lists(st.integers(0, 40), max_size=6), max_size=60), st.integers(0, 99))
def test_every_key_is_found_where_it_stands(parts: list[list[int]], seed: int) -> None:
    places = VectorPlaces()
    rng = np.random.default_rng(seed)
    where: dict[int, set[tuple[int, int]]] = {}
    for number, part in enumerate(parts):
        own = rng.random(len(part)) < 0.8
        places.add(halves(pl.Series([f"key {value}" for value in part], dtype=pl.String)), own, number)
        for row in np.flatnonzero(own).tolist():
            where.setdefault(part[row], set()).add((number, row))
    asked = list(range(45))
    found = places.find(halves(pl.Series([f"key {value}" for value in asked])))
    part, row = VectorPlaces.parted(found)
    for value in asked:
        if value in where:
            assert (int(part[value]), int(row[value])) in where[value]
        else:
            assert found[value] == NOWHERE
