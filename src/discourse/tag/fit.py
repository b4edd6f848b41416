"""The fit check at work: are these comments, as a whole and thread by thread, like those that a bundle learned from?"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass

import numpy as np
import polars as pl
from numpy.typing import NDArray

from discourse.config import Config, FilterConfig
from discourse.denominator import mark_excluded
from discourse.models.bundle import Bundle
from discourse.models.encoder import Encoder
from discourse.models.fit import DIFFERS, LEAST_COMMENTS, UNKNOWN, Fit, check_fit
from discourse.models.fit_files import load_fit
from discourse.models.text_vectors import text_reader
from discourse.tables import ALL_THREADS, ATTRIBUTES, FIT
from discourse.tag.batches import Comments
from discourse.tag.vectors import vectors_of
from discourse.workspace import Workspace

# More comments do not change an effect size that a reader would see.
MOST_COMMENTS = 2_000
MOST_OF_THREADS = 20_000
# More than a report shows; beyond, looking at each would take longer than tagging.
MOST_THREADS = 200
# Where nothing else in the workspace needs the encoder's vectors, each comment costs a pass of the transformer.
MOST_READ_FOR_THIS = 1_000
SAID = {
    "distance": "what they speak of",
    "vocabulary": "their words",
    "style": "how they are written",
    "length": "their length",
    "language": "their language",
}


def check_fits(
    workspace: Workspace, checked: Sequence[tuple[Bundle, Comments]], encoder: Encoder, config: Config
) -> list[str]:
    """Write the fit table and return what to tell of it, at most one sentence a bundle.

    Args:
        workspace: keeps vectors and attributes.
        checked: bundles, each with rows of the comments table that it was run on.
        encoder: the untuned one that tagging uses.
        config: `[filter]` and seed.

    Raises:
        BundleError: a bundle's statistics are damaged.
    """
    attributes = workspace.read(ATTRIBUTES)
    notes: list[str] = []
    parts = [FIT.empty()]
    for bundle, comments in checked:
        rows = check_bundle(workspace, comments, bundle, encoder, config.filter, attributes, config.seed)
        parts.append(rows)
        if (said := warning(rows, bundle)) is not None:
            notes.append(said)
    workspace.write(FIT, pl.concat(parts), {"bundle": ", ".join(bundle.id for bundle, _ in checked)})
    return notes


def past_gate(comments: pl.DataFrame, stances: pl.DataFrame) -> pl.DataFrame:
    """Return the comments that a stance bundle read for a target, and those that it cannot read."""
    stopped = stances.group_by("comment_id").agg(
        (pl.col("p_favor").is_null() & pl.col("p_off_target").is_not_null()).all().alias("stopped")
    )
    return comments.join(stopped.filter("stopped"), on="comment_id", how="anti", maintain_order="left")


@dataclass(frozen=True, slots=True)
class PastGate:
    """The batches of comments that a stance bundle read for a target, or cannot read; `flags` says which of each."""

    batches: Iterable[pl.DataFrame]
    flags: Sequence[pl.Series]

    def __iter__(self) -> Iterator[pl.DataFrame]:
        """Yield what is left of each batch."""
        for comments, passed in zip(self.batches, self.flags, strict=True):
            yield comments.filter(passed)


def check_bundle(
    workspace: Workspace,
    comments: Comments,
    bundle: Bundle,
    encoder: Encoder,
    chosen: FilterConfig,
    attributes: pl.DataFrame,
    seed: int,
) -> pl.DataFrame:
    """Return rows of the fit table: for all eligible comments together and each thread that has enough of them.

    Of many threads the `MOST_THREADS` largest are looked at one by one.

    Args:
        workspace: keeps vectors.
        comments: rows of the comments table, at once or in batches that are gone through twice.
        bundle: whose training comments are compared with.
        encoder: the untuned one that tagging uses.
        chosen: the `[filter]` section: comments outside it are not looked at.
        attributes: rows of the attributes table.
        seed: of the comments that are looked at where there are more than `MOST_COMMENTS`.

    Raises:
        BundleError: the bundle's statistics are damaged.
    """
    summary = load_fit(bundle.folder)
    shared = encoder if bundle.manifest.kind == "stance" else text_reader(bundle, encoder)
    reader = encoder if summary is not None and summary.encoder == encoder.id else shared
    within = 1.0 if reader is shared else MOST_READ_FOR_THIS / MOST_OF_THREADS
    looked = _Looked([comments] if isinstance(comments, pl.DataFrame) else comments, bundle, chosen, attributes)
    threads = looked.threads()
    most = min(MOST_COMMENTS, max(LEAST_COMMENTS, int(within * MOST_OF_THREADS) // max(1, len(threads))))
    sets = {ALL_THREADS: looked.sample(None, min(MOST_COMMENTS, int(within * MOST_OF_THREADS)), seed)}
    sets |= {thread: looked.sample(thread, most, seed) for thread in threads}
    found = looked.texts(np.unique(np.concatenate(list(sets.values()))))
    comparable = summary is not None and summary.statistics is not None and summary.encoder == reader.id
    texts = found.filter("read")["text"].unique(maintain_order=True).to_list()
    if comparable and texts:
        vectors = vectors_of(workspace, reader, texts, bundle.manifest.max_length)
    else:
        vectors = np.zeros((len(texts), reader.width), np.float32)
    place = {text: i for i, text in enumerate(texts)}

    def measured(thread: str, rows: NDArray[np.int64]) -> pl.DataFrame:
        part = found[np.searchsorted(found["row"].to_numpy(), rows)]
        read = part.filter("read")
        own = vectors[[place[text] for text in read["text"]]]
        foreign = part.height - read.height
        fits = check_fit(summary, own, read["text"].to_list(), read["thread_id"].to_list(), foreign, reader.id)
        return _rows(fits, bundle.id, thread)

    return pl.concat([measured(thread, rows) for thread, rows in sets.items()])


class _Looked:
    """The comments that a bundle reads, and those in other languages: their threads in memory, their texts on disk."""

    def __init__(
        self, batches: Iterable[pl.DataFrame], bundle: Bundle, chosen: FilterConfig, attributes: pl.DataFrame
    ) -> None:
        self._batches = batches
        self._marked = [
            mark_excluded(comments.lazy(), bundle.manifest.languages, chosen, attributes)
            .select("thread_id", "excluded")
            .with_row_index("at")
            .filter(pl.col("excluded").is_null() | (pl.col("excluded") == "language"))
            .select("at", "thread_id", read=pl.col("excluded").is_null())
            .collect()
            for comments in batches
        ]
        self._every = pl.concat(self._marked).with_row_index("row")
        rows = self._every.group_by("thread_id", maintain_order=True).agg(pl.col("row").cast(pl.Int64))
        self._rows = {str(thread): found.to_numpy() for thread, found in zip(*rows, strict=True)}

    def threads(self) -> list[str]:
        """Return the threads with comments enough, by name; of many only the `MOST_THREADS` largest."""
        sizes = {thread: len(rows) for thread, rows in self._rows.items() if len(rows) >= LEAST_COMMENTS}
        return sorted(sorted(sizes, key=lambda thread: (-sizes[thread], thread))[:MOST_THREADS])

    def sample(self, thread: str | None, most: int, seed: int) -> NDArray[np.int64]:
        """Return at most so many rows of a thread, or of all, in their order."""
        rows = np.arange(self._every.height) if thread is None else self._rows[thread]
        if len(rows) <= most:
            return rows
        return rows[np.sort(np.random.default_rng(seed).permutation(len(rows))[:most])]

    def texts(self, rows: NDArray[np.int64]) -> pl.DataFrame:
        """Return `row`, thread_id, `read` and text of some rows, in their order."""
        chosen = self._every[rows]
        parts, begin = list[pl.DataFrame](), 0
        for comments, marked in zip(self._batches, self._marked, strict=True):
            own = chosen.filter(pl.col("row").is_between(begin, begin + marked.height, closed="left"))
            begin += marked.height
            parts.append(own.with_columns(comments["text"].gather(own["at"]).alias("text")))
        return pl.concat(parts)


def warning(rows: pl.DataFrame, bundle: Bundle) -> str | None:
    """Say in one sentence that comments differ from those a bundle learned from, or that nothing is known about it.

    Args:
        rows: of the fit table.
        bundle: the one that they are about.

    Returns:
        A sentence, or None where all fits.
    """
    of_bundle = rows.filter(bundle=bundle.id)
    whole = of_bundle.filter(thread_id=ALL_THREADS)
    differing = whole.filter(verdict=DIFFERS)
    name = bundle.manifest.name
    threads = of_bundle.filter(pl.col("thread_id") != ALL_THREADS)
    others = threads.filter(verdict=DIFFERS)["thread_id"].n_unique()
    of_threads = f"{others:,} of {threads['thread_id'].n_unique():,} threads"
    if differing.height:
        ways = [
            f"{SAID[check]} ({check} {effect:.2f}, {threshold:.2f} would fit)"
            for check, effect, threshold in differing.select("check", "effect", "threshold").iter_rows()
        ]
        return (
            f"warning: these comments differ from those that {name} learned from in {_listed(ways)}; trust its tags "
            "less than its card says, or label some and train on them"
        )
    if others:
        return f"warning: comments in {of_threads} differ from those that {name} learned from; the report says in what"
    unknown = whole.filter(verdict=UNKNOWN)
    if unknown.height:
        return f"fit check of {name}: {', '.join(unknown['check'])} unknown, {unknown['reason'][0]}"
    return None


def _rows(found: Sequence[Fit], bundle: str, thread: str) -> pl.DataFrame:
    return pl.DataFrame(
        [
            {
                "bundle": bundle,
                "thread_id": thread,
                "check": one.check,
                "effect": one.effect,
                "threshold": one.threshold,
                "verdict": one.verdict,
                "reason": one.reason or None,
            }
            for one in found
        ],
        schema=FIT.schema,
    )


def _listed(parts: Sequence[str]) -> str:
    return parts[0] if len(parts) == 1 else f"{', '.join(parts[:-1])} and {parts[-1]}"
