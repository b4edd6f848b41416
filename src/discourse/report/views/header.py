"""The top of the page: which articles, what was read, and what it comes to in a few sentences."""

from __future__ import annotations

from dataclasses import dataclass

from discourse.report.figures import total
from discourse.report.material import Material
from discourse.report.phrases import Phrase
from discourse.report.policy import When
from discourse.report.sentences import Statement, statements

ARTICLES = 5
OPENING = 5


@dataclass(frozen=True, slots=True)
class Article:
    """What was commented on."""

    label: str
    url: str | None
    published: When | None


@dataclass(frozen=True, slots=True)
class Header:
    """Everything above the first section."""

    title: str
    articles: tuple[Article, ...]
    more: bool
    read: Phrase
    first: When | None
    last: When | None
    collected: When | None
    opening: tuple[Statement, ...]
    further: tuple[Statement, ...]
    banner: str


def header(material: Material) -> Header:
    """Gather titles, dates, what was read and the findings."""
    words, policy = material.words, material.policy
    articles = tuple(
        Article(thread.label, policy.link(row["url"]), policy.when(row["published_at"]))
        for thread, row in zip(material.named, material.threads.iter_rows(named=True), strict=True)
    )
    said = statements(material.estimates, material.codebook, material.config.stance.targets, words)
    return Header(
        title=articles[0].label if len(articles) == 1 else words.text("header.several"),
        articles=articles[:ARTICLES],
        more=len(articles) > ARTICLES,
        read=_read(material),
        first=policy.when(material.outline["created_at"].min()),  # pyright: ignore[reportArgumentType]  # a datetime
        last=policy.when(material.outline["created_at"].max()),  # pyright: ignore[reportArgumentType]  # a datetime
        collected=policy.when(material.threads["collected_at"].max()),  # pyright: ignore[reportArgumentType]  # a datetime
        opening=tuple(said[:OPENING]),
        further=tuple(said[OPENING:]),
        banner=words.text(f"banner.{policy.quotes}"),
    )


def _read(material: Material) -> Phrase:
    rows = {name: material.estimates.count(f"data:{name}") for name in ("comments", "threads", "eligible")}
    known = {name: total(row, material.words) for name, row in rows.items() if row is not None}
    if "comments" not in known:
        return ()
    if "threads" in known and material.several:
        phrase = material.words.phrase("header.read.threads", comments=known["comments"], threads=known["threads"])
    else:
        phrase = material.words.phrase("header.read.thread", comments=known["comments"])
    if "eligible" in known:
        phrase += material.words.phrase("header.read.eligible", eligible=known["eligible"])
    return phrase
