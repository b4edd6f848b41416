"""Topics of more comments than are read at once: found in a sample from every thread, the others given to them."""

from __future__ import annotations

from collections import Counter
from pathlib import Path

import numpy as np
import polars as pl
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from tests.tag.test_topics import NAMED, comments

from discourse.config import parse_config
from discourse.models.encoder import Encoder, load_encoder
from discourse.tables import TOPIC_INFO, TOPIC_TIMES, TOPICS
from discourse.tag import topics
from discourse.tag.topics import tag_topics
from discourse.tag.topics.many import spread_sample
from discourse.tag.topics.naming import subject_words, words_of
from discourse.workspace import Workspace

FITTED = 60


@pytest.fixture(scope="module")
def encoder() -> Encoder:
    """The default encoder."""
    return load_encoder()


def of_threads(sizes: list[int]) -> list[pl.DataFrame]:
    """A batch for each two threads of these sizes."""
    rows = [(f"t{thread}", f"t{thread}-{place}") for thread, size in enumerate(sizes) for place in range(size)]
    frame = pl.DataFrame(rows, schema=["thread_id", "comment_id"], orient="row").with_columns(
        duplicate_of=pl.lit(None, pl.String)
    )
    pairs = [[f"t{thread}", f"t{thread + 1}"] for thread in range(0, len(sizes), 2)]
    return [frame.filter(pl.col("thread_id").is_in(pair)) for pair in pairs]


@settings(deadline=None)
@given(st.lists(st.integers(1, 30), min_size=1, max_size=9), st.integers(1, 60), st.integers(0, 99))
def test_every_thread_has_its_share_in_the_sample(sizes: list[int], size: int, seed: int) -> None:
    batches = of_threads(sizes)
    found = spread_sample(batches, size, seed)
    assert found.height == min(size, sum(sizes))
    assert found["comment_id"].n_unique() == found.height
    counts = Counter(found["thread_id"])
    for thread, comments_of in enumerate(sizes):
        share = comments_of * found.height / sum(sizes)
        assert np.floor(share) <= counts[f"t{thread}"] <= np.ceil(share)
    assert spread_sample(batches, size, seed).equals(found)


def test_near_duplicates_are_not_drawn() -> None:
    [batch] = of_threads([8])
    copies = batch.with_columns(duplicate_of=pl.when(pl.col("comment_id") != "t0-0").then(pl.lit("t0-0")))
    assert spread_sample([copies], 5, 0)["comment_id"].to_list() == ["t0-0"]


def test_words_that_carry_a_subject_are_counted_as_in_the_vocabulary() -> None:
    texts = [
        "The ferry left, and the FERRY came",
        "it is so",
        "",
        "Ça va très bien, naïve Füße!",
        "a1b x_y 12 ferry-boat",
    ]
    assert subject_words(pl.Series(texts)).tolist() == words_of(texts).per_comment.tolist()
    assert subject_words(pl.Series(["@ferry come here u/boat ferry", "x"])).tolist() == [2, 0]


def many(monkeypatch: pytest.MonkeyPatch) -> list[pl.DataFrame]:
    """Batches of 92 comments, of which two are near-duplicates, that are too many to be read at once."""
    monkeypatch.setattr(topics, "MOST_COMMENTS", FITTED)
    monkeypatch.setattr(topics, "MOST_FITTED", FITTED)
    table = comments(
        *(text for _, text in NAMED), NAMED[0][1] + " .", "The ferry, once more, left us behind"
    ).with_columns(
        thread_id=pl.format("file:t{}", pl.int_range(pl.len()) % 3),
        duplicate_of=pl.when(pl.col("comment_id") == "file:090").then(pl.lit("file:000")),
    )
    return table.partition_by("thread_id", maintain_order=True)


def test_the_others_are_given_to_the_topics_of_the_sample_and_that_is_said(
    encoder: Encoder, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    batches = many(monkeypatch)
    config = parse_config({"topics": {"random_seeds": [0]}})
    found = tag_topics(Workspace(tmp_path), batches, ["en"], encoder, config)
    rows = TOPICS.conform(found.topics)
    assert rows.height == 92
    assert f"found in {FITTED} of 92 comments" in found.notes[0]
    assert set(found.info["found_in"]) == {FITTED}
    sizes = rows["topic"].drop_nulls().value_counts().sort("topic")
    single = TOPIC_INFO.conform(found.info).filter(pl.col("topic").is_in(sizes["topic"].implode())).sort("topic")
    assert single["size"].to_list() == sizes["count"].to_list()
    assert rows.filter(comment_id="file:090")["topic"].equals(rows.filter(comment_id="file:000")["topic"])
    given_later = rows.filter(pl.col("assignment") == "reassigned").height
    assert given_later >= 10
    subject = {f"file:{place:03}": name for place, (name, _) in enumerate(NAMED)}
    known = rows.drop_nulls("topic").filter(pl.col("comment_id").is_in(list(subject)))
    known = known.with_columns(subject=pl.col("comment_id").replace_strict(subject))
    right = known.group_by("topic").agg((pl.col("subject") == pl.col("subject").mode().first()).sum().alias("right"))
    assert right["right"].sum() >= 0.95 * known.height
    times = TOPIC_TIMES.conform(found.times)
    assert times.filter(topic=0)["size"].sum() == sizes.filter(topic=0)["count"].item()
    assert tag_topics(Workspace(tmp_path), batches, ["en"], encoder, config).topics.equals(found.topics)


def test_fewer_comments_are_all_read_whatever_the_batches(encoder: Encoder, tmp_path: Path) -> None:
    table = comments(*(text for _, text in NAMED))
    config = parse_config({"topics": {"random_seeds": [0]}})
    once = tag_topics(Workspace(tmp_path), table, ["en"], encoder, config)
    parts = tag_topics(Workspace(tmp_path), [table.head(40), table.slice(40)], ["en"], encoder, config)
    assert parts.topics.equals(once.topics)
    assert parts.info.equals(once.info)
    assert once.info["found_in"].null_count() == once.info.height
