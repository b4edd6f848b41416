"""Tagging by the cascade: who answers what, and what is kept."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import polars as pl
import pytest
from tests.models.cascade_bundle import TEXTS, cascade_bundle

from discourse.config import parse_config
from discourse.models.bundle import Bundle
from discourse.models.cascade import load_cascade
from discourse.models.encoder import Encoder, load_encoder
from discourse.models.frame_inputs import FrameInput
from discourse.models.frames import FramesModel
from discourse.models.text_vectors import StaticVectors, static_tier, text_reader
from discourse.tables import EMBEDDINGS, FRAMES, SCORES
from discourse.tables import Path as TagPath
from discourse.tag.cascade import answered_by, said_of, way_of
from discourse.tag.frames import tag_frames
from discourse.tag.vectors import vectors_of
from discourse.workspace import Workspace

THREADS_OF = pl.DataFrame({"thread_id": ["t"], "title": ["Lamps"]})


@pytest.fixture(scope="module")
def encoder() -> Encoder:
    """The default encoder."""
    return load_encoder()


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Where bundles are made."""
    return tmp_path_factory.mktemp("cascade")


@pytest.fixture(scope="module")
def bundle(encoder: Encoder, folder: Path) -> Bundle:
    """A bundle whose static tier answers some of the comments."""
    return cascade_bundle(folder / "some", encoder, 0.15, 0.3, context=("title", "parent"))


def comments(texts: list[str]) -> pl.DataFrame:
    same = {"state": "visible", "reply_kind": "top", "language": "en", "thread_id": "t", "parent_id": None}
    return pl.DataFrame(
        [{"comment_id": f"file:{i}", "text": text, **same} for i, text in enumerate(texts)],
        schema_overrides={"parent_id": pl.String},
    )


def test_the_encoder_reads_only_what_the_static_tier_may_not_answer(
    bundle: Bundle, encoder: Encoder, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    read: list[str] = []
    real = FramesModel.read

    def counted(self: FramesModel, inputs: list[FrameInput], advance: object = None) -> object:
        del advance
        read.extend(row.text for row in inputs if row.title)
        return real(self, inputs)

    monkeypatch.setattr(FramesModel, "read", counted)
    cascade = load_cascade(bundle)
    assert cascade is not None
    workspace = Workspace(tmp_path / "w")
    found = tag_frames(workspace, comments(TEXTS), THREADS_OF, bundle, encoder, TagPath.CASCADE, cascade)
    found = FRAMES.conform(found)
    static, asked = answered_by(found)
    assert static > 3
    assert asked > 3
    assert static + asked == len(TEXTS)
    by_tier = {str(tier): rows for (tier,), rows in found.group_by("tier")}
    place = {f"file:{i}": text for i, text in enumerate(TEXTS)}
    assert sorted(read) == sorted(place[name] for name in by_tier["encoder"]["comment_id"].unique())
    assert set(found["path"]) == {"cascade"}
    own = static_tier(bundle, encoder).scores([FrameInput(text, "Lamps") for text in TEXTS])
    between = (own >= 0.15) & (own < 0.3)
    assert asked == int(between.any(1).sum())
    assert (by_tier["static"]["decision"] == "yes").equals(by_tier["static"]["above_threshold"])
    assert by_tier["static"].filter("above_threshold")["evidence_start"].null_count() == 0
    kept = workspace.read(SCORES)
    assert kept.filter(tier="static")["input_key"].n_unique() == len(TEXTS)
    assert kept.filter(tier="encoder")["input_key"].n_unique() == asked
    exact = tag_frames(Workspace(tmp_path / "exact"), comments(TEXTS), THREADS_OF, bundle, encoder, TagPath.EXACT)
    both = by_tier["encoder"].join(exact, on=["comment_id", "frame"], suffix="_exact")
    assert np.abs(both["probability"].to_numpy() - both["probability_exact"].to_numpy()).max() < 1e-4
    assert f"answered {static} of {len(TEXTS)}" in said_of(cascade, static, asked)
    read.clear()
    more = tag_frames(
        workspace, comments([*TEXTS, "A late tram."]), THREADS_OF, bundle, encoder, TagPath.CASCADE, cascade
    )
    assert set(read) <= {"A late tram."}
    assert more.filter(pl.col("comment_id") != f"file:{len(TEXTS)}").equals(found.select(more.columns))


def test_a_frame_that_goes_up_whole_takes_every_comment_along(encoder: Encoder, folder: Path, tmp_path: Path) -> None:
    bundle = cascade_bundle(folder / "none", encoder, None)
    cascade = load_cascade(bundle)
    assert cascade is not None
    tagged = comments(TEXTS[:4])
    found = tag_frames(Workspace(tmp_path), tagged, THREADS_OF, bundle, encoder, TagPath.CASCADE, cascade)
    assert answered_by(found) == (0, 4)
    assert "every comment goes up" in said_of(cascade, 0, 4)


def test_the_cascade_is_the_usual_way_and_exact_and_no_context_turn_it_off(
    bundle: Bundle, frames_bundle: Bundle
) -> None:
    def way(**settings: bool) -> tuple[TagPath, bool]:
        path, cascade = way_of(bundle, parse_config({"tagging": settings}).tagging)
        return path, cascade is not None

    assert way() == (TagPath.CASCADE, True)
    assert way(exact=True) == (TagPath.EXACT, False)
    assert way(context=False) == (TagPath.NO_CONTEXT, False)
    plain = way_of(frames_bundle, parse_config({}).tagging)
    assert (plain[0] is TagPath.CASCADE) == (plain[1] is not None)


def test_comments_in_other_languages_and_none_at_all_are_no_trouble(
    bundle: Bundle, encoder: Encoder, tmp_path: Path
) -> None:
    cascade = load_cascade(bundle)
    foreign = comments(TEXTS[:2]).with_columns(language=pl.lit("es"))
    for table, rows in ((foreign, 6), (comments(TEXTS[:1]).clear(), 0)):
        found = tag_frames(Workspace(tmp_path), table, THREADS_OF, bundle, encoder, TagPath.CASCADE, cascade)
        assert found.height == rows
        assert found["probability"].null_count() == rows


def test_vectors_of_texts_alone_come_from_the_static_tier_where_frames_read_more(
    bundle: Bundle, encoder: Encoder, folder: Path, tmp_path: Path
) -> None:
    reader = text_reader(bundle, encoder)
    assert isinstance(reader, StaticVectors)
    workspace = Workspace(tmp_path)
    vectors = vectors_of(workspace, reader, [*TEXTS[:3], TEXTS[0]], 256)
    assert vectors.shape == (4, reader.width)
    assert np.array_equal(vectors[0], vectors[3])
    assert set(workspace.read(EMBEDDINGS)["encoder"]) == {reader.id}
    assert np.array_equal(vectors, vectors_of(workspace, reader, [*TEXTS[:3], TEXTS[0]], 256))
    # A frozen encoder that reads the text alone shares its pass with the topics.
    assert text_reader(cascade_bundle(folder / "alone", encoder), encoder) is encoder
