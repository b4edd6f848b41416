"""The top of the page: which articles, what was read, who is missing, and what it comes to in a few sentences."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from discourse.report.figures import total
from discourse.report.index import Estimate
from discourse.report.material import Material
from discourse.report.phrases import Phrase
from discourse.report.policy import When
from discourse.report.sentences import Statement, listed, statements

ARTICLES = 5
OPENING = 5
# What of a thread is known to be lost, and where its count stands: the first that does.
LOSSES = {
    "deleted": "data:state:deleted",
    "removed": "data:state:removed",
    "held": "data:state:held",
    "unreachable": "data:unreachable",
    "capped": "data:capped",
    "quarantined": "data:quarantined",
}
GONE = ("deleted", "removed", "held")
MISSING = ("unreachable", "capped")


@dataclass(frozen=True, slots=True)
class Article:
    """What was commented on."""

    label: str
    url: str | None
    published: When | None


@dataclass(frozen=True, slots=True)
class Header:
    """Everything above the first section; `by` names who read: people, both, mix, models or none."""

    title: str
    articles: tuple[Article, ...]
    more: bool
    by: str
    read: Phrase
    complete: Phrase
    first: When | None
    last: When | None
    collected: When | None
    opening: tuple[Statement, ...]
    further: tuple[Statement, ...]
    absent: tuple[Phrase, ...]
    banner: str


def header(material: Material) -> Header:
    """Gather titles, dates, what was read, who is missing and the findings."""
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
        by=readers(material),
        read=_read(material),
        complete=_complete(material),
        first=policy.when(material.outline["created_at"].min()),  # pyright: ignore[reportArgumentType]  # a datetime
        last=policy.when(material.outline["created_at"].max()),  # pyright: ignore[reportArgumentType]  # a datetime
        collected=policy.when(material.threads["collected_at"].max()),  # pyright: ignore[reportArgumentType]  # a datetime
        opening=tuple(said[:OPENING]),
        further=tuple(said[OPENING:]),
        absent=_absent(material),
        banner=words.text(f"banner.{policy.quotes}"),
    )


def readers(material: Material) -> str:
    """Say who read the comments, going by what the printed shares rest on.

    Returns:
        `people` where every one is a census, `both` where every one rests on labels of these comments, `mix` where
        some do, `models` where none does, `none` where nothing was tagged.
    """
    found = material.estimates
    levels = [f"frame:{name}" for name in material.codebook.names]
    levels += [f"stance:{target}:about" for target in material.config.stance.targets]
    shares = [share for level in levels if (share := found.share(level)) is not None]
    if not any(share.known for share in shares) and not any(found.count(level) for level in levels):
        return "none"
    if shares and all(share.method == "census" for share in shares):
        return "people"
    by_readers = [share.by_readers for share in shares]
    return "both" if by_readers and all(by_readers) else "mix" if any(by_readers) else "models"


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


def _complete(material: Material) -> Phrase:
    """Say what the platform declares and what of it is lost."""
    words = material.words
    if material.estimates.count("data:comments") is None:
        return ()
    declared = material.estimates.count("data:declared")
    if declared is not None:
        said = words.phrase("header.complete.declared", declared=total(declared, words))
    else:
        said = words.phrase("header.complete.unknown")
    losses = _losses(material, tuple(LOSSES))
    if losses:
        return said + words.phrase("header.complete.losses", losses=listed(losses, words))
    return said + words.phrase("header.complete.whole")


def _losses(material: Material, names: Sequence[str]) -> list[Phrase]:
    words = material.words
    rows = {name: material.estimates.count(LOSSES[name]) for name in names}
    return [words.phrase(f"loss.{name}", n=total(row, words)) for name, row in rows.items() if row and row.value]


def _absent(material: Material) -> tuple[Phrase, ...]:
    words, found = material.words, material.estimates
    said = [words.phrase("absent.silent")]
    for key, names, place in (("gone", GONE, "gone"), ("missing", MISSING, "missing")):
        losses = _losses(material, names)
        if losses:
            said.append(words.phrase(f"absent.{key}", **{place: listed(losses, words)}))
    for reason in ("language", "filtered"):
        row = found.count(f"data:excluded:{reason}")
        if row is not None and row.value:
            said.append(words.phrase(f"absent.{reason}", n=total(row, words)))
    said.append(words.phrase("absent.elsewhere"))
    loud: dict[str, Estimate] = {
        name: row
        for name in ("loud_authors", "authors", "loud_comments", "eligible")
        if (row := found.count(f"data:{name}")) is not None and row.value
    }
    if len(loud) == 4:  # all of them
        said.append(words.phrase("absent.loud", **{name: total(row, words) for name, row in loud.items()}))
    return tuple(said)
