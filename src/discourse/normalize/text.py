"""The one clean-up of texts: markup, mojibake, invisible characters, white space, quotes, links.

Rows that need none of it pass through polars expressions alone; the others are found first and visited one by one.
"""

from __future__ import annotations

from collections.abc import Callable

import ftfy
import polars as pl
from ftfy.badness import is_bad

from discourse.normalize.auto import POSSIBLE_MARKUP, read_auto
from discourse.normalize.html import read_html
from discourse.normalize.markdown import read_markdown
from discourse.normalize.marked import Marked
from discourse.normalize.quotes import POSSIBLE_QUOTE, take_quotes

_QUIET = ftfy.TextFixerConfig(
    unescape_html=False,  # a matter of the record's markup
    uncurl_quotes=False,
    fix_character_width=False,  # full-width forms are ordinary in Chinese and Japanese
    fix_line_breaks=False,
)
_MAX_REPAIRS = 5

# Zero-width joiners and direction marks: right where scripts or emoji need a single one, wrong in runs or in ASCII.
_JOINERS = r"\u{200C}-\u{200F}\u{034F}\u{061C}"
_SUBSTITUTIONS: tuple[tuple[str, str], ...] = (
    (r"\x1B\[[0-9;]*[A-Za-z]", ""),
    (r"\r\n?|[\x0B\x0C\x{85}\u{2028}\u{2029}]", "\n"),
    (r"[\x00-\x08\x0E-\x1F\x7F-\x{9F}]", ""),
    # Soft hyphen, zero-width space, bidi overrides and isolates, byte order mark, annotations.
    (r"[\u{AD}\u{180E}\u{200B}\u{202A}-\u{202E}\u{2060}-\u{206F}\u{FEFF}\u{FFF9}-\u{FFFB}\u{1D173}-\u{1D17A}]", ""),
    # Tag characters spell nothing visible but the flags of England, Scotland and Wales.
    (r"(\u{1F3F4}[\u{E0020}-\u{E007E}]{1,6}\u{E007F})|[\u{E0000}-\u{E007F}]", "$1"),
    (rf"[{_JOINERS}]{{2,}}", ""),
    (rf"(^|[\s\x21-\x7E])[{_JOINERS}]", "$1"),
    (rf"[{_JOINERS}](\s|$)", "$1"),
)
_AFTER_COMPOSING: tuple[tuple[str, str], ...] = (
    (r"([\p{Mn}\p{Me}]{6})[\p{Mn}\p{Me}]+", "$1"),
    (r"[\p{Zs}\t]+", " "),
    (r" ?\n ?", "\n"),
    (r"\n{3,}", "\n\n"),
)
_UNTIDY = r"[^\x20-\x7E\n]|  |\n\n\n|\n | \n|^\s|\s$"
# All that mojibake is made of is among the rest; these are ordinary punctuation and emoji.
_SUSPICIOUS = (
    r"[^\x00-\x7F\u{2010}-\u{2019}\u{201C}-\u{201F}\u{2022}\u{2026}"
    r"\u{200D}\u{FE0F}\u{2600}-\u{27BF}\u{1F000}-\u{1FAFF}]"
)
_LIGATURE = r"[\u{132}\u{133}\u{149}\u{1C4}-\u{1CC}\u{1F1}-\u{1F3}\u{FB00}-\u{FB06}]"
_VISIBLE = r"[^\p{Cc}\p{Cf}\p{Z}\p{Mn}\p{Me}\u{115F}\u{1160}\u{2800}\u{3164}\u{FFA0}]"

# The last character is none that ends a sentence or closes a bracket around the address.
_ADDRESS = (
    r"(?i)https?://(?:\([^\s()<>\"“”]*\)|[^\s()<>\"“”])*"
    r"(?:\([^\s()<>\"“”]*\)|[^\s()<>\"“”.,;:!?'’*_~\]}»、。，）」』】》…])"
)

_READERS: dict[str, tuple[str, Callable[[str], Marked]]] = {
    "html": (r"[<&]", read_html),
    "markdown": (r"[*_`~\\^|]|\]\(|(?m)^\s*(?:>\s?)*#|&[#a-zA-Z]|(?i)<https?:|>!|(?m)^\s*-\s?-", read_markdown),
    "auto": (POSSIBLE_MARKUP, read_auto),
}


