"""Evidence: spans are code points of the text and point at whole sentences."""

from __future__ import annotations

from itertools import pairwise

import numpy as np
from hypothesis import given, settings
from hypothesis import strategies as st

from discourse.tag.evidence import carrying, sentences, strongest


def test_sentences_are_found_with_emoji_and_other_scripts() -> None:
    text = "🦆🦆 Quack. أي إنارة جديدة أفضل من هذا. Who pays?"
    assert [text[a:b] for a, b in sentences(text, "en")][-1] == "Who pays?"
    assert text[slice(*sentences(text, "en")[0])].startswith("🦆🦆")


@settings(max_examples=100, deadline=None)
@given(st.text(min_size=1, max_size=80))
def test_spans_lie_in_the_text_in_order(text: str) -> None:
    spans = sentences(text, "en")
    assert spans
    assert all(0 <= a < b <= len(text) for a, b in spans)
    assert all(before[1] <= after[0] for before, after in pairwise(spans))


def test_the_strongest_sentence_carries_the_tag() -> None:
    texts = ["Nice day. They are watching us. Bye.", "One sentence only"]
    seen: list[str] = []

    def score(parts: list[str]) -> np.ndarray:
        seen.extend(parts)
        return np.array([[float("watching" in part)] for part in parts])

    (first, values), (second, nothing) = carrying(texts, "en", score)
    assert texts[0][slice(*strongest(first, values, 0))] == "They are watching us."
    assert strongest(second, nothing, 0) == (0, len(texts[1]))
    assert seen == ["Nice day.", "They are watching us.", "Bye."]
