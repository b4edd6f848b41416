"""Frames and stance on small workspaces."""

from __future__ import annotations

from pathlib import Path

import polars as pl
import pytest

from discourse.config import parse_config
from discourse.models.bundle import Bundle, load_bundle
from discourse.models.encoder import Encoder, load_encoder
from discourse.models.frame_inputs import FrameInput, frame_sequences
from discourse.models.frames import FramesModel
from discourse.tables import FRAMES, STANCES
from discourse.tables import Path as TagPath
from discourse.tag.frame_keys import in_context
from discourse.tag.frames import tag_frames
from discourse.tag.stance import read_stance, tag_stance
from discourse.workspace import Workspace

THREADS_OF = pl.DataFrame({"thread_id": ["file:t"], "title": ["The lamps"]})


@pytest.fixture(scope="module")
def encoder() -> Encoder:
    """The default encoder."""
    return load_encoder()


def comments(*rows: dict[str, object]) -> pl.DataFrame:
    plain = {
        "thread_id": "file:t",
        "parent_id": None,
        "reply_kind": "top",
        "state": "visible",
        "language": "en",
        "role": "user",
        "created_at": None,
    }
    numbered = [{"comment_id": f"file:{i}", **plain, **row} for i, row in enumerate(rows)]
    return pl.DataFrame(numbered, schema_overrides={"parent_id": pl.String, "text": pl.String})


def test_each_text_is_read_once_and_only_where_it_can_be(
    frames_bundle: Bundle, encoder: Encoder, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    table = comments(
        {"text": "They watch us through every lamp. It scares me."},
        {"text": "They watch us through every lamp. It scares me."},
        {"text": "Esto no me gusta nada", "language": "es"},
        {"text": None, "state": "deleted"},
        {"text": "The story itself", "reply_kind": "opening"},
        {"text": "A lovely pie."},
    )
    workspace = Workspace(tmp_path)
    read: list[str] = []
    real = FramesModel.read

    def counted(self: FramesModel, inputs: list[FrameInput], advance: object = None) -> object:
        del advance
        read.extend(row.text for row in inputs)
        return real(self, inputs)

    monkeypatch.setattr(FramesModel, "read", counted)
    found = FRAMES.conform(tag_frames(workspace, table, THREADS_OF, frames_bundle, encoder))
    assert read[:2] == ["They watch us through every lamp. It scares me.", "A lovely pie."]
    assert set(found["comment_id"]) == {"file:0", "file:1", "file:2", "file:5"}
    one, other = (found.filter(comment_id=f"file:{i}").drop("comment_id") for i in (0, 1))
    assert one.equals(other)
    foreign = found.filter(comment_id="file:2")
    assert set(foreign["decision"]) == {"unsure"}
    assert set(foreign["reason"]) == {"language"}
    assert foreign["probability"].null_count() == 3
    tagged = found.filter(pl.col("above_threshold"))
    assert tagged["evidence_start"].null_count() == 0
    read.clear()
    assert tag_frames(workspace, table, THREADS_OF, frames_bundle, encoder).equals(found)
    assert read == []


def test_stance_is_read_with_its_parent_and_the_gate_leaves_a_row(encoder: Encoder, tmp_path: Path) -> None:
    table = comments(
        {"text": "The toll bridge is a wonderful idea and I support the toll bridge with all my heart."},
        {"text": "Exactly!", "parent_id": "file:0", "reply_kind": "reply"},
        {"text": "My cat sleeps all day on the radiator."},
        {"text": "Esto no me gusta nada", "language": "es"},
    )
    config = parse_config({"stance": {"targets": ["the toll bridge", "cats"]}})
    bundle = load_bundle("stance-minilm", "stance")
    found = STANCES.conform(tag_stance(Workspace(tmp_path), table, bundle, encoder, config))
    assert found.height == 8
    stopped = found.filter(pl.col("p_favor").is_null(), pl.col("stance") != "unsure")
    assert set(stopped["stance"]) <= {"off_target"}
    assert stopped["p_off_target"].is_between(0, 1).all()
    read = found.drop_nulls("p_favor")
    total = read.select(pl.sum_horizontal("p_favor", "p_against", "p_neutral", "p_off_target")).to_series()
    assert ((total - 1).abs() < 1e-6).all()
    assert found.filter(comment_id="file:0", target="the toll bridge")["p_favor"].null_count() == 0
    assert set(found.filter(comment_id="file:3")["reason"]) == {"language"}


def test_stance_by_text_alone_owes_nothing_to_the_parent(encoder: Encoder, tmp_path: Path) -> None:
    praise = "The toll bridge is a wonderful idea and I support the toll bridge with all my heart."
    blame = "The toll bridge is a shameful idea and I oppose the toll bridge with all my heart."
    answer = "The toll bridge? You are so right about it, every word."
    bundle = load_bundle("stance-minilm", "stance")
    read: dict[str, dict[TagPath, tuple[float | None, ...]]] = {}
    for name, parent in (("praise", praise), ("blame", blame)):
        table = comments({"text": parent}, {"text": answer, "parent_id": "file:0", "reply_kind": "reply"})
        read[name] = {}
        for path in (TagPath.EXACT, TagPath.TEXT_ONLY):
            found = read_stance(Workspace(tmp_path / name), table, bundle, encoder, ("the toll bridge",), path)
            assert set(found["path"]) == {path.value}
            ends = found.filter(comment_id="file:1").select("p_favor", "p_against", "p_neutral", "p_off_target")
            read[name][path] = ends.row(0)
    assert read["praise"][TagPath.TEXT_ONLY] == pytest.approx(read["blame"][TagPath.TEXT_ONLY])
    assert read["praise"][TagPath.EXACT] != pytest.approx(read["blame"][TagPath.EXACT])


def test_a_bundle_reads_the_context_that_it_names_and_keys_by_it(encoder: Encoder) -> None:
    table = comments(
        {"text": "Same here."},
        {"text": "Same here.", "parent_id": "file:0", "thread_id": "file:u"},
    )
    threads = pl.DataFrame({"thread_id": ["file:t", "file:u"], "title": ["Lamps film us", "Pies"]})
    alone = in_context(table, threads, ())
    assert alone.select("title", "parent").unique().rows() == [("", "")]
    whole = in_context(table, threads, ("title", "parent"))
    assert whole.select("title", "parent").rows() == [("Lamps film us", ""), ("Pies", "Same here.")]
    inputs = [FrameInput(*row) for row in whole.select("text", "title", "parent").iter_rows()]
    ids = frame_sequences(encoder, inputs, 32).ids
    words = [encoder.tokenizer.decode(list(row), skip_special_tokens=False) for row in ids]
    assert words == ["[CLS] lamps film us [SEP] same here. [SEP]", "[CLS] pies [SEP] same here. [SEP] same here. [SEP]"]
    assert inputs[1].as_read(("title",)) == FrameInput("Same here.", "Pies")
