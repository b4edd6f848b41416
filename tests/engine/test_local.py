"""The engine that is there without Ray, and what is said where Ray is asked for and missing."""

from __future__ import annotations

from dataclasses import dataclass, field
from pathlib import Path

import polars as pl
import pytest

from discourse import engine
from discourse.config import Config, parse_config
from discourse.engine import LOCAL, open_engine
from discourse.errors import UsageError
from discourse.progress import Advance


@dataclass
class Noting:
    """Notes the shards that it is given."""

    heights: list[int] = field(default_factory=list[int])

    def __call__(self, shard: pl.DataFrame, advance: Advance) -> None:
        self.heights.append(shard.height)
        advance(shard.height)


def test_the_local_engine_works_here_in_the_order_of_shards(tmp_path: Path) -> None:
    work, done = Noting(), list[int]()
    shards = (pl.DataFrame({"text": ["a"] * rows}) for rows in (3, 1, 2))
    with open_engine(Config(), tmp_path) as chosen:
        assert chosen is LOCAL
        chosen.each(work, shards, lambda done_now=1: done.append(done_now))
    assert work.heights == done == [3, 1, 2]
    assert not list(tmp_path.iterdir())


def test_without_ray_one_sentence_says_what_to_install(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.setattr(engine, "find_spec", lambda _: None)
    with (
        pytest.raises(UsageError, match=r"not installed: pip install"),
        open_engine(parse_config({"engine": "ray"}), tmp_path),
    ):
        pass
