"""Topics of small tables of comments: found, guided, merged, renamed, dated, saved and given to new comments."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from pathlib import Path

import numpy as np
import polars as pl
import pytest

from discourse.config import Config, parse_config
from discourse.errors import BundleError, UsageError
from discourse.models.bundle import load_bundle
from discourse.models.encoder import Encoder, load_encoder
from discourse.tables import COMMENTS, TOPIC_INFO, TOPIC_RUNS, TOPIC_TIMES, TOPICS
from discourse.tag.topics import TopicTables, tag_topics
from discourse.tag.topics.saved import train_topics
from discourse.workspace import Workspace

SUBJECTS = {
    "ferry": ["The ferry to {} left late again", "No boat to {} sails after nine", "Ferry queues for {} are long"],
    "bread": ["The bakery on {} street burns its bread", "Sourdough from {} is too sour", "Buns at {} cost double"],
    "football": ["The goalkeeper of {} dropped it twice", "Referees hate {} every match", "Nil nil at {} once more"],
}
PLACES = ["Anwick", "Borle", "Cadding", "Dunmere", "Elsby", "Farrow", "Garth", "Holm", "Inverley", "Jarn"]
NAMED = [(name, form.format(place)) for name, forms in SUBJECTS.items() for form in forms for place in PLACES]


@pytest.fixture(scope="module")
def encoder() -> Encoder:
    """The default encoder."""
    return load_encoder()


@pytest.fixture(scope="module")
def kept(tmp_path_factory: pytest.TempPathFactory) -> Workspace:
    """A workspace whose vectors all tests of this file share."""
    return Workspace(tmp_path_factory.mktemp("kept"))


def comments(*texts: str, **columns: object) -> pl.DataFrame:
    plain = {"thread_id": "file:t", "reply_kind": "top", "state": "visible", "language": "en", "role": "user"}
    times = [datetime(2026, 3, 1, tzinfo=UTC) + timedelta(hours=5 * i) for i in range(len(texts))]
    table = pl.DataFrame({"comment_id": [f"file:{i:03}" for i in range(len(texts))], "text": texts})
    fixed = {name: pl.lit(value) for name, value in {**plain, **columns}.items()}
    return table.with_columns(**fixed, created_at=pl.Series(times), duplicate_of=pl.lit(None, pl.String))


def found_in(table: pl.DataFrame, workspace: Workspace, encoder: Encoder, **topics: object) -> TopicTables:
    config = parse_config({"topics": {"random_seeds": [0], **topics}})
    return tag_topics(workspace, table, ["en"], encoder, config)


def subjects_of(found: TopicTables, label: str) -> set[str]:
    """The subjects of the comments in the topic of a label."""
    number = found.info.filter(label=label)["topic"].item()
    rows = found.topics.filter(topic=number)["comment_id"].str.slice(5).cast(pl.Int64)
    return {NAMED[row][0] for row in rows}


def test_few_comments_get_no_topics_and_the_reason(encoder: Encoder, kept: Workspace) -> None:
    few = comments(*(f"Comment number {i} about the ferry" for i in range(39)))
    found = found_in(few, kept, encoder)
    assert found.info.is_empty()
    assert "at least 40 comments with text, there are 39" in found.notes[0]
    same = comments(*["The ferry was late"] * 60).with_columns(
        duplicate_of=pl.when(pl.col("comment_id") != "file:000").then(pl.lit("file:000"))
    )
    assert "only 1 differ" in found_in(same, kept, encoder).notes[0]
    nothing = comments("x", state="deleted")
    assert "no comment with text is eligible" in found_in(nothing, kept, encoder).notes[0]


def test_clear_subjects_become_topics_and_a_seed_repeats_them(encoder: Encoder, kept: Workspace) -> None:
    table = comments(*(text for _, text in NAMED))
    one = tag_topics(kept, table, ["en"], encoder, parse_config({"topics": {"random_seeds": [0, 5]}}))
    other = tag_topics(kept, table, ["en"], encoder, parse_config({"topics": {"random_seeds": [0, 5]}}))
    for table_of in ("topics", "info", "runs", "times"):
        assert getattr(one, table_of).equals(getattr(other, table_of))
    topics, info = TOPICS.conform(one.topics), TOPIC_INFO.conform(one.info)
    assert topics.height == len(NAMED)
    leaves = info.filter(~pl.col("topic").is_in(info["parent"].drop_nulls().implode()))
    assert leaves["size"].sum() == topics["topic"].drop_nulls().len()
    subject = pl.Series("subject", [name for name, _ in NAMED])
    joined = topics.with_columns(subject).drop_nulls("topic")
    most = joined.group_by("topic").agg(pl.col("subject").value_counts(sort=True).first().struct.field("count"))
    assert most["count"].sum() / joined.height > 0.9
    assert joined.height > 0.6 * len(NAMED)
    runs = TOPIC_RUNS.conform(one.runs)
    assert runs.select("kind", "seed", "comments").rows() == [("seed", 5, 90), ("subsample", 5, 72)]
    assert leaves["stability"].is_between(0, 1).all()
    assert ((leaves["stability"] < 0.6) == (leaves["mark"] == "unstable").fill_null(value=False)).all()


def test_a_topic_is_shown_by_words_comments_and_one_sentence(encoder: Encoder, kept: Workspace) -> None:
    table = comments(*(f"Hello @borle! {text}. And so on." for _, text in NAMED))
    info = found_in(table, kept, encoder).info
    assert info["stability"].null_count() == info.height
    text = dict(table.select("comment_id", "text").iter_rows())
    for row in info.iter_rows(named=True):
        first = text[row["representatives"][0]]
        assert 0 <= row["sentence_start"] < row["sentence_end"] <= len(first)
        assert first[row["sentence_start"] : row["sentence_end"]] not in {"Hello @borle!", "And so on."}
        assert row["label"] == ", ".join(row["keywords"][:3])
        assert "borle" not in row["keywords"]


def test_near_duplicates_are_read_once_and_share_a_topic(encoder: Encoder, kept: Workspace) -> None:
    flood = ["Buy my cheap watches now"] * 200
    table = comments(*(text for _, text in NAMED), *flood).with_columns(
        duplicate_of=pl.when(pl.col("comment_id") > "file:090").then(pl.lit("file:090"))
    )
    found = found_in(table, kept, encoder)
    copies = found.topics.filter(pl.col("comment_id") >= "file:090")
    assert copies.select("topic", "assignment", "reason").unique().height == 1
    rest = found.topics.filter(pl.col("comment_id") < "file:090")
    assert rest["topic"].drop_nulls().n_unique() >= 3


def test_what_fits_no_topic_is_left_with_a_reason(encoder: Encoder, kept: Workspace) -> None:
    odd = ["lol", "So it is.", "Quantum chromodynamics predicts asymptotic freedom of gluons"]
    found = found_in(comments(*(text for _, text in NAMED), *odd), kept, encoder)
    left = found.topics.filter(pl.col("topic").is_null())
    assert set(left["assignment"]) == {"outlier"}
    assert left["reason"].null_count() == 0
    assert found.topics.drop_nulls("topic")["reason"].null_count() == found.topics["topic"].drop_nulls().len()
    reasons = dict(left.select("comment_id", "reason").iter_rows())
    assert reasons.get("file:090", "no_words") == "no_words"
    assert reasons["file:092"] == "far"


def test_a_topic_that_is_looked_for_is_one_topic_under_its_name(encoder: Encoder, kept: Workspace) -> None:
    table = comments(*(text for _, text in NAMED))
    wanted = {"bread and bakeries": ["bread", "bakery", "buns"], "volcanoes": ["lava", "eruption"]}
    found = found_in(table, kept, encoder, guided=wanted)
    assert subjects_of(found, "bread and bakeries") == {"bread"}
    assert any('"volcanoes" was looked for' in note for note in found.notes)
    assert "volcanoes" not in found.info["label"].to_list()


def test_merged_topics_keep_the_smallest_number_and_others_keep_theirs(encoder: Encoder, kept: Workspace) -> None:
    table = comments(*(text for _, text in NAMED))
    before = found_in(table, kept, encoder)
    sizes = dict(before.info.select("topic", "size").iter_rows())
    after = found_in(table, kept, encoder, merge=[[2, 1]], rename={"1": "both", "0": "first"})
    kept_sizes = dict(after.info.select("topic", "size").iter_rows())
    assert kept_sizes[1] == sizes[1] + sizes[2]
    assert 2 not in kept_sizes
    assert kept_sizes[0] == sizes[0]
    labels = dict(after.info.select("topic", "label").iter_rows())
    assert (labels[0], labels[1]) == ("first", "both")


@pytest.mark.parametrize(
    "setting",
    [{"merge": [[0, 77]]}, {"rename": {"77": "x"}}, {"hide": [77]}],
    ids=["merge", "rename", "hide"],
)
def test_a_number_that_no_topic_has_is_refused(setting: dict[str, object], encoder: Encoder, kept: Workspace) -> None:
    with pytest.raises(UsageError, match="names topic 77, topics here are 0 to"):
        found_in(comments(*(text for _, text in NAMED)), kept, encoder, **setting)


def test_topics_over_time_add_up(encoder: Encoder, kept: Workspace) -> None:
    table = comments(*(text for _, text in NAMED))
    found = found_in(table, kept, encoder)
    times = TOPIC_TIMES.conform(found.times)
    assert set(times["span"]) == {"1d"}
    by_topic = dict(times.group_by("topic").agg(pl.col("size").sum()).iter_rows())
    sizes = dict(found.info.select("topic", "size").iter_rows())
    assert all(sizes[topic] == size for topic, size in by_topic.items())
    assert times.unique("starts_at")["comments"].sum() == len(NAMED)
    undated = table.with_columns(created_at=pl.lit(None, pl.Datetime("us", "UTC")))
    assert found_in(undated, kept, encoder).times.is_empty()


def saved_in(folder: Path, encoder: Encoder, kept: Workspace) -> tuple[Workspace, TopicTables]:
    """A workspace with topics, as a run leaves it."""
    table = comments(*(text for _, text in NAMED))
    found = found_in(table, kept, encoder, rename={"0": "the first"})
    workspace = Workspace(folder)
    known = [*table.columns, "raw"]
    absent = {name: pl.lit(None, dtype) for name, dtype in COMMENTS.schema.items() if name not in known}
    filled = {"depth": pl.lit(0), "position": pl.int_range(pl.len()), "created_precision": pl.lit("exact")}
    lists = {"quotes": pl.lit([]), "links": pl.lit([])}
    raw = pl.struct(file=pl.lit("f"), offset=pl.int_range(pl.len()))
    workspace.write(COMMENTS, table.with_columns(**{**absent, **filled, **lists}, raw=raw))
    workspace.write(TOPICS, found.topics)
    workspace.write(TOPIC_INFO, found.info)
    return workspace, found


def test_a_saved_topics_bundle_gives_new_comments_their_topics(
    encoder: Encoder, kept: Workspace, tmp_path: Path
) -> None:
    workspace, found = saved_in(tmp_path / "ws", encoder, kept)
    bundle = train_topics(workspace, ("en",), encoder, tmp_path / "my topics")
    assert (bundle.manifest.name, bundle.manifest.kind) == ("my-topics", "topics")
    written = b"".join(file.read_bytes() for file in bundle.folder.iterdir())
    assert not any(text.encode() in written for _, text in NAMED)
    new = comments("The ferry to Kelby left late again", "Sourdough from Kelby is too sour", "Gluons, lattice gauge")
    config = parse_config({"bundles": {"topics": str(tmp_path / "my topics")}})
    given = tag_topics(Workspace(tmp_path / "other"), new, ["en"], encoder, config)
    assert given.topics["assignment"].to_list() == ["assigned", "assigned", "outlier"]
    same = dict(zip([text for _, text in NAMED], found.topics["topic"], strict=True))
    assert given.topics["topic"][0] == same["The ferry to Anwick left late again"]
    assert given.topics["topic"][1] == same["Sourdough from Anwick is too sour"]
    assert "the first" in given.info["label"].to_list()
    assert given.info["topic"].to_list() == found.info["topic"].to_list()
    sizes = dict(given.info.select("topic", "size").iter_rows())
    assert sum(sizes.values()) >= 2


def test_saved_topics_cannot_be_guided_written_over_or_read_by_another_encoder(
    encoder: Encoder, kept: Workspace, tmp_path: Path
) -> None:
    workspace, _ = saved_in(tmp_path / "ws", encoder, kept)
    train_topics(workspace, ("en",), encoder, tmp_path / "bundle")
    with pytest.raises(BundleError, match="never written over"):
        train_topics(workspace, ("en",), encoder, tmp_path / "bundle")
    with pytest.raises(BundleError, match="has no topics to save"):
        train_topics(Workspace(tmp_path / "empty"), ("en",), encoder, tmp_path / "new")
    bundles = {"topics": str(tmp_path / "bundle")}
    table = comments("The ferry")
    for setting in ({"guided": {"a": ["b"]}}, {"merge": [[0, 1]]}):
        with pytest.raises(UsageError, match="saved bundle"):
            tag_topics(kept, table, ["en"], encoder, parse_config({"bundles": bundles, "topics": setting}))
    with pytest.raises(BundleError, match="is a frames bundle, a topics bundle is needed"):
        tag_topics(kept, table, ["en"], encoder, parse_config({"bundles": {"topics": "frames-minilm"}}))
    foreign = Encoder(encoder.name, "0" * 64, encoder.tokenizer, encoder.model)
    with pytest.raises(BundleError, match="another all-MiniLM"):
        tag_topics(kept, table, ["en"], foreign, parse_config({"bundles": bundles}))


@pytest.mark.parametrize("broken", ["weights.safetensors", "topics.json"])
def test_a_topics_bundle_whose_files_do_not_fit_is_refused(
    broken: str, encoder: Encoder, kept: Workspace, tmp_path: Path
) -> None:
    from safetensors.numpy import save_file

    from discourse.models.bundle import seal

    workspace, _ = saved_in(tmp_path / "ws", encoder, kept)
    bundle = train_topics(workspace, ("en",), encoder, tmp_path / "bundle")
    if broken == "topics.json":
        (bundle.folder / broken).write_text('{"topics": [], "broad": []}', encoding="utf-8")
    else:
        save_file({"centres": np.ones((1, 2), np.float32), "reach": np.zeros(1)}, bundle.folder / broken)
    seal(bundle.folder, bundle.manifest.model_dump(exclude={"format", "files"}))
    assert load_bundle(tmp_path / "bundle").manifest.kind == "topics"
    config = parse_config({"bundles": {"topics": str(tmp_path / "bundle")}})
    with pytest.raises(BundleError, match="do not fit together"):
        tag_topics(kept, comments("The ferry"), ["en"], encoder, config)


@pytest.mark.parametrize(
    ("topics", "said"),
    [
        ({"random_seeds": []}, "random_seeds"),
        ({"random_seeds": [1, 1]}, "repeats"),
        ({"random_seeds": [-1]}, "whole number"),
        ({"merge": [[1]]}, "merge"),
        ({"rename": {"first": "x"}}, "rename"),
    ],
    ids=["none", "twice", "negative", "merge of one", "no number"],
)
def test_settings_of_topics_that_mean_nothing_are_refused(topics: dict[str, object], said: str) -> None:
    with pytest.raises(UsageError, match=said):
        parse_config({"topics": topics})
    assert Config().topics.random_seeds == (0, 1, 2)
