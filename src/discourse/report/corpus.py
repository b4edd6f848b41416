"""The comments as data in the file: numbers in columns, texts in blocks, and the words to show them with."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from itertools import accumulate
from typing import Any

import numpy as np
import polars as pl
from numpy.typing import NDArray

from discourse.report.cards import NAME_LETTERS, Cards
from discourse.report.embedding import embedded
from discourse.report.legible import legible
from discourse.report.material import Material
from discourse.report.packing import pack, pack_columns, pack_json, small, whole
from discourse.report.passages import LIST_LETTERS, QUOTE_LETTERS, Passage, Span, passages
from discourse.report.tag_codes import frame_codes, frame_tags, mostly_doubted, reader_codes, stance_codes, target_tags
from discourse.tables import COMMENTS, Precision, ReplyKind, Role, State

BLOCK = 1_000
# A byte of text takes about half a byte in the file. Where there is more than this, long texts are cut after so many
# letters.
MOST_BYTES = 34_000_000
LETTERS = (LIST_LETTERS, 3_000, 2_000, 1_400, 1_000, 700, 500, 350, 250, 150)
ROLES = tuple(Role)
STATES = tuple(State)
KINDS = tuple(ReplyKind)
# How exactly a time is known, as the explorer writes it.
TO_MINUTE, TO_DAY, ABOUT_DAY, TO_MONTH = 1, 2, 3, 4
READ = ("text", "url", "quotes", "score", "created_precision", "language")
# The beginnings of the keys in the catalogue that the script asks for.
SPOKEN = ("explorer.", "comment.", "date.", "month.", "number.")
DUPLICATE, EVIDENCE, PARENT_ABSENT = 1, 2, 4


@dataclass(frozen=True, slots=True)
class Corpus:
    """What is embedded: a JSON object that tells how to read it, and packed columns, authors, names and texts.

    `letters` is how much of a text is embedded at most.
    """

    about: str
    columns: str
    authors: str
    refs: str
    texts: tuple[str, ...]
    comments: int
    letters: int


def corpus(material: Material, found: Cards, needed: Sequence[str]) -> Corpus | None:
    """Pack the comments of a report; None where it may show no text or has no comments.

    Args:
        material: the tables.
        found: gives the names of comments, and what may be shown.
        needed: comment_ids that the report links to.
    """
    if not material.policy.texts or material.outline.is_empty():
        return None
    labelled = material.labels["comment_id"].unique().to_list()
    rows = embedded(material.outline, needed, labelled, material.config.seed)
    rows = rows.join(_read(material, rows), on="comment_id", how="left", maintain_order="left")
    refs = b"".join(bytes.fromhex(found.ref(name)) for name in rows["comment_id"])
    authors = rows["author"].drop_nulls().unique(maintain_order=True)
    letters = _letters(rows["text"])
    texts, marked = _texts(rows, found, letters)
    columns = {**_columns(rows, material, authors), **_tag_columns(rows, material)}
    columns["flags"] |= np.where(marked, EVIDENCE, 0).astype("u1")
    order, packed = pack_columns(columns)
    about = {**_about(material, rows), "columns": order, "id": hashlib.sha256(refs).hexdigest()[:12]}
    return Corpus(
        about=_as_script(about),
        columns=packed,
        authors=pack_json([name[:NAME_LETTERS] for name in authors]),
        refs=pack(refs),
        texts=tuple(texts),
        comments=rows.height,
        letters=letters,
    )


def _letters(texts: pl.Series) -> int:
    """Return how many letters of a text may be embedded for the file to stay below 20 MB: 5,000 unless it is large."""
    sizes = pl.DataFrame({"bytes": texts.str.len_bytes(), "letters": texts.str.len_chars()}).drop_nulls()
    for most in LETTERS:
        shown = (pl.col("bytes") * pl.min_horizontal(1.0, most / pl.col("letters"))).sum()
        if sizes.select(shown).item() <= MOST_BYTES:
            return most
    return LETTERS[-1]


def _read(material: Material, rows: pl.DataFrame) -> pl.DataFrame:
    found = material.workspace.scan(COMMENTS).select("comment_id", *READ)
    return found.join(rows.select("comment_id").lazy(), on="comment_id", how="semi").collect()


def _columns(rows: pl.DataFrame, material: Material, authors: pl.Series) -> dict[str, NDArray[np.generic]]:
    threads = _places([thread.thread_id for thread in material.named])
    parents = pl.col("parent_id").is_not_null() & (pl.col("depth") == 0)
    flags = pl.when(pl.col("duplicate_of").is_not_null()).then(DUPLICATE).otherwise(0)
    flags += pl.when(parents).then(PARENT_ABSENT).otherwise(0)
    minutes, precision = _times(rows, full=material.policy.full)
    topics = rows.select("comment_id").join(material.topics, on="comment_id", how="left", maintain_order="left")
    shown = _places([topic for topic, _ in _topics(material)], first=2)
    outlier = pl.when(pl.col("topic").is_null() & pl.col("assignment").is_not_null()).then(1).otherwise(0)
    topic = pl.coalesce(pl.col("topic").replace_strict(shown, default=None, return_dtype=pl.Int64), outlier)
    return {
        "time": minutes,
        "score": whole(rows["score"].round().cast(pl.Int64, strict=False)),
        "author": _coded(rows["author"], authors.to_list()).astype("<u4"),
        "thread": rows["thread_id"].replace_strict(threads, default=0, return_dtype=pl.UInt32).to_numpy().astype("<u4"),
        "depth": rows["depth"].to_numpy().astype("<u4"),
        "topic": topics.select(topic).to_series().to_numpy().astype("<u2"),
        "language": _coded(rows["language"], _languages(rows)).astype("<u2"),
        "precision": precision,
        "role": _coded(rows["role"], ROLES).astype("u1"),
        "state": _coded(rows["state"], STATES).astype("u1"),
        "kind": _coded(rows["reply_kind"], KINDS).astype("u1"),
        "flags": small(rows.select(flags).to_series()),
    }


def _tag_columns(rows: pl.DataFrame, material: Material) -> dict[str, NDArray[np.generic]]:
    order = rows.select("comment_id")
    found: dict[str, NDArray[np.generic]] = {}
    for place, frame in enumerate(material.codebook.frames):
        found[f"frame{place}"] = small(frame_codes(order, material.frames, frame.name))
        found[f"frame{place}_readers"] = small(reader_codes(order, material.labels, "frame", frame.name))
    for place, target in enumerate(_targets(material)):
        found[f"target{place}"] = small(stance_codes(order, material.stance, target))
        found[f"target{place}_readers"] = small(reader_codes(order, material.labels, "stance", target))
    return found


def _texts(rows: pl.DataFrame, found: Cards, letters: int) -> tuple[list[str], NDArray[np.bool_]]:
    """Return packed blocks of texts, and which comments have evidence marked in theirs."""
    blocks: list[str] = []
    marked: list[bool] = []
    names = ("comment_id", "text", "state", "reply_kind", "url", "quotes")
    for block in rows.select(names).iter_slices(BLOCK):
        entries = list(_entries(block, found, letters))
        marked += [bool(entry[1]) for entry in entries]
        texts, marks, urls, quotes = (list(column) for column in zip(*entries, strict=True))
        blocks.append(pack_json({"texts": texts, "marks": marks, "urls": urls, "quotes": quotes}))
    return blocks, np.array(marked, dtype=np.bool_)


def _entries(block: pl.DataFrame, found: Cards, letters: int) -> Iterator[tuple[str | None, list[int], str, list[Any]]]:
    """Yield what each comment says, where its evidence lies (UTF-16 units, start and end in turn), and the rest."""
    for name, text, state, kind, url, quotes in block.iter_rows():
        if text is None or (state != State.VISIBLE and not found.keep_deleted):
            yield None, [], "", []
            continue
        limit = min(QUOTE_LETTERS, letters) if kind == ReplyKind.OPENING else letters
        shown = passages(text, found.spans.get(name, ()), found.policy, limit)
        said = "".join(passage.text for passage in shown)
        quoted = [[quote.text, (quote.anchor or "")[2:]] for quote in found.quotations(quotes, every=True)]
        yield said, _units(said, _marked(shown)), found.policy.link(url) or "", quoted


def _marked(shown: Sequence[Passage]) -> list[Span]:
    ends = list(accumulate(len(passage.text) for passage in shown))
    return [(end - len(passage.text), end) for passage, end in zip(shown, ends, strict=True) if passage.evidence]


def _units(text: str, spans: Sequence[Span]) -> list[int]:
    """Return the starts and ends of spans in UTF-16 units, as JavaScript counts."""
    if text.isascii():
        return [place for span in spans for place in span]
    return [len(text[:place].encode("utf-16-le", errors="surrogatepass")) // 2 for span in spans for place in span]


def _times(rows: pl.DataFrame, *, full: bool) -> tuple[NDArray[np.generic], NDArray[np.generic]]:
    """Return minutes since 1970, no more exact than they are known and may be shown, and how exact that is."""
    known = pl.col("created_at").is_not_null() & (pl.col("created_precision") != Precision.UNKNOWN.value)
    exact = pl.col("created_precision").is_in([Precision.EXACT.value, Precision.MINUTE.value])
    about = pl.col("created_precision") == Precision.RELATIVE.value
    if full:
        at = pl.when(exact).then(pl.col("created_at")).otherwise(pl.col("created_at").dt.truncate("1d"))
        how = pl.when(exact).then(TO_MINUTE).when(about).then(ABOUT_DAY).otherwise(TO_DAY)
    else:
        at, how = pl.col("created_at").dt.truncate("1mo"), pl.lit(TO_MONTH)
    minutes = pl.when(known).then(at.dt.epoch("us") // 60_000_000)
    read = rows.select(minutes=minutes, how=pl.when(known).then(how).otherwise(0))
    return whole(read["minutes"]), small(read["how"])


def _about(material: Material, rows: pl.DataFrame) -> dict[str, Any]:
    """Return what the numbers in the columns mean, in words."""
    words, doubted = material.words, mostly_doubted(material.frames)
    frames = [
        {
            "name": frame.name,
            "title": frame.title,
            "definition": frame.definition,
            "tags": frame_tags(frame.title, words, doubts=frame.name not in doubted),
        }
        for frame in material.codebook.frames
    ]
    targets = [{"name": target, "tags": target_tags(target, words)} for target in _targets(material)]
    roles = ["" if role in {Role.USER, Role.UNKNOWN} else words.text(f"role.{role}") for role in ROLES]
    return {
        "version": 1,
        "comments": rows.height,
        "block": BLOCK,
        "quotes": material.policy.quotes,
        "threads": [thread.label for thread in material.named],
        "frames": frames,
        "targets": targets,
        "topics": [material.policy.line(label) for _, label in _topics(material)],
        "languages": [words.text(f"language.{code}", otherwise=code) for code in _languages(rows)],
        "roles": ["", *roles],
        "states": ["", *(words.text(f"state.{state}") for state in STATES)],
        "placeholders": ["", *(words.text(f"placeholder.{state}") for state in STATES)],
        "kinds": ["", *(words.text(f"reply.{kind}", otherwise="") for kind in KINDS)],
        "words": {key: said for key, said in words.table.items() if key.startswith(SPOKEN)},
    }


def _topics(material: Material) -> list[tuple[int, str]]:
    hidden = list(material.config.topics.hide)
    used = material.topics["topic"].unique().drop_nulls().implode()
    shown = material.topic_info.filter(~pl.col("topic").is_in(hidden) & pl.col("topic").is_in(used))
    return list(shown.sort("topic").select("topic", "label").iter_rows())


def _targets(material: Material) -> list[str]:
    asked = list(material.config.stance.targets)
    return [*asked, *sorted(set(material.stance["target"].unique()) - set(asked))]


def _languages(rows: pl.DataFrame) -> list[str]:
    counted = rows["language"].drop_nulls().value_counts().sort("count", "language", descending=[True, False])
    return counted["language"].to_list()


def _places(names: Sequence[Any], first: int = 0) -> Mapping[Any, int]:
    return {name: place for place, name in enumerate(names, start=first)}


def _coded(values: pl.Series, names: Sequence[str]) -> NDArray[np.generic]:
    """Return 1 for the first of `names`, 2 for the next, 0 for null."""
    return values.replace_strict(_places(names, first=1), default=0, return_dtype=pl.UInt32).to_numpy()


def _as_script(value: object) -> str:
    """Return JSON that can stand between script tags: none of its letters opens or closes one."""
    written = legible(json.dumps(value, ensure_ascii=False, separators=(",", ":")))
    return written.replace("<", "\\u003c").replace("&", "\\u0026")
