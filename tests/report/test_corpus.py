"""The comments as data in the file: the same tags as in the tables, in the order of the conversations."""

from __future__ import annotations

from datetime import UTC, datetime
from pathlib import Path

import polars as pl
import pytest
from hypothesis import given
from hypothesis import strategies as st
from tests.report.decoding import Embedded
from tests.report.decoding import embedded as unpacked

from discourse.config import Config, override
from discourse.report import corpus, embedding, run
from discourse.report.embedding import conversations, embedded
from discourse.tables import COMMENTS, FRAMES, STANCES
from discourse.workspace import Workspace


@pytest.fixture(scope="module")
def data(report: Path) -> Embedded:
    """What the report of the story embeds."""
    found = unpacked(report)
    assert found is not None
    return found


@pytest.fixture(scope="module")
def order(story: Workspace, data: Embedded, config: Config) -> pl.DataFrame:
    """The comments of the story in the order of the file."""
    from discourse.annotate.names import public_names

    rows = story.read(COMMENTS)
    names = public_names(story.author_key(config.normalize.author_key), rows["comment_id"])
    places = pl.DataFrame({"ref": [comment["ref"] for comment in data.comments]}).with_row_index("place")
    return rows.with_columns(ref=pl.Series(names)).join(places, on="ref").sort("place")


def test_every_comment_is_there_under_the_name_that_import_knows(story: Workspace, order: pl.DataFrame) -> None:
    """The refs are the public names of all comments, each once."""
    assert order.height == story.read(COMMENTS).height
    assert order["comment_id"].is_unique().all()


def test_texts_and_evidence_are_those_of_the_tables(story: Workspace, data: Embedded, order: pl.DataFrame) -> None:
    """Visible texts stand whole, deleted ones not; what is marked is the evidence."""
    frames = (
        story.read(FRAMES).filter(pl.col("decision") == "yes").select("comment_id", "evidence_start", "evidence_end")
    )
    evidence = {name: (start, end) for name, start, end in frames.drop_nulls().iter_rows()}
    seen = 0
    for comment, row in zip(data.comments, order.iter_rows(named=True), strict=True):
        if row["text"] is None or row["state"] != "visible":
            assert comment["text"] is None
            continue
        if row["comment_id"] in evidence:
            start, end = evidence[row["comment_id"]]
            units = comment["text"].encode("utf-16-le")
            pairs = zip(comment["marks"][::2], comment["marks"][1::2], strict=True)
            spans = [units[2 * low : 2 * high].decode("utf-16-le") for low, high in pairs]
            assert any(row["text"][start:end] in span for span in spans)
            seen += 1
    assert seen >= 3


def test_columns_are_the_tags_of_the_tables(story: Workspace, data: Embedded, order: pl.DataFrame) -> None:
    """Decisions, stances and the labels of readers come back from their codes."""
    frames = story.read(FRAMES)
    codes = {1: "yes", 2: "no", 3: "unsure", 4: "unsure", 0: None}
    for place, frame in enumerate(data.about["frames"]):
        rows = frames.filter(pl.col("frame") == frame["name"])
        said = dict(rows.select("comment_id", "decision").iter_rows())
        found = [codes[code] for code in data.columns[f"frame{place}"]]
        assert found == [said.get(name) for name in order["comment_id"]]
    sides = {1: "favor", 2: "against", 3: "neutral", 4: "off_target", 5: "unsure", 0: None}
    said = dict(story.read(STANCES).select("comment_id", "stance").iter_rows())
    assert [sides[code] for code in data.columns["target0"]] == [said.get(name) for name in order["comment_id"]]
    readers = data.columns["frame0_readers"]
    assert {code: readers.count(code) for code in (1, 2, 9)} == {1: 1, 2: 1, 9: 1}


def test_times_and_depths(data: Embedded, order: pl.DataFrame) -> None:
    """Minutes since 1970, and the depth of the tree."""
    for minutes, moment in zip(data.columns["time"], order["created_at"], strict=True):
        assert datetime.fromtimestamp(minutes * 60, UTC) == moment.replace(second=0)
    depths = dict(zip(order["comment_id"], data.columns["depth"], strict=True))
    for name, parent in order.select("comment_id", "parent_id").iter_rows():
        assert depths[name] == (0 if parent is None else depths[parent] + 1)


