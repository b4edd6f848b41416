"""A run that is killed between shards is finished by the next one, with the result of a run that was not."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import polars as pl
import pytest

from discourse.models.bundle import Bundle
from discourse.models.encoder import Encoder, load_encoder
from discourse.models.frame_inputs import FrameInput
from discourse.models.frames import FramesModel
from discourse.tables import EMBEDDINGS, SCORES
from discourse.tag import frames
from discourse.workspace import Workspace

TEXTS = ["The lamps film us.", "No pie today. None.", "Schools are for maths 🦆", "What do they hide?", "Late bus."]
THREADS_OF = pl.DataFrame({"thread_id": ["t"], "title": ["Lamps"]})


@pytest.fixture(scope="module")
def encoder() -> Encoder:
    """The default encoder."""
    return load_encoder()


def comments() -> pl.DataFrame:
    same = {"state": "visible", "reply_kind": "top", "language": "en", "thread_id": "t", "parent_id": None}
    return pl.DataFrame(
        [{"comment_id": f"file:{i}", "text": text, **same} for i, text in enumerate(TEXTS)],
        schema_overrides={"parent_id": pl.String},
    )


def test_a_killed_run_is_finished_and_nothing_is_read_twice(
    frames_bundle: Bundle, encoder: Encoder, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    whole = frames.tag_frames(Workspace(tmp_path / "whole"), comments(), THREADS_OF, frames_bundle, encoder)
    workspace, real = Workspace(tmp_path / "killed"), FramesModel.read
    read: list[str] = []
    monkeypatch.setattr(frames, "SHARD", 2)

    def dying(self: FramesModel, inputs: list[FrameInput], advance: Any = None) -> Any:
        if TEXTS[2] in [row.text for row in inputs]:
            raise KeyboardInterrupt
        return real(self, inputs, advance)

    def counted(self: FramesModel, inputs: list[FrameInput], advance: Any = None) -> Any:
        read.extend(row.text for row in inputs if row.text in TEXTS)
        return real(self, inputs, advance)

    monkeypatch.setattr(FramesModel, "read", dying)
    with pytest.raises(KeyboardInterrupt):
        frames.tag_frames(workspace, comments(), THREADS_OF, frames_bundle, encoder)
    assert workspace.read(SCORES)["input_key"].n_unique() == 2
    monkeypatch.setattr(FramesModel, "read", counted)
    finished = frames.tag_frames(workspace, comments(), THREADS_OF, frames_bundle, encoder)
    assert set(read) == set(TEXTS[2:])
    assert finished.drop("probability").equals(whole.drop("probability"))
    assert (finished["probability"] - whole["probability"]).abs().max() < 1e-4
    assert workspace.read(SCORES).height == len(TEXTS) * 3
    assert workspace.read(EMBEDDINGS).height == len(TEXTS)
