"""The one clean-up of texts."""

from __future__ import annotations

import time
import unicodedata
from typing import Any

import polars as pl
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from discourse.normalize import clean_text


def clean(text: str | None, markup: str = "plain") -> dict[str, Any]:
    """Clean one text."""
    return clean_text(pl.Series([text], dtype=pl.String), markup).row(0, named=True)


@pytest.mark.parametrize(
    ("dirty", "expected"),
    [
        ("It wasnâ€™t me", "It wasn’t me"),
        ("cafe\u0301", "café"),
        ("“curly” stays", "“curly” stays"),
        ("a\x00b\x07c\x9d", "abc"),
        ("\u202eevil\u202c \u2066x\u2069", "evil x"),
        ("h\u200be\u200bl\ufeffl\u00ado", "hello"),
        ("w\u200do\u200dw", "wow"),
        ("a\u05d0\u200d\u200d\u200c\u200d\u05d1", "a\u05d0\u05d1"),
        ("👩\u200d🚀 می\u200cخواهم", "👩\u200d🚀 می\u200cخواهم"),
        ("z\u0335\u0336\u0337\u0338\u0321\u0322\u0327\u0328a", "z\u0335\u0336\u0337\u0338\u0321\u0322a"),
        ("  one \t two\r\nthree  ", "one two\nthree"),
        ("para\n\n\n \n\npara", "para\n\npara"),
        ("\x1b[31mred\x1b[0m", "red"),
        ("oﬃce ﬁle", "office file"),
        ("＃日本！？", "＃日本！？"),
        ("&gt; &amp; <b>x</b> **y**", "&gt; &amp; <b>x</b> **y**"),
        ("\u200b \u3164\u2800\n", None),
        ("", None),
        (None, None),
    ],
)
def test_plain_text_keeps_what_a_reader_sees_and_nothing_else(dirty: str | None, expected: str | None) -> None:
    """Plain text keeps what a reader sees and nothing else."""
    assert clean(dirty)["text"] == expected


@pytest.mark.parametrize(
    ("source", "expected", "links"),
    [
        ("<p>One<br>two</p><p>three &amp; &lt;four&gt;</p>", "One\ntwo\n\nthree & <four>", []),
        ("<ul><li>a</li><li>b</li></ul>", "a\nb", []),
        ("x<script>alert(1)</script><style>p{}</style>y", "xy", []),
        ('see <a href="https://a.example/x?y=1&amp;copy=2">this</a>', "see this", ["https://a.example/x?y=1&copy=2"]),
        ('<a href="javascript:alert(1)">go</a> <a href="/relative">on</a>', "go on", []),
        ("<p>a\nb</p>\n<p>c</p>", "a b\n\nc", []),
        ("<p>unclosed<p>paragraphs", "unclosed\n\nparagraphs", []),
        ("no tags\nbut lines &quot;here&quot;", 'no tags\nbut lines "here"', []),
        ('<img class="emoji" alt=":smile:"> hi', ":smile: hi", []),
    ],
)
def test_html_reads_as_its_reader_sees_it(source: str, expected: str, links: list[str]) -> None:
    """HTML reads as its reader sees it."""
    found = clean(source, "html")
    assert found["text"] == expected
    assert found["links"] == links


def test_html_quotes_leave_the_text() -> None:
    """HTML quotes leave the text."""
    found = clean(
        '<aside class="quote" data-post="1"><div class="title">ann:</div>'
        "<blockquote><p>her words</p></blockquote></aside>"
        "<p>mine</p><blockquote>other<blockquote>inner</blockquote></blockquote><cite>a source</cite>",
        "html",
    )
    assert found["text"] == "mine"
    assert found["quotes"] == ["her words", "inner", "other", "a source"]


@pytest.mark.parametrize(
    ("source", "expected", "links"),
    [
        ("see [the **report**](https://a.example/b_(c)) now", "see the report now", ["https://a.example/b_(c)"]),
        ("**bold** *it* ***both*** ~~gone~~ `code *x*` _under_", "bold it both gone code *x* under", []),
        ("# Heading\n\n### Sub\n#hashtag", "Heading\n\nSub\n#hashtag", []),
        ("snake_case_name and __init__ and 2*3*4 and 2 * 3 * 4", None, []),
        ("f*** this s**t, ¯_(ツ)_/¯ a^b 2^10 x < y > z", None, []),
        ("https://x.example/_a_/b*c*d_e", None, ["https://x.example/_a_/b*c*d_e"]),
        ("\\*not italic\\* 1\\. no list", "*not italic* 1. no list", []),
        ("&gt;!secret!&lt; &amp; &#x27;q&#x27; &amp;#x200B;", "secret & 'q'", []),
        ("[click](javascript:alert(1))", "[click](javascript:alert(1))", []),
        ("a\n\n---\n\nb", "a\n\nb", []),
        ("Look: (https://a.example/x), ok.", None, ["https://a.example/x"]),
    ],
)
def test_markdown_loses_its_marks_and_nothing_else(source: str, expected: str | None, links: list[str]) -> None:
    """Markdown loses its marks and nothing else."""
    found = clean(source, "markdown")
    assert found["text"] == (source if expected is None else expected)
    assert found["links"] == links


@pytest.mark.parametrize(
    ("source", "expected"),
    [
        ("<b>bold</b> and <i>it</i>", "bold and it"),
        ("<img src=x onerror=alert(1)>", None),
        ("<script>alert(1)</script>", None),
        ("<p>look: <img src=x onerror=alert(1)></p>", "look: <img src=x onerror=alert(1)>"),
        ("<b>x</b> <script>y</script>", "x <script>y</script>"),
        ("a < b and a<b and c>d", None),
        ("tom &amp; jerry &copy=2", "tom & jerry &copy=2"),
        ("[t](https://a.example) **b** *i*", "t b *i*"),
        ("one\ntwo <b>three</b>", "one\ntwo three"),
        ("I <3 it", None),
    ],
)
def test_auto_resolves_only_what_is_surely_markup(source: str, expected: str | None) -> None:
    """Auto resolves only what is surely markup."""
    assert clean(source, "auto")["text"] == (source if expected is None else expected)