def test_short_quotes_hold_for_the_data_too(story: Workspace, config: Config, tmp_path: Path) -> None:
    """Under `short` a text has at most twelve words, times are months, and there is no address and no id."""
    run(story, override(config, {"report.quotes": "short"}), tmp_path / "r.html")
    data = unpacked(tmp_path / "r.html")
    assert data is not None
    assert max(len(comment["text"].replace("…", "").split()) for comment in data.comments if comment["text"]) <= 12
    assert all(not comment["url"] and not comment["quotes"] for comment in data.comments)
    months = {datetime.fromtimestamp(minutes * 60, UTC) for minutes in data.columns["time"]}
    assert all((moment.day, moment.hour, moment.minute) == (1, 0, 0) for moment in months)
    assert not [name for name in story.read(COMMENTS)["comment_id"] if name.partition(":")[2] in data.raw]
    assert "://" not in data.raw


def test_without_quotes_there_is_no_data_and_no_script(story: Workspace, config: Config, tmp_path: Path) -> None:
    """Under `none` the file has neither comments nor a script."""
    run(story, override(config, {"report.quotes": "none"}), tmp_path / "r.html")
    html = (tmp_path / "r.html").read_text(encoding="utf-8")
    assert unpacked(html) is None
    assert "<script" not in html
    assert "script-src" not in html


def test_above_the_limit_a_seeded_sample_with_all_that_is_needed(monkeypatch: pytest.MonkeyPatch) -> None:
    """A sample has the quoted and the labelled comments, is the same for the same seed, and stays in order."""
    monkeypatch.setattr(embedding, "EMBEDDED", 50)
    names = [f"c{place:03}" for place in range(400)]
    outline = pl.DataFrame({"comment_id": names, "parent_id": [None, *names[:-1]]})
    first = embedded(outline, ["c399"], ["c200", "c201"], seed=3)
    assert first.height == 50
    assert {"c399", "c200", "c201"} <= set(first["comment_id"])
    assert first.equals(embedded(outline, ["c399"], ["c200", "c201"], seed=3))
    assert not first.equals(embedded(outline, ["c399"], ["c200", "c201"], seed=4))
    assert first["comment_id"].is_sorted()
    # c200 answers c199, which the sample may lack: then it stands at the top.
    depths = dict(first.select("comment_id", "depth").iter_rows())
    assert all(depths[name] == 0 for name in depths if f"c{int(name[1:]) - 1:03}" not in depths)


def test_the_more_text_there_is_the_less_of_each_is_embedded(
    story: Workspace, config: Config, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A file that would grow too large cuts long comments, keeps their evidence, and says so."""
    monkeypatch.setattr(corpus, "MOST_BYTES", 1_500)
    run(story, config, tmp_path / "r.html")
    data = unpacked(tmp_path / "r.html")
    assert data is not None
    longest = max(len(comment["text"] or "") for comment in data.comments)
    whole = max(len(text) for text in story.read(COMMENTS)["text"].drop_nulls())
    assert longest < whole
    assert sum(1 for comment in data.comments if comment["marks"]) >= 3
    assert "Only the first" in (tmp_path / "r.html").read_text(encoding="utf-8")


@given(st.lists(st.integers(0, 30), max_size=31))
def test_conversations_keep_every_comment_behind_what_it_answers(parents: list[int]) -> None:
    """Whatever answers whatever, even in rings, every comment comes once, and a subtree is one stretch."""
    ids = [str(place) for place in range(len(parents))]
    order, depths = conversations(ids, [str(parent) for parent in parents])
    assert sorted(order) == list(range(len(ids)))
    above: list[int] = []
    for place, depth in zip(order, depths, strict=True):
        del above[depth:]
        assert len(above) == depth
        if depth:
            assert above[-1] == parents[place]
        above.append(place)
