"""What the estimates say, in sentences that can be quoted: one a frame, one a target, one on topics, in that order."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import polars as pl

from discourse.codebook import Codebook
from discourse.report.catalogue import Words, words_of
from discourse.report.figures import among, count, part_of, told, total
from discourse.report.index import ALL, FEW, Estimate, Estimates, index
from discourse.report.phrases import Figure, Phrase, plain, sources
from discourse.tables import Mark, Measure

SIDES = ("against", "favor", "neutral")


@dataclass(frozen=True, slots=True)
class Finding:
    """One sentence on the whole workspace, the estimates it prints, and the caution that goes with it."""

    sentence: str
    estimate_ids: tuple[str, ...]
    mark: str | None


@dataclass(frozen=True, slots=True)
class Statement:
    """A finding before it is flattened.

    Words and figures stand apart; `anchor` is the place in the page where the evidence is, and `beside` names the
    estimates that it tells of without a number.
    """

    subject: str
    phrase: Phrase
    mark: str | None
    anchor: str
    beside: tuple[str, ...] = ()

    @property
    def finding(self) -> Finding:
        """The same as plain text."""
        return Finding(plain(self.phrase), tuple(dict.fromkeys((*sources(self.phrase), *self.beside))), self.mark)


def findings(estimates: pl.DataFrame, codebook: Codebook, targets: Sequence[str]) -> list[Finding]:
    """Say what the estimates of the whole workspace hold, in the order of the codebook and of `targets`.

    Args:
        estimates: rows that conform to `tables.ESTIMATES`.
        codebook: names and titles of the frames.
        targets: the stance targets, as the run was asked for them.

    Returns:
        One sentence for each frame, then each target, then the topics, as far as there are estimates of them; never
        chosen or ordered by size.
    """
    return [said.finding for said in statements(index(estimates, [ALL]), codebook, targets, words_of("en"))]


def statements(estimates: Estimates, codebook: Codebook, targets: Sequence[str], words: Words) -> list[Statement]:
    """Return the findings with their figures still apart, for the page."""
    eligible = estimates.count("data:eligible")
    if eligible is not None and eligible.value == 0:
        said = words.phrase("nothing.sentence", n=total(eligible, words))
        return [Statement(words.text("nothing.subject"), said, None, "data")]
    found = [_frame(estimates, frame.name, frame.title, words) for frame in codebook.frames]
    found += [_target(estimates, target, place, words) for place, target in enumerate(targets, start=1)]
    found.append(_topics(estimates, words))
    return [statement for statement in found if statement is not None]


def basis(row: Estimate, words: Words) -> Phrase:
    """Say what a share rests on: labels of these comments by readers or a coder, or error rates measured elsewhere."""
    labelled = Figure("", count(row.n_labelled, words), row.estimate_id)
    if row.by_coder:
        return words.phrase("basis.coder", n=labelled)
    if not row.by_readers:
        return words.phrase("basis.heldout_correction")
    return words.phrase("basis.census" if row.method == "census" else "basis.sample", n=labelled)


def _frame(estimates: Estimates, name: str, title: str, words: Words) -> Statement | None:
    share = estimates.share(f"frame:{name}")
    tagged = estimates.count(f"frame:{name}")
    subject, anchor = words.text("sentence.subject.frame", title=title), f"frame-{name}"
    if share is not None and share.known:
        phrase = words.phrase(
            "sentence.frame", title=title, share=told(share, words), basis=basis(share, words), few=_few(share, words)
        )
        return Statement(subject, phrase, share.mark, anchor)
    beside = (share.estimate_id,) if share is not None else ()
    mark = Mark.NOT_ESTIMABLE.value if share is not None else None
    if tagged is not None:
        key = "sentence.frame.not_estimable" if share is not None else "sentence.frame.count_only"
        phrase = words.phrase(key, title=title, count=part_of(tagged, words), few=_few(tagged, words))
        return Statement(subject, phrase, mark or tagged.mark, anchor, beside)
    if share is not None:
        return Statement(subject, words.phrase("sentence.frame.untagged", title=title), mark, anchor, beside)
    return None


def _target(estimates: Estimates, target: str, place: int, words: Words) -> Statement | None:
    subject, anchor = words.text("sentence.subject.target", target=target), f"target-{place}"
    about = estimates.share(f"stance:{target}:about")
    sides = {side: estimates.share(f"stance:{target}:{side}") for side in SIDES}
    known = {side: row for side, row in sides.items() if row is not None and row.known}
    if about is None or not about.known:
        return _target_counts(estimates, target, subject, anchor, words)
    if known:
        sided = listed([words.phrase(f"side.{side}", share=among(row, words)) for side, row in known.items()], words)
        apart = words.phrase("sentence.target.sides", sides=sided)
        fewest = min(known.values(), key=lambda row: row.n)
    else:
        apart = words.phrase("sentence.target.no_sides")
        fewest = about
    phrase = words.phrase(
        "sentence.target",
        target=target,
        share=told(about, words),
        sides=apart,
        basis=basis(about, words),
        few=_few(fewest, words),
    )
    return Statement(subject, phrase, about.mark or fewest.mark, anchor)


def _target_counts(estimates: Estimates, target: str, subject: str, anchor: str, words: Words) -> Statement | None:
    counts = [(side, estimates.count(f"stance:{target}:{side}")) for side in SIDES]
    known = [(side, row) for side, row in counts if row is not None]
    if not known:
        return None
    sided = listed([words.phrase(f"side.{side}", share=total(row, words)) for side, row in known], words)
    size = Figure("", count(known[0][1].n, words), known[0][1].estimate_id)
    phrase = words.phrase("sentence.target.not_estimable", target=target, sides=sided, n=size)
    asked = tuple(row.estimate_id for row in estimates.shares(f"stance:{target}:about"))
    return Statement(subject, phrase, Mark.NOT_ESTIMABLE.value if asked else known[0][1].mark, anchor, asked)


def _topics(estimates: Estimates, words: Words) -> Statement | None:
    rows = estimates.levels("topic:", Measure.COUNT)
    sizes = [row for row in rows if row.level != "topic:outlier"]
    if not sizes:
        return None
    largest = max(sizes, key=lambda row: row.value)
    outliers = next((row for row in rows if row.level == "topic:outlier"), None)
    key = "sentence.topics" if outliers is not None else "sentence.topics.no_outliers"
    values = {"outliers": total(outliers, words)} if outliers is not None else {}
    phrase = words.phrase(key, largest=part_of(largest, words), **values)
    return Statement(words.text("sentence.subject.topics"), phrase, largest.mark, "topics")


def _few(row: Estimate, words: Words) -> Phrase:
    return words.phrase("sentence.few", few=str(FEW)) if row.few else ()


def listed(parts: Sequence[Phrase], words: Words) -> Phrase:
    """Join phrases as a sentence does: one, two and three."""
    found: list[str | Figure] = []
    for place, part in enumerate(parts):
        if place:
            found.append(words.text("list.last" if place == len(parts) - 1 else "list.next"))
        found.extend(part)
    return tuple(found)