def test_auto_collects_no_script_links() -> None:
    """Auto collects no script links."""
    assert clean('<a href="javascript:x">a</a> <a href="http://a.example/">b</a>', "auto")["links"] == [
        "http://a.example/"
    ]


@pytest.mark.parametrize(
    ("source", "text", "quotes"),
    [
        ("> their words\nmine", "mine", ["their words"]),
        (">> older\n> newer\n\nmine", "mine", ["older", "newer"]),
        ("> a\n>\n> b\nmine\n> c", "mine", ["a\n\nb", "c"]),
        ("> only theirs", None, ["only theirs"]),
        (">:( no\n>_< no", ">:( no\n>_< no", []),
        ("I agree.\n\nOn 3 May 2024, Ann wrote:\n> her words", "I agree.", ["her words"]),
        ("On Mon, Ann wrote:\nher words\nher more\n\nmine", "mine", ["her words\nher more"]),
        ("On his blog he wrote: yes", "On his blog he wrote: yes", []),
    ],
)
def test_quoted_lines_leave_the_text(source: str, text: str | None, quotes: list[str]) -> None:
    """Quoted lines leave the text."""
    found = clean(source)
    assert found["text"] == text
    assert found["quotes"] == quotes


@pytest.mark.parametrize("markup", ["markdown", "auto", "html"])
def test_quote_marks_written_as_entities_count(markup: str) -> None:
    """Quote marks written as entities count."""
    assert clean("&gt; theirs\nmine", markup) == {"text": "mine", "quotes": ["theirs"], "links": []}


def test_markup_is_read_row_by_row_and_an_unknown_one_as_auto() -> None:
    """Markup is read row by row and an unknown one as auto."""
    texts = pl.Series(["<b>x</b>"] * 4)
    assert clean_text(texts, pl.Series(["plain", "html", None, "bbcode"]))["text"].to_list() == [
        "<b>x</b>",
        "x",
        "x",
        "x",
    ]


def test_an_empty_column_has_the_same_schema() -> None:
    """An empty column has the same schema."""
    expected = {"text": pl.String, "quotes": pl.List(pl.String), "links": pl.List(pl.String)}
    assert clean_text(pl.Series([], dtype=pl.String), "auto").schema == expected
    assert clean_text(pl.Series([None, None]), "html").schema == expected


MARKUP = ["<b>", "</p>", "<blockquote>", "<br/>", "&gt;", "> ", "**", "_", "](http://a.b)", "[", "`", "~~", ">!", "!<"]
ODDITIES = [
    "\n",
    "\\",
    "\u202e",
    "\u200d",
    "â€™",
    "Ã©",
    "\u0301",
    "\x00",
    "On 1 May X wrote:\n",
    "&#xD800;",
    "\u2028",
    "ﬁ",
]
SPICE = st.sampled_from([*MARKUP, *ODDITIES])
HOSTILE = st.lists(st.one_of(SPICE, st.text(max_size=8)), max_size=12).map("".join)


@settings(max_examples=60, deadline=None)
@given(st.lists(HOSTILE, min_size=1, max_size=8), st.sampled_from(["plain", "markdown", "html", "auto"]))
def test_any_text_is_cleaned_without_fault(texts: list[str], markup: str) -> None:
    """NFC, no invisible controls, no blank lines in a row, and every link is a web address."""
    for text, _, links in clean_text(pl.Series(texts), markup).iter_rows():
        assert all(link.lower().startswith(("http://", "https://")) for link in links)
        if text is not None:
            assert text == unicodedata.normalize("NFC", text)
            assert text == text.strip()
            assert "\n\n\n" not in text
            assert "  " not in text
            assert not any(unicodedata.category(c) == "Cc" and c != "\n" for c in text)
            assert not set(text) & set("\u202a\u202b\u202c\u202d\u202e\u2066\u2067\u2068\u2069\u200b\ufeff")


@settings(max_examples=60, deadline=None)
@given(st.lists(HOSTILE, min_size=1, max_size=8))
def test_cleaning_twice_changes_nothing(texts: list[str]) -> None:
    """Cleaning twice changes nothing."""
    once = clean_text(pl.Series(texts), "plain")["text"]
    twice = clean_text(once, "plain")
    assert twice["text"].to_list() == once.to_list()
    assert twice["quotes"].list.len().sum() == 0


@pytest.mark.parametrize(
    ("markup", "text"),
    [
        ("html", "<div>" * 50_000 + "x"),
        ("html", "<b id=1>" * 20_000 + "x"),
        ("html", "<a " + "x " * 100_000 + ">y"),
        ("auto", "<b>" * 50_000 + "<" * 50_000),
        ("markdown", "[" * 50_000 + "](" * 20_000),
        ("markdown", "**a " * 50_000 + "_b" * 50_000 + "` `` " * 30_000),
        ("markdown", ">!" * 50_000 + "~~" * 50_000 + "^(" * 50_000),
        ("plain", ">" * 100_000 + "https://" * 20_000),
    ],
    ids=["nested", "attributes", "long tag", "auto", "brackets", "stars", "spoilers", "quotes"],
)
def test_hostile_texts_take_little_time(markup: str, text: str) -> None:
    """Hostile texts take little time."""
    start = time.perf_counter()
    clean(text, markup)
    assert time.perf_counter() - start < 5
