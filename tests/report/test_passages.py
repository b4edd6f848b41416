"""Texts are cut and marked without losing or inventing a letter."""

from __future__ import annotations

from hypothesis import given, settings
from hypothesis import strategies as st

from discourse.report.catalogue import words_of
from discourse.report.legible import legible
from discourse.report.passages import SHORT_LETTERS, SHORT_WORDS, passages
from discourse.report.policy import Policy

WORDS = words_of("en")
FULL = Policy("full", WORDS, scrub=False)
SCRUBBED = Policy("full", WORDS)
SHORT = Policy("short", WORDS, frozenset({"cm0042x9"}))
# What is taken out for display before anything is cut is tested with `legible`.
VISIBLE = st.characters(exclude_categories=("Cc", "Cf", "Cn", "Cs", "Mn", "Me", "Zl", "Zp"))
SPANS = st.lists(st.tuples(st.integers(-5, 90), st.integers(-5, 90)), max_size=4)


@given(st.text(VISIBLE, max_size=80).map(legible), SPANS)
@settings(max_examples=100)
def test_a_whole_text_stays_whole(text: str, spans: list[tuple[int, int]]) -> None:
    """Whatever the spans, the passages of a short text are the text, and evidence is what the spans cover."""
    found = passages(text, spans, FULL)
    assert "".join(part.text for part in found) == text
    covered = {place for low, high in spans for place in range(max(0, low), min(high, len(text)))}
    marked = [part.evidence for part in found for _ in part.text]
    assert marked == [place in covered for place in range(len(text))]


@given(st.text(VISIBLE, min_size=50, max_size=300).map(legible), st.integers(0, 280), st.integers(1, 30))
@settings(max_examples=100)
def test_a_cut_text_keeps_its_evidence(text: str, start: int, length: int) -> None:
    """Where a text is cut, the start of the evidence is inside what is shown."""
    start = min(start, len(text) - 1)
    found = passages(text, [(start, start + length)], FULL, limit=40)
    evidence = "".join(part.text for part in found if part.evidence)
    assert evidence
    assert evidence.rstrip("…")[:1] == text[start : start + 1] or text[start] == "…"


@given(st.text(max_size=400), SPANS)
@settings(max_examples=100)
def test_short_quotes_are_short(text: str, spans: list[tuple[int, int]]) -> None:
    """At most twelve words and a fixed number of letters, also where no spaces part the words."""
    shown = "".join(part.text for part in passages(text, spans, SHORT)).replace("…", " ")
    assert len(shown.split()) <= SHORT_WORDS
    assert len(shown) <= SHORT_LETTERS + SHORT_WORDS + 4


def test_short_quotes_hold_no_address_name_or_id() -> None:
    """What leads to a person is replaced."""
    text = "See https://a.example/b and www.b.example, b.example/x ask @kim or u/kim about cm0042x9."
    shown = "".join(part.text for part in passages(text, [], SHORT))
    assert shown == "See [address] and [address] [address] ask [name] or [name] about [id]"


def test_whole_quotes_are_scrubbed_and_their_evidence_keeps_its_place() -> None:
    """E-mail addresses, numbers and names are replaced, links inert, and the marked words are still those marked."""
    text = "Ask @kim or kim@a.example, +49 170 1234567. See https://a.example/@kim/1 for proof. It is a scandal."
    start, end = text.index("See"), text.index("for proof")
    found = passages(text, [(start, end), (text.index("It is"), len(text))], SCRUBBED)
    assert "".join(part.text for part in found) == (
        "Ask [name] or [e-mail address], [phone number]. See hxxps://a[.]example/[name]/1 for proof. It is a scandal."
    )
    assert [part.text for part in found if part.evidence] == ["See hxxps://a[.]example/[name]/1 ", "It is a scandal."]


@given(st.text("a@.:/w0+ u", max_size=80), SPANS)
@settings(max_examples=200)
def test_scrubbing_keeps_spans_in_the_text(text: str, spans: list[tuple[int, int]]) -> None:
    """Whatever is replaced, spans keep their order and what lies between two replacements stays."""
    clean, moved = SCRUBBED.scrubbed(text, spans)
    assert all(
        (low <= high) == (new_low <= new_high) or low > high
        for (low, high), (new_low, new_high) in zip(spans, moved, strict=True)
    )
    assert all(high <= len(clean) for (_, high), (_, end) in zip(moved, spans, strict=True) if end <= len(text))


def test_short_quotes_begin_at_the_evidence() -> None:
    """The words that are shown are those that carry the tag."""
    text = "One two three. Four five six."
    found = passages(text, [(15, 29)], SHORT)
    assert [(part.text, part.evidence) for part in found] == [("… ", False), ("Four five six.", True)]
