"""What is displayed neither turns, hides nor floods, and ordinary writing stays as it is."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from discourse.report.legible import legible, legible_page, legible_spans

WRITING = [
    "Plain words, “quotes”, naïve Ürümqi – and\n\na second paragraph.",
    "می‌خواهم به خانه بروم",  # a Persian word with its non-joiner
    "בְּרֵאשִׁית בָּרָא",  # pointed Hebrew
    "👩‍❤️‍💋‍👨 🏴󠁧󠁢󠁳󠁣󠁴󠁿 👍🏽 ❤️‍🔥",
    "ที่นี่ น้ำ",
    "क्षत्रिय නිර්දේශ",
    "Việt Nam ế ộ e\u0302\u0301",
]


@pytest.mark.parametrize("text", WRITING)
def test_writing_stays(text: str) -> None:
    """Joiners, vowel signs, emoji and one blank line are left alone."""
    assert legible(text) == text


@pytest.mark.parametrize(
    ("text", "shown"),
    [
        ("pay \u202e001 ton od", "pay 001 ton od"),
        ("a\u2066b\u2069c", "a\u2066b\u2069c"),
        ("a\u2067\u202eb\u2069c", "abc"),
        ("a\u2067bc", "abc"),
        ("\u2069\u202c\u2069out", "out"),
        ("a" + "\u200b" * 5000 + "b", "a\u200b\u200bb"),
        ("a" + "\u200d\u202e\u200b" * 50 + "b", "a\u200d\u200bb"),
        ("a\u2068\rb\u2069", "a\nb"),
        ("Z" + "\u0334\u0316\u0322" * 90 + "!", "Z\u0334\u0316\u0322!"),
        ("a\n \n\t\n\n\n\nb", "a\n \nb"),
        ("a" + "\u3000" * 900 + "b", "a" + "\u3000" * 16 + "b"),
        ("\U0001f468\u200d" * 40, "\U0001f468" * 40),
        ("a\r\nb\u2028c\u2029d", "a\nb\nc\nd"),
        ("\U000e0049\U000e0067nore", "nore"),
        ("a\x00\x08\x1b[31mb\x9b", "a[31mb"),
    ],
)
def test_attacks_are_taken_out(text: str, shown: str) -> None:
    """Overrides, open isolates, floods, stacks, hidden tags and controls do not reach the reader."""
    assert legible(text) == shown


HARD = st.text(st.sampled_from("ab \n\u202e\u2066\u2068\u2069\u200b\u0301\u0000\U0001f3f4\U000e0067\r"), max_size=30)


@given(HARD)
def test_a_second_time_changes_nothing_more_than_blank_lines(text: str) -> None:
    """What came out is not an attack again."""
    once = legible(text)
    assert not set(once) & set("\u202e\u0000\r")
    assert once.count("\u2069") == once.count("\u2066") + once.count("\u2068")
    assert "\u200b" * 3 not in once
    assert "\u0301" * 4 not in once


@given(HARD, st.integers(0, 30), st.integers(0, 30))
def test_spans_move_with_their_words(text: str, one: int, other: int) -> None:
    """Evidence covers the same words before and after."""
    low, high = sorted(min(place, len(text)) for place in (one, other))
    shown, ((start, end),) = legible_spans(text, [(low, high)])
    assert shown == legible(text)
    assert 0 <= start <= end <= len(shown)
    assert shown[start:end].replace("\n", "").count("a") == text[low:high].count("a")
    assert shown[start:end].count("b") == text[low:high].count("b")


def test_the_style_sheet_and_scripts_of_a_page_are_left_alone() -> None:
    """Their hashes stand in the policy, so not a letter of them may change."""
    kept = "<style>a{}\n\n\n\nb{}\u202e</style><script>1\r\n\u2028</script>"
    assert legible_page(f"<p>\u202ea</p>{kept}<p>\u202e</p>") == f"<p>a</p>{kept}<p></p>"


@given(st.text(st.characters(max_codepoint=127), max_size=60), st.integers(0, 4), st.integers(0, 40))
def test_the_short_way_takes_out_what_the_long_one_does(text: str, lines: int, spaces: int) -> None:
    """Texts of plain letters that are passed unread are those that the patterns leave as they are."""
    made = f"{text}{chr(10) * lines}{' ' * spaces}{text}"
    assert legible_spans(made, [])[0] == legible(made)
