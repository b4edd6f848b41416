"""The sentence of a comment that carries a tag."""

from __future__ import annotations

from collections.abc import Callable, Sequence

import numpy as np
from numpy.typing import NDArray
from sentencex import segment  # pyright: ignore[reportUnknownVariableType, reportAttributeAccessIssue]  # untyped Rust

Spans = list[tuple[int, int]]


def sentences(text: str, language: str) -> Spans:
    """Return the half-open code-point spans of a text's sentences, white space at their ends left out.

    Args:
        text: cleaned comment text.
        language: ISO 639-1 code; where it is unknown, English rules are used.
    """
    spans: Spans = []
    start = 0
    for part in segment(language or "en", text):
        inner = part.strip()
        if not inner:
            continue
        place = text.find(inner, start)
        if place < 0:
            return [(0, len(text))]
        spans.append((place, place + len(inner)))
        start = place + len(inner)
    return spans or [(0, len(text))]


def carrying(
    texts: Sequence[str], language: str, score: Callable[[list[str]], NDArray[np.float64]]
) -> list[tuple[Spans, NDArray[np.float64]]]:
    """Score every sentence of some texts in one go.

    Args:
        texts: cleaned comment texts.
        language: of all of them.
        score: from sentences to scores, sentences × levels; a text of one sentence is not scored.

    Returns:
        For each text its spans and their scores, sentences × levels (no rows for a text of one sentence).
    """
    spans = [sentences(text, language) for text in texts]
    parts = list(
        dict.fromkeys(text[a:b] for text, found in zip(texts, spans, strict=True) if len(found) > 1 for a, b in found)
    )
    values = score(parts) if parts else np.zeros((0, 0))
    place = {part: i for i, part in enumerate(parts)}
    return [
        (found, values[[place[text[a:b]] for a, b in found]] if len(found) > 1 else np.zeros((0, values.shape[1])))
        for text, found in zip(texts, spans, strict=True)
    ]


def strongest(spans: Spans, values: NDArray[np.float64], level: int) -> tuple[int, int]:
    """Return the span of the highest score of one level; the only span where there is one."""
    return spans[int(values[:, level].argmax())] if len(spans) > 1 else spans[0]
