"""Pasted text: the article, the comments, and the furniture between and within them."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from discourse.collect.furniture import compile_furniture, is_heading
from discourse.collect.rawfile import RawFile
from discourse.collect.sources import PastedText
from discourse.config import InputConfig
from discourse.errors import InputError, UsageError
from discourse.tables import RAW_COMMENTS
from discourse.workspace import now

Collect = Callable[..., Any]


def kept(found: Any) -> list[tuple[str, str]]:
    """Return location and text of each comment."""
    return found.comments.drop_nulls("text").select("location", "text").rows()


def dropped(found: Any) -> list[tuple[str, str, str]]:
    """Return location, reason and excerpt of each record that is no comment."""
    return found.comments.drop_nulls("reason").select("location", "reason", "excerpt").rows()


def test_lines_are_comments_and_the_article_is_apart(collect: Collect) -> None:
    """Lines are comments and the article is apart."""
    text = "Headline\nThe story.\nRelated stories:\nMore\nI agree.\n\nDisgusting.\nYes\n"
    found = collect("a.txt", text, article_lines="1-2", mode="line")
    assert kept(found) == [("line 5", "I agree."), ("line 7", "Disgusting."), ("line 8", "Yes")]
    assert dropped(found) == [("line 3", "furniture", "Related stories:"), ("line 4", "furniture", "More")]
    assert found.threads.select("thread_id", "article").row(0) == ("file:a.txt", "Headline\n\nThe story.")
    assert found.comments["native_id"].null_count() == len(found.comments)
    assert found.note == "a.txt read as pasted text (lines): 3 comments, 2 of page furniture"


def test_a_blank_line_between_comments_makes_paragraphs(collect: Collect) -> None:
    """A blank line between comments makes paragraphs."""
    text = "Story, one\nStory, two\n\nStory, three\n\n\nA comment\nof two lines.\nReply\n\nAnother one.\n"
    found = collect("a.txt", text, article_lines="1-4")
    assert kept(found) == [("lines 7-8", "A comment\nof two lines."), ("line 11", "Another one.")]
    assert dropped(found) == [("line 9", "furniture", "Reply")]
    assert found.threads["article"].to_list() == ["Story, one\nStory, two\n\nStory, three"]


def test_blank_lines_around_but_not_between_comments_leave_lines(collect: Collect) -> None:
    """Blank lines around but not between comments leave lines."""
    found = collect("a.txt", "Story.\n\nOne comment here.\nAnother comment here.\n\n", article_lines="1")
    assert [text for _, text in kept(found)] == ["One comment here.", "Another comment here."]


def test_without_an_article_no_short_line_is_lost(collect: Collect) -> None:
    """Without an article no short line is lost."""
    found = collect("a.txt", "Disgusting\nYes\n")
    assert [text for _, text in kept(found)] == ["Disgusting", "Yes"]
    assert found.threads["article"].to_list() == [None]


@pytest.mark.parametrize(
    "line",
    [
        "Reply",
        "REPLY",
        "Share",
        "Like (3)",
        "Reply · Share · Report",
        "Reply Share",
        "12 comments",
        "1.2k Comments",
        "Comments (12)",
        "View replies (3)",
        "View 3 replies",
        "Load more comments",
        "Show more",
        "Sort by: Best",
        "Sort by newest",
        "Log in to comment",
        "Log in or sign up to comment",
        "2 hours ago",
        "an hour ago",
        "3d ago (edited)",
    ],
)
def test_page_furniture_is_known(line: str) -> None:
    """Page furniture is known."""
    assert compile_furniture(()).holds(line)


@pytest.mark.parametrize(
    "line",
    [
        "Disgusting.",
        "Yes",
        "Same",
        "This.",
        "lol",
        "I like it",
        "Reply to me, coward",
        "2 hours wasted",
        "12",
        "No comment",
    ],
)
def test_short_comments_are_no_furniture(line: str) -> None:
    """Short comments are no furniture."""
    assert not compile_furniture(()).holds(line)


def test_headings_have_few_words_and_no_end_or_end_in_a_colon() -> None:
    """Headings have few words and no end or end in a colon."""
    assert is_heading("Related")
    assert is_heading("What our readers say about this today:")
    assert is_heading("Most read stories")
    assert not is_heading("Disgusting.")
    assert not is_heading("“Disgusting!”")
    assert not is_heading("Shame on you all")


def test_own_patterns_match_whole_lines(collect: Collect) -> None:
    """Own patterns match whole lines."""
    text = "First comment here\n[[ad]]\nSee [[ad]] above\n"
    found = collect("a.txt", text, furniture=r"\[\[.*\]\]")
    assert [location for location, _ in kept(found)] == ["line 1", "line 3"]
    with pytest.raises(UsageError, match="no regular expression"):
        collect("a.txt", text, furniture="(")


@pytest.mark.parametrize(
    ("options", "error", "said"),
    [
        ({"article_lines": "1-9"}, InputError, "beyond its 2 lines"),
        ({"article_lines": "1-2"}, InputError, "no comments follow"),
        ({"article_lines": "2-1"}, UsageError, "first and last line"),
        ({"article_lines": "0"}, UsageError, "first and last line"),
        ({"map": {"text": "body"}}, UsageError, "no columns for --map"),
        ({"attributes": "x"}, UsageError, "no columns for"),
    ],
)
def test_options_that_do_not_fit_are_refused(
    collect: Collect, options: dict[str, object], error: type[Exception], said: str
) -> None:
    """Options that do not fit are refused."""
    with pytest.raises(error, match=said):
        collect("a.txt", "one line\ntwo lines\n", **options)


def test_encodings_and_line_ends_do_not_matter(collect: Collect) -> None:
    """Encodings and line ends do not matter."""
    plain = kept(collect("a.txt", "größer\nkleiner\n"))
    for content in ("größer\r\nkleiner".encode("utf-16"), "größer\rkleiner".encode("cp1252")):
        assert kept(collect("a.txt", content)) == plain


def test_text_that_looks_like_a_table_is_text_when_mode_says_so(collect: Collect) -> None:
    """Text that looks like a table is text when mode says so."""
    content = "id,text\n1,Hello there\n"
    assert len(kept(collect("a.txt", content, mode="line"))) == 2
    assert len(kept(collect("a.txt", content))) == 1


def test_an_endless_paragraph_is_too_large(collect: Collect) -> None:
    """An endless paragraph is too large."""
    found = collect("a.txt", "x" * 1_000_001 + "\nfine\n")
    assert dropped(found) == [("line 1", "too_large", "x" * 200)]


@settings(max_examples=80, deadline=None)
@given(
    st.lists(st.text(st.characters(exclude_categories=("Cs", "Cc")), max_size=30), min_size=1, max_size=12),
    st.sampled_from(["auto", "line", "paragraph"]),
    st.integers(0, 4),
)
def test_every_line_with_text_is_kept_somewhere(lines: list[str], mode: str, article: int) -> None:
    """Every line with text is kept somewhere."""
    options = InputConfig(mode=mode, article_lines=f"1-{article}" if 0 < article <= len(lines) else None)  # type: ignore[arg-type]
    raw = RawFile("a.txt", "\n".join(lines).encode())
    try:
        parsed = PastedText().parse(raw, options, now())
    except InputError:
        return
    comments = RAW_COMMENTS.conform(parsed.comments)
    found = "\n".join([*comments["text"].drop_nulls(), *comments["excerpt"].drop_nulls()])
    found += "\n" + (parsed.threads["article"].item() or "")
    assert sorted(line.strip() for line in lines if line.strip()) == sorted(
        line.strip() for line in found.split("\n") if line.strip()
    )