def clean_text(texts: pl.Series, markup: pl.Series | str = "auto") -> pl.DataFrame:
    """Clean texts as every part of this tool does: for tables, for tagging files and for training alike.

    Args:
        texts: String; null stays null.
        markup: what each text (or all of them) is written in: ``plain``, ``markdown``, ``html`` or ``auto``. Anything
            else, null too, is read as ``auto``: HTML only where formatting tags of comment systems or entities stand;
            every other tag stays in the text as it is.

    Returns:
        One row a text: `text` (String: NFC, paragraphs kept, no quoted passages; null if nothing visible is left),
        `quotes` (List[String], in order, HTML quotes first) and `links` (List[String], http and https, each once).
    """
    kinds = pl.Series([markup]).new_from_index(0, len(texts)) if isinstance(markup, str) else markup
    known = [*_READERS, "plain"]
    frame = pl.DataFrame({"text": texts.cast(pl.String), "markup": kinds.cast(pl.String)}).with_columns(
        pl.when(pl.col("markup").is_in(known)).then("markup").otherwise(pl.lit("auto")).alias("markup")
    )
    frame = frame.with_columns(_tidy(frame["text"])).with_row_index("row")
    marked = pl.concat([_read(frame, kind) for kind in _READERS])
    frame = frame.join(marked, on="row", how="left", maintain_order="left").with_columns(
        pl.coalesce("unmarked", "text").alias("text")
    )
    frame = frame.with_columns(_repair(_tidy(frame["text"])))
    passages = frame.select("row", "marked_quotes").explode("marked_quotes").drop_nulls()
    passages = passages.with_columns(_repair(_tidy(passages["marked_quotes"])))
    return _finish(frame, passages)


def _read(frame: pl.DataFrame, kind: str) -> pl.DataFrame:
    pattern, reader = _READERS[kind]
    rows = frame.filter((pl.col("markup") == kind) & pl.col("text").str.contains(pattern))
    found = [reader(text) for text in rows["text"]]
    return pl.DataFrame(
        {
            "row": rows["row"],
            "unmarked": pl.Series([one.text for one in found], dtype=pl.String),
            "marked_quotes": pl.Series([one.quotes for one in found], dtype=pl.List(pl.String)),
            "marked_links": pl.Series([one.links for one in found], dtype=pl.List(pl.String)),
        }
    )


def _finish(frame: pl.DataFrame, passages: pl.DataFrame) -> pl.DataFrame:
    """Take quoted lines out, gather quotes and links, and make texts without anything visible null."""
    quoting = frame.select("row", "text").filter(pl.col("text").str.contains(POSSIBLE_QUOTE))
    parted = [take_quotes(text) for text in quoting["text"]]
    unquoted = pl.DataFrame(
        {
            "row": quoting["row"],
            "unquoted": _tidy(pl.Series([own for own, _ in parted], dtype=pl.String)),
            "line_quotes": pl.Series([quotes for _, quotes in parted], dtype=pl.List(pl.String)),
        }
    )
    html_quotes = passages.group_by("row", maintain_order=True).agg(pl.col("marked_quotes").alias("html_quotes"))
    no_texts = pl.lit([], dtype=pl.List(pl.String))
    return (
        frame.join(unquoted, on="row", how="left", maintain_order="left")
        .join(html_quotes, on="row", how="left", maintain_order="left")
        .with_columns(pl.coalesce("unquoted", "text").alias("text"))
        .select(
            pl.when(pl.col("text").str.contains(_VISIBLE)).then("text").alias("text"),
            pl.concat_list(pl.col("html_quotes").fill_null(no_texts), pl.col("line_quotes").fill_null(no_texts)).alias(
                "quotes"
            ),
            pl.concat_list(
                pl.col("marked_links").fill_null(no_texts), pl.col("text").str.extract_all(_ADDRESS).fill_null(no_texts)
            )
            .list.unique(maintain_order=True)
            .alias("links"),
        )
        .with_columns(pl.col("quotes").list.eval(pl.element().filter(pl.element().str.contains(_VISIBLE))))
    )


def _tidy(texts: pl.Series) -> pl.Series:
    """Remove what nobody sees and collapse white space, in the rows that need it."""
    rows = texts.str.contains(_UNTIDY).fill_null(value=False).arg_true()
    if not len(rows):
        return texts
    some = texts.gather(rows).str.normalize("NFC")
    for pattern, kept in _SUBSTITUTIONS:
        some = some.str.replace_all(pattern, kept)
    some = some.str.normalize("NFC")
    for pattern, kept in _AFTER_COMPOSING:
        some = some.str.replace_all(pattern, kept)
    return texts.scatter(rows, some.str.strip_chars())


def _repair(texts: pl.Series) -> pl.Series:
    """Undo mojibake and ligatures in the rows that may have them, until nothing more is found."""
    for _ in range(_MAX_REPAIRS):
        suspects = texts.str.contains(_SUSPICIOUS).fill_null(value=False).arg_true()
        ligatures = texts.gather(suspects).str.contains(_LIGATURE)
        rows: list[int] = []
        repaired: list[str] = []
        for row, text, ligature in zip(suspects, texts.gather(suspects), ligatures, strict=True):
            # ftfy itself does nothing more where `is_bad` is false, but takes its time over it.
            better = ftfy.fix_text(text, _QUIET) if ligature or is_bad(text) else text
            if better != text:
                rows.append(row)
                repaired.append(better)
        if not rows:
            break
        texts = texts.scatter(rows, _tidy(pl.Series(repaired, dtype=pl.String)))
    return texts
