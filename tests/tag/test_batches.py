"""Tagging some whole threads at a time gives what tagging all at once does, and reads every input once."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import polars as pl
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from discourse.config import FilterConfig, parse_config
from discourse.models.bundle import Bundle, load_bundle
from discourse.models.encoder import Encoder, load_encoder
from discourse.models.frame_inputs import FrameInput
from discourse.models.frames import FramesModel
from discourse.tables import ATTRIBUTES, COMMENTS, SCORES
from discourse.tables import Path as TagPath
from discourse.tag.batches import EligibleBatches, ThreadBatches
from discourse.tag.cascade import way_of
from discourse.tag.fit import check_bundle
from discourse.tag.frames import frame_batches, tag_frames
from discourse.tag.input_numbers import cut_shards, number_keys
from discourse.tag.stance import read_stance, stance_batches
from discourse.tag.text_only import in_chosen_threads, read_alone
from discourse.workspace import Workspace

TARGETS = ("the toll bridge", "lamps")
TEXTS = (
    "They watch us through every lamp. It scares me.",
    "The toll bridge is a wonderful idea and I support the toll bridge with all my heart.",
    "Same here.",
    "The lamps of the toll bridge are a shame and we oppose them.",
    "A lovely pie.",
)
THREADS = pl.DataFrame({"thread_id": ["file:a", "file:b", "file:c"], "title": ["Lamps", "Bridges", "Pies"]})
COLUMNS = ("comment_id", "thread_id", "parent_id", "reply_kind", "state", "role", "created_at", "text", "language")


@pytest.fixture(scope="module")
def encoder() -> Encoder:
    """The default encoder."""
    return load_encoder()


def table() -> pl.DataFrame:
    """Three threads with the same five texts, in which each comment answers the one before it."""
    rows = [
        {
            "comment_id": f"{thread}{place}",
            "thread_id": f"file:{thread}",
            "parent_id": f"{thread}{place - 1}" if place else None,
            "reply_kind": "reply" if place else "top",
            "depth": place,
            "position": place,
            "state": "visible",
            "role": "user",
            "text": text if (thread, place) != ("b", 4) else "Esto no me gusta nada",
            "language": "en" if (thread, place) != ("b", 4) else "es",
            "created_precision": "unknown",
            "quotes": [],
            "links": [],
            "raw": {"file": "raw/a", "offset": place},
        }
        for thread in "abc"
        for place, text in enumerate(TEXTS)
    ]
    return COMMENTS.conform(pl.DataFrame(rows, schema_overrides={"quotes": COMMENTS.schema["quotes"]}))


def parted(folder: Path) -> ThreadBatches:
    """The table as normalize leaves it: a part for each thread."""
    workspace = Workspace(folder)
    workspace.write_parts(COMMENTS, table().partition_by("thread_id", maintain_order=True))
    return ThreadBatches(workspace, COLUMNS, rows=1)


def test_batches_are_whole_threads_in_the_order_of_the_table(tmp_path: Path) -> None:
    batches = parted(tmp_path)
    assert [frame["thread_id"].unique().to_list() for frame in batches] == [["file:a"], ["file:b"], ["file:c"]]
    assert pl.concat(batches).equals(table().select(COLUMNS))
    two = ThreadBatches(batches.workspace, COLUMNS, rows=6)
    assert [frame.height for frame in two] == [10, 5]


def test_a_thread_in_two_parts_makes_one_batch_of_all(tmp_path: Path) -> None:
    workspace = Workspace(tmp_path)
    workspace.write_parts(COMMENTS, [table().head(7), table().slice(7)])
    assert [frame.height for frame in ThreadBatches(workspace, COLUMNS, rows=1)] == [15]


@pytest.mark.parametrize("name", ["frames-minilm", "frames-minilm-context"])
def test_frames_by_batches_equal_those_at_once_and_repeated_inputs_are_read_once(
    name: str, encoder: Encoder, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    bundle = load_bundle(name, "frames")
    path, cascade = way_of(bundle, parse_config({}).tagging)
    read: list[str] = []
    real = FramesModel.read

    def counted(self: FramesModel, inputs: list[FrameInput], advance: object = None) -> object:
        # Evidence is looked for in single sentences, which have neither title nor parent.
        read.extend(str(row) for row in inputs if row.text in TEXTS)
        return real(self, inputs, advance)  # pyright: ignore[reportArgumentType]

    once = tag_frames(Workspace(tmp_path / "once"), table(), THREADS, bundle, encoder, path, cascade)
    monkeypatch.setattr(FramesModel, "read", counted)
    batches = parted(tmp_path / "parts")
    found = list(frame_batches(batches.workspace, batches, THREADS, bundle, encoder, path, cascade))
    assert [part.height for part in found] == [15, 15, 15]
    apart = pl.concat(found).sort("comment_id", "frame")
    assert apart.drop("probability").equals(once.sort("comment_id", "frame").drop("probability"))
    difference = (apart["probability"] - once.sort("comment_id", "frame")["probability"]).abs()
    assert difference.drop_nulls().max() < 1e-4
    whole = [text for text in read if "title=''" not in text or name == "frames-minilm"]
    assert len(set(whole)) == len(whole)
    read.clear()
    again = list(frame_batches(batches.workspace, batches, THREADS, bundle, encoder, path, cascade))
    assert not read
    assert pl.concat(again).equals(pl.concat(found))


def test_an_extended_thread_reads_only_what_is_new(
    frames_bundle: Bundle, encoder: Encoder, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    workspace, read, real = Workspace(tmp_path), list[str](), FramesModel.read
    old = table().filter(pl.col("thread_id") == "file:a").head(4)
    tag_frames(workspace, old, THREADS, frames_bundle, encoder)
    before = workspace.read(SCORES)["input_key"].n_unique()

    def counted(self: FramesModel, inputs: list[FrameInput], advance: object = None) -> object:
        read.extend(row.text for row in inputs)
        return real(self, inputs, advance)  # pyright: ignore[reportArgumentType]

    monkeypatch.setattr(FramesModel, "read", counted)
    tag_frames(workspace, table().filter(pl.col("thread_id") == "file:a"), THREADS, frames_bundle, encoder)
    assert read == [TEXTS[4]]
    assert workspace.read(SCORES)["input_key"].n_unique() == before + 1


def test_stances_by_batches_equal_those_at_once(encoder: Encoder, tmp_path: Path) -> None:
    bundle = load_bundle("stance-minilm", "stance")
    once = read_stance(Workspace(tmp_path / "once"), table(), bundle, encoder, TARGETS, TagPath.EXACT)
    batches = parted(tmp_path / "parts")
    found = pl.concat(stance_batches(batches.workspace, batches, bundle, encoder, TARGETS, TagPath.EXACT))
    numbers = [name for name in once.columns if name.startswith("p_")]
    once, found = (each.sort("comment_id", "target") for each in (once, found))
    assert found.drop(numbers).equals(once.drop(numbers))
    for name in numbers:
        assert found[name].is_null().equals(once[name].is_null())
        assert (found[name] - once[name]).abs().drop_nulls().max() < 1e-4
    assert found.drop_nulls("p_favor").height


def test_the_threads_read_by_text_alone_are_the_same(frames_bundle: Bundle, encoder: Encoder, tmp_path: Path) -> None:
    tags = tag_frames(Workspace(tmp_path / "once"), table(), THREADS, frames_bundle, encoder)
    at_once = in_chosen_threads(table().select(COLUMNS), tags, 3)
    assert read_alone(parted(tmp_path / "parts"), 3).equals(at_once)


def test_the_fit_check_by_batches_equals_that_at_once(encoder: Encoder, tmp_path: Path) -> None:
    bundle = load_bundle("frames-minilm-context", "frames")
    batches, nothing = parted(tmp_path), ATTRIBUTES.empty()
    way = (bundle, encoder, FilterConfig(), nothing, 0)
    found = check_bundle(batches.workspace, batches, *way)
    assert found.equals(check_bundle(batches.workspace, table(), *way))


def test_eligible_batches_leave_out_what_does_not_count(tmp_path: Path) -> None:
    eligible = EligibleBatches(parted(tmp_path), ["en"], FilterConfig(), ATTRIBUTES.empty())
    assert eligible.count() == 14
    assert "b4" not in pl.concat(eligible)["comment_id"]


@settings(deadline=None)
@given(st.lists(st.lists(st.integers(0, 12), max_size=9), max_size=6), st.integers(1, 5), st.integers(0, 2**31))
def test_inputs_are_numbered_as_they_come_and_every_one_wanted_stands_in_one_shard(
    batches: list[list[int]], size: int, seed: int
) -> None:
    keys = [pl.Series("input_key", [f"key {value}" for value in batch], dtype=pl.String) for batch in batches]
    inputs = number_keys(keys)
    order = list(dict.fromkeys(value for batch in batches for value in batch))
    assert inputs.size == len(order)
    for batch, numbers in zip(batches, inputs.of_batch, strict=True):
        assert [order[number] for number in numbers] == batch
    wanted = np.random.default_rng(seed).random(len(order)) < 0.6
    shard = np.where(wanted, np.arange(len(order)) // size, -1)
    shards = list(cut_shards((each.to_frame() for each in keys), inputs, shard))
    assert [name for each in shards for name in each["input_key"]] == [
        f"key {value}" for value, asked in zip(order, wanted, strict=True) if asked
    ]
    assert len(shards) == len(set(shard[wanted].tolist()))
    assert all(1 <= each.height <= size for each in shards)
