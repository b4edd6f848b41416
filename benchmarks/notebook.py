"""What people write in a notebook today: pandas, SentenceTransformer.encode with its defaults, scikit-learn's heads."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from importlib import resources
from pathlib import Path

import numpy as np
import pandas as pd
from sentence_transformers import SentenceTransformer
from sklearn.linear_model import LogisticRegression

from discourse.models.encoder import WHEELS

STANCES = ("favor", "against", "neutral")


def load_reader() -> SentenceTransformer:
    """Return the encoder as sentence-transformers loads it."""
    return SentenceTransformer(str(resources.files(next(iter(WHEELS.values()))) / "model"), device="cpu")


def frame_heads(reader: SentenceTransformer, levels: int) -> Callable[[Sequence[str]], list[np.ndarray]]:
    """Return what gives each frame's probabilities of texts: one pass, then one linear head a frame.

    The heads are fitted on noise: what they say is not looked at, only what they cost.
    """
    generator = np.random.default_rng(0)
    x = generator.normal(size=(200, reader.encode(["a"]).shape[1]))
    heads = [LogisticRegression().fit(x, generator.random(200) < 0.5) for _ in range(levels)]

    def read(texts: Sequence[str]) -> list[np.ndarray]:
        vectors = reader.encode(list(texts), show_progress_bar=False)
        return [head.predict_proba(vectors) for head in heads]

    return read


def tag_file(reader: SentenceTransformer, source: Path, output: Path, levels: Sequence[str], target: str) -> None:
    """Tag the column `text` of a CSV file with frames, and with the stance to a target by a second pass."""
    comments = pd.read_csv(source)
    for level, found in zip(levels, frame_heads(reader, len(levels))(comments["text"]), strict=True):
        comments[level] = found[:, 1]
    generator = np.random.default_rng(1)
    vectors = reader.encode([f"{target}: {text}" for text in comments["text"]], show_progress_bar=False)
    head = LogisticRegression().fit(generator.normal(size=(200, vectors.shape[1])), generator.integers(0, 3, 200))
    comments["stance"] = np.array(STANCES)[head.predict(vectors)]
    comments.to_csv(output, index=False)
