"""Topics by BERTopic's steps on kept vectors: seeded, sized for the thread, tested for stability; or saved ones."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import polars as pl
from numpy.typing import NDArray

from discourse.config import Config
from discourse.engine import LOCAL, Engine
from discourse.errors import UsageError
from discourse.models.bundle import load_bundle
from discourse.models.text_vectors import TextReader, read_texts
from discourse.models.topics_bundle import SavedTopics, load_topics
from discourse.progress import say
from discourse.tables import ATTRIBUTES, TOPIC_INFO, TOPIC_RUNS, TOPIC_TIMES, TOPICS, Assignment
from discourse.tag.batches import Comments, EligibleBatches
from discourse.tag.topics.clustering import MOST_FITTED, REACH
from discourse.tag.topics.edits import check
from discourse.tag.topics.found import Topics, find_topics
from discourse.tag.topics.hierarchy import lifted
from discourse.tag.topics.many import Centres, OriginalTexts, given, spread_sample
from discourse.tag.topics.naming import Words, keywords, label_of, words_of
from discourse.tag.topics.rows import Described, Read, info_rows, topic_rows
from discourse.tag.topics.saved import assigned, described
from discourse.tag.topics.times import Counted, topic_times
from discourse.tag.vectors import Vectors
from discourse.workspace import Workspace

# More are not read at once: topics are found in a sample of them.
MOST_COMMENTS = 50_000
FEWEST_COMMENTS = 40
FEWEST_WORDS = 2
VECTOR_TOKENS = 256


@dataclass(frozen=True, slots=True)
class TopicTables:
    """Rows of topics, topic_info, topic_runs and topic_times, and what to tell the person who runs this."""

    topics: pl.DataFrame
    info: pl.DataFrame
    runs: pl.DataFrame
    times: pl.DataFrame
    notes: tuple[str, ...] = ()


def tag_topics(
    workspace: Workspace,
    comments: Comments,
    languages: Sequence[str],
    encoder: TextReader,
    config: Config,
    engine: Engine = LOCAL,
) -> TopicTables:
    """Find topics among the eligible comments (Grootendorst 2022), or give them to the topics of a saved bundle.

    Beyond `MOST_COMMENTS` eligible comments topics are found in a sample from every thread, and all others are given
    to the nearest one that they are near to.

    Args:
        workspace: keeps the vectors.
        comments: rows of the comments table, at once or in batches of whole threads that are gone through again.
        languages: those that the frames bundle reads.
        encoder: gives the vectors of the text alone.
        config: filter, and what is said of topics.
        engine: where vectors are computed.

    Returns:
        No topics, and a note that says why, where fewer than `FEWEST_COMMENTS` comments differ or no groups stand out.

    Raises:
        BundleError: the topics bundle does not fit.
        UsageError: a setting names a topic that does not exist, or guides topics that are saved ones.
    """
    saved = load_topics(load_bundle(config.bundles.topics, "topics"), encoder) if config.bundles.topics else None
    if saved and config.topics.guided:
        raise UsageError("[topics] guided: topics of a saved bundle cannot be guided; remove one of the two settings")
    if saved and config.topics.merge:
        raise UsageError(
            "[topics] merge: topics of a saved bundle are fixed; merge where they are found and save again"
        )
    batches = [comments] if isinstance(comments, pl.DataFrame) else comments
    eligible = EligibleBatches(batches, languages, config.filter, workspace.read(ATTRIBUTES))
    number = eligible.count()
    if not number:
        return _none("no topics: no comment with text is eligible", config)
    vectors = Vectors(workspace, encoder, VECTOR_TOKENS, engine)
    many = number > MOST_COMMENTS
    some = spread_sample(eligible, MOST_FITTED, config.seed) if many else pl.concat(eligible)
    read, words = _read(some.sort("comment_id"), vectors)
    if saved:
        found = _of_saved(read, words, saved, config, encoder)
        centres = Centres(tuple(saved.numbers), saved.centres, saved.reach, FEWEST_WORDS)
    else:
        found, centres = _found(read, words, number, config, encoder)
    return (
        found if centres is None or not many else _with_others(found, read, words, eligible, number, centres, vectors)
    )


def _found(
    read: Read, words: Words, number: int, config: Config, encoder: TextReader
) -> tuple[TopicTables, Centres | None]:
    """Find topics among the comments that are read, of `number` that are eligible."""
    few = min(number, len(read.texts))
    if few < FEWEST_COMMENTS:
        said = f"there are {few}" if few == number else f"only {few} differ"
        return _none(f"no topics: they need at least {FEWEST_COMMENTS} comments with text, {said}", config), None
    say(f"topics: {number:,} comments")
    names = config.topics.guided
    wanted = {name: read_texts(encoder, [", ".join([name, *extra])])[0] for name, extra in names.items()}
    found = find_topics(read.vectors, read.weights, read.wordy, wanted, config.topics)
    if not found.numbers:
        return _none(f"no topics: {number} comments have no groups that stand out", config), None
    how = [(Assignment.FITTED if fitted else Assignment.REASSIGNED).value for fitted in found.fitted]
    tables = TopicTables(
        topic_rows(read, found.numbers, found.labels, found.strength, how),
        info_rows(read, _described(found, words, read), config.topics.rename, encoder),
        TOPIC_RUNS.conform(pl.DataFrame(found.runs)) if found.runs else TOPIC_RUNS.empty(),
        _times(read, words, found.labels, found.numbers),
        _notes(found, read, number),
    )
    return tables, Centres(found.numbers, found.centres, _reach(found), FEWEST_WORDS)


def _of_saved(read: Read, words: Words, saved: SavedTopics, config: Config, encoder: TextReader) -> TopicTables:
    """Give the comments that are read to the topics of a bundle."""
    labels, strength = assigned(read.vectors, read.wordy, saved)
    topics = topic_rows(read, saved.numbers, labels, strength, [Assignment.ASSIGNED.value] * len(labels))
    topics_of, broad = described(saved, labels)
    check(config.topics, saved.numbers, {topic.number for topic in broad})
    info = info_rows(read, [*topics_of, *broad], config.topics.rename, encoder)
    times = _times(read, words, labels, saved.numbers)
    return TopicTables(topics, info, TOPIC_RUNS.empty(), times, (_given_note(topics, config.bundles.topics or ""),))


def _with_others(
    found: TopicTables,
    read: Read,
    words: Words,
    eligible: EligibleBatches,
    number: int,
    centres: Centres,
    vectors: Vectors,
) -> TopicTables:
    """Give all other comments to the topics, and count these anew."""
    saved = Assignment.ASSIGNED.value in found.topics["assignment"]
    way = Assignment.ASSIGNED if saved else Assignment.REASSIGNED
    vectors.keep(OriginalTexts(eligible))
    topics = pl.concat([found.topics, *given(eligible, found.topics, centres, vectors, way, number)])
    sizes = topics["topic"].drop_nulls().value_counts().rename({"count": "own"})
    info = found.info.join(sizes, on="topic", how="left", maintain_order="left")
    below = (
        info.drop_nulls("parent").group_by("parent").agg(pl.col("own").sum().alias("all")).rename({"parent": "topic"})
    )
    info = info.join(below, on="topic", how="left", maintain_order="left").with_columns(
        pl.coalesce("all", "own", pl.lit(0)).cast(pl.Int64).alias("size")
    )
    if not saved:
        info = info.with_columns(pl.lit(read.comments.height).alias("found_in"))
    times = [comments.select("comment_id", "created_at") for comments in eligible]
    dated = pl.concat(times).join(topics.select("comment_id", "topic"), on="comment_id", maintain_order="left")
    own = read.comments.select("comment_id", "created_at").join(
        found.topics.select("comment_id", "topic"), on="comment_id", maintain_order="left"
    )
    texts = Words(words.counts[read.row], words.vocabulary)
    spans = topic_times(_counted(dated), _counted(own), list(centres.numbers), texts)
    notes = found.notes
    if saved:
        notes = tuple(_given_note(topics, said.rpartition(" of ")[2]) for said in notes)
    return TopicTables(topics, TOPIC_INFO.conform(info.drop("own", "all")), found.runs, spans, notes)


def _counted(dated: pl.DataFrame) -> Counted:
    times = dated["created_at"].cast(TOPIC_TIMES.schema["starts_at"])
    return Counted(times, dated["topic"].fill_null(-1).cast(pl.Int64).to_numpy())


def _reach(found: Topics) -> NDArray[np.float64]:
    """Return the smallest cosine to each centre that all but the farthest tenth of its fitted comments reach."""
    inside = [found.fitted & (found.labels == k) for k in range(len(found.numbers))]
    return np.array([np.quantile(found.strength[own], REACH) if own.any() else 1.0 for own in inside], float)


def _read(eligible: pl.DataFrame, vectors: Vectors) -> tuple[Read, Words]:
    """Return the eligible comments with near-duplicates read once, and their words."""
    group = pl.coalesce("duplicate_of", "comment_id")
    marked = eligible.with_columns(group.alias("group")).with_columns(row=pl.col("group").rank("dense") - 1)
    once = marked.sort("row", pl.col("duplicate_of").is_not_null(), "comment_id").unique("row", keep="first")
    once = once.sort("row")
    texts = once["text"].to_list()
    words = words_of(texts)
    read = Read(
        comments=eligible,
        row=marked["row"].to_numpy().astype(np.int64),
        ids=once["comment_id"],
        texts=texts,
        languages=once["language"].to_list(),
        vectors=vectors.of(texts),
        wordy=words.per_comment >= FEWEST_WORDS,
    )
    return read, words


def _described(found: Topics, words: Words, read: Read) -> list[Described]:
    """Return the topics in their order, then the broad topics above them."""
    typical = keywords(words, found.labels, len(found.numbers))
    topics = [
        Described(
            number,
            found.given.get(k) or label_of(number, typical[k]),
            typical[k],
            np.flatnonzero(found.labels == k),
            found.centres[k],
            None if found.stability is None else float(found.stability[k]),
            found.parent.get(k),
        )
        for k, number in enumerate(found.numbers)
    ]
    if not found.parent:
        return topics
    first, last = min(found.parent.values()), max(found.parent.values())
    above = lifted(found.labels, found.parent, first)
    typical = keywords(words, above, last - first + 1)
    broad = [
        Described(first + k, label_of(first + k, words_here), words_here, members, _middle(read, members), None, None)
        for k, words_here in enumerate(typical)
        for members in [np.flatnonzero(above == k)]
    ]
    return topics + broad


def _middle(read: Read, members: NDArray[np.int64]) -> NDArray[np.float32]:
    mean = read.vectors[members].mean(0)
    return (mean / max(float(np.linalg.norm(mean)), 1e-12)).astype(np.float32)


def _times(read: Read, words: Words, labels: NDArray[np.int64], numbers: Sequence[int]) -> pl.DataFrame:
    """Return rows of the topic_times table; each near-duplicate counts in its own time."""
    every = Words(words.counts[read.row], words.vocabulary)
    name = np.array([*numbers, -1], np.int64)[labels]
    counted = Counted(read.comments["created_at"].cast(TOPIC_TIMES.schema["starts_at"]), name[read.row])
    return topic_times(counted, counted, list(numbers), every)


def _none(note: str, config: Config) -> TopicTables:
    check(config.topics, [], [])
    return TopicTables(TOPICS.empty(), TOPIC_INFO.empty(), TOPIC_RUNS.empty(), TOPIC_TIMES.empty(), (note,))


def _notes(found: Topics, read: Read, number: int) -> tuple[str, ...]:
    notes = [f'topic "{name}" was looked for: no group of comments is near to it' for name in found.missing]
    if number > MOST_COMMENTS:
        notes.append(
            f"topics were found in {read.comments.height:,} of {number:,} comments, drawn by the seed from every "
            "thread; the others got the nearest one that they are near to"
        )
    elif len(read.texts) > MOST_FITTED:
        notes.append(
            f"topics were found in {MOST_FITTED:,} comments chosen by the seed; the others got the nearest one"
        )
    if found.stability is None:
        notes.append("topics: stability was not computed, [topics] random_seeds names one seed only")
    return tuple(notes)


def _given_note(topics: pl.DataFrame, name: str) -> str:
    inside = topics["topic"].drop_nulls().len()
    return f"topics: {inside:,} of {topics.height:,} comments belong to topics of {name}"
