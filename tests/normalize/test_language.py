"""The language of each comment, read together with its thread."""

from __future__ import annotations

import polars as pl
import pytest

from discourse.errors import UsageError
from discourse.normalize.language import detect_languages

ENGLISH = [
    "I think that the council should have asked us before they put up those cameras.",
    "Nobody on our street wanted this, and the mayor knew it from the start.",
    "My neighbour says it is only about traffic, but I do not believe a word of it.",
    "They said the same thing about the lamp posts two years ago, remember?",
    "Honestly I would rather have a working bus line than another pilot project.",
    "This is the third time that they have changed the story in a single month.",
]
CANDIDATES = ("en", "es", "fr", "de", "it", "tr", "pl")


def detect(texts: list[str | None], candidates: tuple[str, ...] = CANDIDATES) -> list[tuple[str | None, float | None]]:
    """Detect the languages of one thread."""
    frame = pl.DataFrame({"thread_id": ["t"] * len(texts), "text": pl.Series(texts, dtype=pl.String)})
    return list(detect_languages(frame, candidates).iter_rows())


@pytest.mark.parametrize(
    ("text", "language"),
    [
        ("lol yes", "en"),
        ("ok", "en"),
        ("no", "en"),
        ("Creo que el gobierno nos oculta la verdad sobre esto.", "es"),
        ("Das ist doch Unsinn", "de"),
        ("これは日本語です", "ja"),
        ("한국어 댓글입니다", "ko"),
        ("Это по-русски", "ru"),
    ],
)
def test_short_texts_follow_their_thread_and_clear_ones_do_not(text: str, language: str) -> None:
    """Short texts follow their thread and clear ones do not."""
    found, confidence = detect([*ENGLISH, text])[-1]
    assert found == language
    assert confidence is not None
    assert 0 < confidence <= 1


def test_short_texts_are_less_sure_than_long_ones() -> None:
    """Short texts are less sure than long ones."""
    found = detect([*ENGLISH, "ok"])
    assert found[-1][1] is not None
    assert found[0][1] is not None
    assert found[-1][1] < found[0][1]


@pytest.mark.parametrize("text", ["😂😂", "42", "https://example.org/les-gens-de-la-rue", "B", "@someone"])
def test_what_has_no_words_gets_the_language_of_its_thread_without_confidence(text: str) -> None:
    """What has no words gets the language of its thread without confidence."""
    assert detect([*ENGLISH, text])[-1] == ("en", 0.0)


def test_no_text_has_no_language() -> None:
    """No text has no language."""
    assert detect([None, *ENGLISH])[0] == (None, None)


def test_threads_do_not_speak_for_each_other() -> None:
    """Threads do not speak for each other."""
    spanish = ["Creo que el gobierno nos oculta la verdad sobre esto y nadie dice nada."] * 6
    texts = [*ENGLISH, "no", *spanish, "no"]
    frame = pl.DataFrame({"thread_id": ["a"] * 7 + ["b"] * 7, "text": texts})
    found = detect_languages(frame, CANDIDATES)["language"]
    assert (found[6], found[13]) == ("en", "es")


def test_one_candidate_is_enough() -> None:
    """One candidate is enough."""
    assert [language for language, _ in detect([*ENGLISH, "これは日本語です"], ("en",))] == ["en"] * 6 + ["ja"]


@pytest.mark.parametrize("candidates", [(), ("english",), ("en", "zz")])
def test_unknown_or_no_candidates_are_usage_errors(candidates: tuple[str, ...]) -> None:
    """Unknown or no candidates are usage errors."""
    with pytest.raises(UsageError, match="languages"):
        detect(["hello"], candidates)


def test_no_comments_have_no_languages() -> None:
    """No comments have no languages."""
    empty = pl.DataFrame(schema={"thread_id": pl.String, "text": pl.String})
    assert len(detect_languages(empty, CANDIDATES)) == 0
