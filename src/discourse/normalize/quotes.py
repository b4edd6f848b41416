"""Quoted passages: taken out of a comment's text, and found again in the comment they were taken from."""

from __future__ import annotations

import re
from bisect import bisect_right
from itertools import accumulate

import polars as pl

# Both spot quotes before anything is done by hand: in polars, so without look-around.
POSSIBLE_QUOTE = r"(?m)^ ?>|(?:wrote|schrieb.*|écrit ?|escribió) ?:$"
MIN_PASSAGE = 15  # characters; shorter ones stand in too many comments

# Not >:( nor >_< nor >.> nor a spoiler.
_QUOTED_LINE = re.compile(r" ?>(?![:;=_<^]|\.[<>_.]?(?:\s|$)|-[<>]|!.*!<)((?:>| (?=>))*+) ?")
_ATTRIBUTION = re.compile(r"(?:On|Am|Le|El) .{4,200} (?:wrote|schrieb(?: .{1,100})?|écrit|escribió) ?:")

_UNIT_SEPARATOR = "\x1f"


def take_quotes(text: str) -> tuple[str, list[str]]:
    """Part a clean text into the author's own words and the passages quoted from others.

    Quoted are lines that begin with ``>``, each level of them for itself, and what follows "On … X wrote:": quoted
    lines, or where there are none the paragraph right below. That sentence itself goes too.

    Returns:
        The text without the passages (an empty line in the place of each), and the passages in order.
    """
    lines = text.split("\n")
    own: list[str] = []
    passages: list[list[str]] = []
    level = 0  # of the quote that the line before belongs to; 0: none
    below_attribution = False
    for place, line in enumerate(lines):
        quoted = _QUOTED_LINE.match(line)
        depth = 1 + quoted[1].count(">") if quoted else 0
        words = line[quoted.end() :] if quoted else line
        if below_attribution and not quoted and line:
            depth = level or 1
        elif not quoted:
            below_attribution = _attributes(lines, place)
            level = 0
            own.append("" if below_attribution else line)
            continue
        else:
            below_attribution = False
        if depth != level and not (level and not words):
            passages.append([])
            own.append("")
            level = depth
        passages[-1].append(words)
    found = [re.sub(r"\n{3,}", "\n\n", "\n".join(passage)).strip() for passage in passages]
    return "\n".join(own), [passage for passage in found if passage]


def locate_quotes(comments: pl.DataFrame) -> pl.Series:
    """Find for each quoted passage the comment of the same thread in whose text it stands.

    Searched are the parent first, then the thread's earlier comments from its start; letter case and white space do
    not count.

    Args:
        comments: columns thread_id, comment_id, parent_id, position, text and quotes (List[String]).

    Returns:
        List of {text, comment_id}, aligned with the rows; comment_id is null where nothing was found.
    """
    dtype = pl.List(pl.Struct({"text": pl.String(), "comment_id": pl.String()}))
    rows = comments.select("thread_id", "comment_id", "parent_id", "position", "quotes").with_row_index("row")
    passages = (
        rows.filter(pl.col("quotes").list.len() > 0)
        .explode("quotes")
        .rename({"quotes": "passage"})
        .with_columns(_plain("passage").alias("sought"))
    )
    if passages.is_empty():
        return pl.repeat([], len(comments), dtype=dtype, eager=True).alias("quotes")
    texts = comments.filter(pl.col("text").is_not_null(), pl.col("thread_id").is_in(passages["thread_id"].implode()))
    texts = texts.select("thread_id", "comment_id", "position", _plain("text").alias("searched"))
    of_parents = texts.select(pl.col("comment_id").alias("parent_id"), "searched")
    passages = passages.join(of_parents, on="parent_id", how="left", maintain_order="left").with_columns(
        pl.when(
            (pl.col("sought").str.len_chars() >= MIN_PASSAGE)
            & pl.col("searched").str.contains(pl.col("sought"), literal=True)
        )
        .then("parent_id")
        .alias("found")
    )
    rest = passages.filter(pl.col("found").is_null() & (pl.col("sought").str.len_chars() >= MIN_PASSAGE))
    elsewhere = _search_threads(rest.select("thread_id", "position", "sought").unique(), texts)
    passages = passages.join(
        elsewhere, on=["thread_id", "position", "sought"], how="left", maintain_order="left"
    ).with_columns(pl.coalesce("found", "first_found").alias("found"))
    gathered = passages.group_by("row", maintain_order=True).agg(
        pl.struct(pl.col("passage").alias("text"), pl.col("found").alias("comment_id")).alias("located")
    )
    located = rows.select("row").join(gathered, on="row", how="left", maintain_order="left")["located"]
    return located.fill_null(pl.Series([[]], dtype=dtype)).cast(dtype).alias("quotes")


def _attributes(lines: list[str], place: int) -> bool:
    """Tell whether a line says whom the quote below it is from."""
    line = lines[place].strip()
    if not _ATTRIBUTION.fullmatch(line):
        return False
    below = lines[place + 1 : place + 3]
    if not below:
        return False
    return bool(below[0]) or (len(below) > 1 and _QUOTED_LINE.match(below[1]) is not None)


def _search_threads(passages: pl.DataFrame, texts: pl.DataFrame) -> pl.DataFrame:
    """Search each passage in its thread's texts laid end to end, where one search in C meets every comment."""
    schema = {"thread_id": pl.String, "position": pl.Int64, "sought": pl.String, "first_found": pl.String}
    found: list[tuple[str, int, str, str]] = []
    by_thread = texts.sort("thread_id", "position").partition_by("thread_id", as_dict=True)
    for (thread_id,), sought in passages.partition_by("thread_id", as_dict=True).items():
        thread = by_thread.get((thread_id,))
        if thread is None:
            continue
        pieces = thread["searched"].to_list()
        whole = _UNIT_SEPARATOR.join(pieces)
        starts = [0, *accumulate(len(piece) + 1 for piece in pieces)]
        ids, positions = thread["comment_id"], thread["position"]
        for _, position, passage in sought.iter_rows():
            at = whole.find(passage)
            if at < 0:
                continue
            place = bisect_right(starts, at) - 1
            if positions[place] < position:
                found.append((str(thread_id), position, passage, ids[place]))
    return pl.DataFrame(found, schema=schema, orient="row")


def _plain(column: str) -> pl.Expr:
    return pl.col(column).str.to_lowercase().str.replace_all(r"\s+", " ").str.strip_chars()
