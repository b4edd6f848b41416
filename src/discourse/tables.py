"""The contract: every table's columns, dtypes and meaning. Stages read tables and write tables; start reading here.

Text offsets are half-open, in Unicode code points of `comments.text`. Times are UTC with microseconds.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from enum import StrEnum

import polars as pl

SCHEMA_VERSION = 2

TEXT = pl.String()
INT = pl.Int64()
REAL = pl.Float64()
FLAG = pl.Boolean()
TIME = pl.Datetime("us", "UTC")
TEXTS = pl.List(pl.String())


class State(StrEnum):
    """What a reader of the platform sees of a comment."""

    VISIBLE = "visible"
    DELETED = "deleted"  # by its author
    REMOVED = "removed"  # by a moderator
    HELD = "held"  # waiting for moderation


class ReplyKind(StrEnum):
    """How a comment hangs in its thread."""

    OPENING = "opening"  # the post that the thread hangs from: never eligible
    TOP = "top"
    REPLY = "reply"
    FLATTENED = "flattened"  # the platform hides the true parent
    ORPHAN = "orphan"  # the parent was not collected


class Role(StrEnum):
    """Who wrote a comment."""

    USER = "user"
    AUTHOR = "author"  # of the article or opening post
    STAFF = "staff"
    BOT = "bot"
    UNKNOWN = "unknown"


class Precision(StrEnum):
    """How exactly a time is known."""

    EXACT = "exact"
    MINUTE = "minute"
    DAY = "day"
    RELATIVE = "relative"
    UNKNOWN = "unknown"


class Reason(StrEnum):
    """Why a record could not become a comment."""

    FURNITURE = "furniture"  # page text that is no comment
    EMPTY = "empty"  # no text is left after clean-up
    NO_TEXT_FIELD = "no_text_field"
    MALFORMED = "malformed"  # the record is cut short or is not what its format promises
    UNDECODABLE = "undecodable"  # bytes that are no text
    TOO_LARGE = "too_large"
    TOO_DEEP = "too_deep"
    DUPLICATE_ID = "duplicate_id"  # the same id again, with the same or another content
    WRONG_TYPE = "wrong_type"
    NOT_A_COMMENT = "not_a_comment"  # pingbacks, small actions and other rows of a platform
    OTHER_THREAD = "other_thread"


class Decision(StrEnum):
    """What a frame model says of a comment."""

    YES = "yes"
    NO = "no"
    UNSURE = "unsure"


class Stance(StrEnum):
    """What a comment says of a target."""

    FAVOR = "favor"
    AGAINST = "against"
    NEUTRAL = "neutral"  # about the target, no side
    OFF_TARGET = "off_target"  # not about the target
    UNSURE = "unsure"


class Tier(StrEnum):
    """Which model answered."""

    STATIC = "static"
    ENCODER = "encoder"
    JUDGE = "judge"


class Path(StrEnum):
    """Which way a tag took, that is what was read to reach it."""

    CASCADE = "cascade"
    EXACT = "exact"
    TEXT_ONLY = "text_only"
    NO_CONTEXT = "no_context"
    JUDGE = "judge"


class Assignment(StrEnum):
    """How a comment came to its topic."""

    FITTED = "fitted"
    REASSIGNED = "reassigned"  # left over by the clustering, given to the nearest topic
    ASSIGNED = "assigned"  # by a saved topics bundle
    OUTLIER = "outlier"


class OutlierReason(StrEnum):
    """Why a comment has no topic."""

    FAR = "far"  # from every topic, as measured by the topics' own comments
    NO_WORDS = "no_words"  # hardly a word that carries a subject


class TopicMark(StrEnum):
    """A caution that goes wherever a topic goes."""

    UNSTABLE = "unstable"  # other seeds and other samples do not find it again


class Design(StrEnum):
    """How the comments that people labelled were drawn."""

    UNIFORM = "uniform"
    STRATIFIED = "stratified"
    UNCERTAIN = "uncertain"
    CENSUS = "census"
    UNKNOWN = "unknown"


class Change(StrEnum):
    """What became of a comment between two collections of its thread."""

    NEW = "new"
    DISAPPEARED = "disappeared"  # deleted, removed, held, or no longer delivered
    EDITED = "edited"


class Measure(StrEnum):
    """What an estimate is of."""

    SHARE = "share"
    COUNT = "count"
    DIFFERENCE = "difference"
    RATIO = "ratio"
    ODDS_RATIO = "odds_ratio"
    ALPHA = "alpha"
    QUALITY = "quality"
    STABILITY = "stability"


class Mark(StrEnum):
    """A caution that goes wherever the estimate goes."""

    LOW_SAMPLE = "low_sample"
    NOT_ESTIMABLE = "not_estimable"
    NOT_VALIDATED = "not_validated"


@dataclass(frozen=True, slots=True)
class Column:
    """One column: its dtype, what it means, its closed vocabulary if it has one, and whether it may be null."""

    dtype: pl.DataType
    meaning: str
    values: type[StrEnum] | None = None
    required: bool = False


@dataclass(frozen=True, slots=True)
class Table:
    """One table of the workspace: the stage that writes it, its key, and its columns in order."""

    name: str
    stage: str
    key: tuple[str, ...]
    columns: Mapping[str, Column]

    @property
    def schema(self) -> pl.Schema:
        """The table's column names and dtypes, in order."""
        return pl.Schema({name: column.dtype for name, column in self.columns.items()})

    def empty(self) -> pl.DataFrame:
        """Return a frame of this table with no rows."""
        return pl.DataFrame(schema=self.schema)

    def conform(self, frame: pl.DataFrame) -> pl.DataFrame:
        """Return `frame` with exactly this table's columns, in order and cast; absent nullable columns become null.

        Raises:
            ValueError: a column is unknown, a required one is null, a value is outside its vocabulary, or a key
                repeats. These are faults of a stage, never of the user's data.
        """
        unknown = set(frame.columns) - set(self.columns)
        if unknown:
            raise ValueError(f"table {self.name}: unknown columns {sorted(unknown)}")
        absent = [
            pl.lit(None, dtype=column.dtype).alias(name)
            for name, column in self.columns.items()
            if name not in frame.columns
        ]
        cast = [pl.col(name).cast(column.dtype) for name, column in self.columns.items()]
        frame = frame.with_columns(absent).select(cast)
        for name, column in self.columns.items():
            if column.required and frame[name].null_count():
                raise ValueError(f"table {self.name}: column {name} has {frame[name].null_count()} nulls")
            if column.values is not None:
                strange = set(frame[name].drop_nulls().unique()) - {value.value for value in column.values}
                if strange:
                    raise ValueError(f"table {self.name}: column {name} holds {sorted(strange)}")
        if self.key and frame.select(self.key).is_duplicated().any():
            raise ValueError(f"table {self.name}: key {self.key} repeats")
        return frame


def _required(dtype: pl.DataType, meaning: str, values: type[StrEnum] | None = None) -> Column:
    return Column(dtype, meaning, values, required=True)


RAW_THREADS = Table(
    "raw_threads",
    "collect",
    ("thread_id",),
    {
        "thread_id": _required(TEXT, "platform:native id; for files the mapped column, else the file's name"),
        "platform": _required(TEXT, "reddit, discourse, …, or file"),
        "site": Column(TEXT, "host name"),
        "community": Column(TEXT, "subreddit, category, channel"),
        "url": Column(TEXT, "where the thread stands"),
        "title": Column(TEXT, "as delivered"),
        "article_author": Column(TEXT, "as delivered; never written outside the workspace"),
        "article": Column(TEXT, "the text that is commented on, as delivered"),
        "published_at": Column(TIME, "of the article"),
        "collected_at": Column(TIME, "when the source was read"),
        "declared": Column(INT, "how many comments the platform says it has"),
        "unreachable": _required(INT, "comments known to exist and not delivered"),
        "capped": _required(INT, "comments left out because a limit was reached"),
        "reason": Column(TEXT, "why declared and collected differ"),
        "source": _required(TEXT, "raw file and member"),
    },
)

RAW_COMMENTS = Table(
    "raw_comments",
    "collect",
    ("file", "offset"),
    {
        "file": _required(TEXT, "raw file under WS/raw"),
        "offset": _required(INT, "row, line, paragraph or record in that file, counted from 0"),
        "location": _required(TEXT, "the same place for a person, such as 'line 12'"),
        "thread_id": _required(TEXT, "as in raw_threads"),
        "platform": _required(TEXT, "as in raw_threads"),
        "native_id": Column(TEXT, "the platform's id; null where the source has none"),
        "native_parent": Column(TEXT, "the platform's id of the comment answered; null for a top comment"),
        "reply_kind": Column(TEXT, "set where the source knows better than the tree", ReplyKind),
        "author": Column(TEXT, "as delivered; becomes a pseudonym in normalize"),
        "role": _required(TEXT, "as the platform tells", Role),
        "created_at": Column(TIME, "null if unknown"),
        "created_precision": _required(TEXT, "how exactly created_at is known", Precision),
        "first_seen": Column(TIME, "when an answer first showed it; null for files"),
        "last_seen": Column(TIME, "when an answer last showed it; null for files"),
        "text": Column(TEXT, "as delivered; null for deleted and removed comments"),
        "markup": _required(TEXT, "what text is written in: plain, markdown or html"),
        "score": Column(REAL, "votes or likes"),
        "state": _required(TEXT, "what a reader of the platform sees", State),
        "url": Column(TEXT, "the comment's own address"),
        "reason": Column(TEXT, "set if this record cannot become a comment", Reason),
        "excerpt": Column(TEXT, "the start of a record that cannot become a comment"),
    },
)

RAW_ATTRIBUTES = Table(
    "raw_attributes",
    "collect",
    ("file", "offset", "name"),
    {
        "file": _required(TEXT, "as in raw_comments"),
        "offset": _required(INT, "as in raw_comments"),
        "name": _required(TEXT, "column named in [input] attributes"),
        "value": Column(TEXT, "as text"),
    },
)

THREADS = Table(
    "threads",
    "normalize",
    ("thread_id",),
    {
        "thread_id": _required(TEXT, "platform:native id; for files the mapped column, else the file's name"),
        "platform": _required(TEXT, "reddit, discourse, …, or file"),
        "site": Column(TEXT, "host name"),
        "community": Column(TEXT, "subreddit, category, channel"),
        "url": Column(TEXT, "where the thread stands"),
        "title": Column(TEXT, "cleaned"),
        "article_author": Column(TEXT, "keyed pseudonym"),
        "article": Column(TEXT, "the text that is commented on, cleaned; may be null"),
        "published_at": Column(TIME, "of the article"),
        "collected_at": Column(TIME, "when the source was read"),
        "declared": Column(INT, "how many comments the platform says it has"),
        "collected": _required(INT, "rows in comments, without the opening post"),
        "deleted": _required(INT, "of these, deleted by their authors"),
        "removed": _required(INT, "of these, removed by moderators"),
        "held": _required(INT, "of these, waiting for moderation"),
        "unreachable": _required(INT, "known to exist and not delivered"),
        "capped": _required(INT, "left out because a limit was reached"),
        "quarantined": _required(INT, "rows in quarantine from this thread"),
        "reason": Column(TEXT, "why declared and collected differ"),
        "source": _required(TEXT, "raw file and member"),
    },
)

COMMENTS = Table(
    "comments",
    "normalize",
    ("comment_id",),
    {
        "comment_id": _required(TEXT, "platform:native id; without one, a hash of thread, parent, text, occurrence"),
        "thread_id": _required(TEXT, "as in threads"),
        "parent_id": Column(TEXT, "null, or a comment_id that exists in the table"),
        "reply_kind": _required(TEXT, "how the comment hangs in its thread", ReplyKind),
        "depth": _required(INT, "0 for opening and top comments"),
        "position": _required(INT, "order in the thread, parents first, from 0"),
        "author": Column(TEXT, "keyed pseudonym, null if unknown"),
        "role": _required(TEXT, "who wrote it", Role),
        "created_at": Column(TIME, "null if unknown"),
        "created_precision": _required(TEXT, "how exactly created_at is known", Precision),
        "first_seen": Column(TIME, "collection that first saw it"),
        "last_seen": Column(TIME, "collection that last saw it"),
        "text": Column(TEXT, "NFC, no markup, no quoted text; null if deleted, removed or only a quote"),
        "quotes": _required(
            pl.List(pl.Struct({"text": pl.String(), "comment_id": pl.String()})),
            "quoted passages, each with the comment_id it was found in, if any",
        ),
        "links": _required(TEXTS, "addresses found in the text"),
        "language": Column(TEXT, "ISO 639-1; null where there is no text"),
        "language_confidence": Column(REAL, "0–1"),
        "score": Column(REAL, "votes or likes"),
        "state": _required(TEXT, "what a reader of the platform sees", State),
        "duplicate_of": Column(TEXT, "comment_id of the first of its near-duplicates"),
        "url": Column(TEXT, "the comment's own address at its platform"),
        "raw": _required(pl.Struct({"file": pl.String(), "offset": pl.Int64()}), "where it was read"),
    },
)

QUARANTINE = Table(
    "quarantine",
    "normalize",
    ("source", "location"),
    {
        "source": _required(TEXT, "raw file"),
        "location": _required(TEXT, "row, line or paragraph"),
        "thread_id": Column(TEXT, "the thread it would have belonged to, if known"),
        "reason": _required(TEXT, "why it could not become a row", Reason),
        "excerpt": Column(TEXT, "at most 200 characters"),
    },
)

ATTRIBUTES = Table(
    "attributes",
    "normalize",
    ("unit", "id", "name"),
    {
        "unit": _required(TEXT, "comment or thread"),
        "id": _required(TEXT, "comment_id or thread_id"),
        "name": _required(TEXT, "column named in [input] attributes"),
        "value": Column(TEXT, "as text"),
    },
)

EMBEDDINGS = Table(
    "embeddings",
    "tag",
    ("input_key", "encoder"),
    {
        "input_key": _required(TEXT, "SHA-256 of the text as read"),
        "encoder": _required(TEXT, "what gave it, an encoder or a bundle's static tier: name and start of its SHA-256"),
        "vector": _required(pl.List(pl.Float16()), "unit vector, as long as the encoder is wide"),
    },
)

SCORES = Table(
    "scores",
    "tag",
    ("input_key", "bundle", "level", "tier"),
    {
        "input_key": _required(TEXT, "SHA-256 of text, title and parent as used, and bundle"),
        "bundle": _required(TEXT, "bundle name and the start of its SHA-256"),
        "level": _required(TEXT, "frame, or target and stance"),
        "score": _required(REAL, "uncalibrated log-odds"),
        "evidence_start": Column(INT, "of the sentence that carries the level most"),
        "evidence_end": Column(INT, "half-open"),
        "tier": _required(TEXT, "which model answered", Tier),
    },
)

FRAMES = Table(
    "frames",
    "tag",
    ("comment_id", "frame", "bundle", "path"),
    {
        "comment_id": _required(TEXT, "as in comments"),
        "frame": _required(TEXT, "name in the codebook"),
        "probability": Column(
            REAL, "calibrated, 0–1; of tier judge the share of its runs; null where the language is not the bundle's"
        ),
        "above_threshold": _required(FLAG, "probability reaches the bundle's threshold"),
        "decision": _required(TEXT, "yes, no or unsure", Decision),
        "reason": Column(TEXT, "of unsure: model, language; of tier judge also runs, or why answers were invalid"),
        "evidence_start": Column(INT, "of the sentence that carries a yes"),
        "evidence_end": Column(INT, "half-open"),
        "tier": _required(TEXT, "which model answered", Tier),
        "path": _required(TEXT, "what was read", Path),
        "bundle": _required(TEXT, "bundle name and the start of its SHA-256"),
    },
)

STANCES = Table(
    "stance",
    "tag",
    ("comment_id", "target", "bundle", "path"),
    {
        "comment_id": _required(TEXT, "as in comments"),
        "target": _required(TEXT, "as named in [stance] targets"),
        "p_favor": Column(REAL, "null where the gate stopped the comment"),
        "p_against": Column(REAL, "null where the gate stopped the comment"),
        "p_neutral": Column(REAL, "null where the gate stopped the comment"),
        "p_off_target": Column(REAL, "from the gate; null where the language is not the bundle's"),
        "stance": _required(TEXT, "the likeliest, or unsure", Stance),
        "reason": Column(TEXT, "of unsure: model, language; of tier judge also runs, or why answers were invalid"),
        "evidence_start": Column(INT, "of the sentence that carries the stance"),
        "evidence_end": Column(INT, "half-open"),
        "tier": _required(TEXT, "which model answered", Tier),
        "path": _required(TEXT, "what was read", Path),
        "bundle": _required(TEXT, "bundle name and the start of its SHA-256"),
    },
)

TOPICS = Table(
    "topics",
    "tag",
    ("comment_id",),
    {
        "comment_id": _required(TEXT, "as in comments"),
        "topic": Column(INT, "as in topic_info; null for an outlier"),
        "probability": Column(REAL, "strength of the assignment, 0–1: cosine to the centre of the nearest topic"),
        "assignment": _required(TEXT, "how the comment came to its topic", Assignment),
        "reason": Column(TEXT, "of an outlier", OutlierReason),
    },
)

TOPIC_INFO = Table(
    "topic_info",
    "tag",
    ("topic",),
    {
        "topic": _required(
            INT, "from 0, largest first as found; broad topics, which are parents, come after the others"
        ),
        "label": _required(TEXT, "for readers"),
        "keywords": _required(TEXTS, "most typical first"),
        "representatives": _required(TEXTS, "comment_ids nearest to the topic's centre"),
        "size": _required(INT, "comments assigned; of a broad topic, to the topics below it"),
        "stability": Column(REAL, "mean Jaccard over seeds and subsamples, 0–1; null if not computed"),
        "parent": Column(INT, "topic above it in the hierarchy"),
        "mark": Column(TEXT, "caution", TopicMark),
        "sentence_start": Column(INT, "of the sentence nearest to the topic's centre, in the first representative"),
        "sentence_end": Column(INT, "half-open"),
        "found_in": Column(INT, "comments that topics were found in, if these are a sample; the others were given one"),
    },
)

TOPIC_NAMES = Table(
    "topic_names",
    "tag",
    ("topic",),
    {
        "topic": _required(INT, "as in topic_info, whose label it is"),
        "label": _required(TEXT, "as the external coder gave it"),
        "coder": _required(TEXT, "model and the start of its prompt's SHA-256"),
        "text": _required(TEXT, "what the model was told to name it by"),
    },
)

TOPIC_RUNS = Table(
    "topic_runs",
    "tag",
    ("kind", "seed"),
    {
        "kind": _required(TEXT, "seed: all comments again; subsample: 80 % of them"),
        "seed": _required(INT, "of this run"),
        "comments": _required(INT, "read in this run"),
        "topics": _required(INT, "found in this run"),
        "adjusted_rand": Column(REAL, "agreement with the topics shown, 1: the same; null if not computable"),
    },
)

TOPIC_TIMES = Table(
    "topic_times",
    "tag",
    ("topic", "starts_at"),
    {
        "topic": _required(INT, "as in topic_info"),
        "starts_at": _required(TIME, "start of the span"),
        "span": _required(TEXT, "length of the span: 1h, 1d, 1w, 1mo or 1y"),
        "size": _required(INT, "comments of this topic in the span; 0 where there are none"),
        "comments": _required(INT, "comments of all topics and none in the span"),
        "keywords": _required(TEXTS, "most typical for the topic in the span"),
    },
)

VOTES = Table(
    "votes",
    "tag",
    ("use", "comment_id", "kind", "level", "coder", "run"),
    {
        "use": _required(TEXT, "what the external coder was asked for: tags, or labels of a round"),
        "comment_id": _required(TEXT, "as in comments"),
        "kind": _required(TEXT, "frame or stance"),
        "level": _required(TEXT, "frame, or target"),
        "coder": _required(TEXT, "model and the start of its prompt's SHA-256"),
        "run": _required(INT, "from 0"),
        "value": Column(TEXT, "as answered; null where no valid answer was had"),
        "reason": Column(TEXT, "why there is none"),
        "evidence_start": Column(INT, "of the passage quoted for it"),
        "evidence_end": Column(INT, "half-open"),
    },
)

ANSWERS = Table(
    "answers",
    "tag",
    ("use", "coder", "host", "outcome"),
    {
        "use": _required(TEXT, "what the external coder was asked for: tags, labels of a round, names of topics"),
        "coder": _required(TEXT, "model and the start of its prompt's SHA-256"),
        "host": _required(TEXT, "where texts were sent, without path and key"),
        "outcome": _required(TEXT, "valid, or why not"),
        "answers": _required(INT, "how many came out so"),
        "inputs": _required(INT, "different comments, with their context, that they are of"),
        "tokens_in": _required(INT, "sent, as the server counts; 0 where it does not tell"),
        "tokens_out": _required(INT, "answered, as the server counts"),
    },
)

# Labels of an external coder are named so, and are never shown as those of people.
MODEL_ANNOTATOR = "model:"


def by_people() -> pl.Expr:
    """Tell which rows of the labels table people gave."""
    return ~pl.col("annotator").str.starts_with(MODEL_ANNOTATOR)


LABELS = Table(
    "labels",
    "annotate",
    ("comment_id", "kind", "level", "annotator", "round"),
    {
        "comment_id": _required(TEXT, "as in comments"),
        "kind": _required(TEXT, "frame or stance"),
        "level": _required(TEXT, "frame, or target"),
        "value": Column(TEXT, "yes or no; favor, against, neutral or off_target; null if skipped"),
        "hard": _required(FLAG, "the person was unsure"),
        "annotator": _required(TEXT, "who labelled; an external coder is model:NAME"),
        "design": _required(TEXT, "how the comment was drawn", Design),
        "inclusion": Column(REAL, "probability over all rounds; null if unknown"),
        "round": _required(INT, "from 0"),
        "labelled_at": Column(TIME, "null if unknown"),
    },
)

SAMPLES = Table(
    "samples",
    "annotate",
    ("round", "comment_id", "kind", "level"),
    {
        "round": _required(INT, "from 0"),
        "comment_id": _required(TEXT, "as in comments"),
        "kind": _required(TEXT, "frame or stance"),
        "level": _required(TEXT, "frame, or target"),
        "design": _required(TEXT, "how the comment was drawn", Design),
        "probability": _required(REAL, "of being drawn in this round"),
        "rank": Column(INT, "random order in which it is shown; null if it could have been drawn and was not"),
    },
)

# What the fit table calls all comments of a workspace together; a thread's id has its platform in front.
ALL_THREADS = "all"

FIT = Table(
    "fit",
    "tag",
    ("bundle", "thread_id", "check"),
    {
        "bundle": _required(TEXT, "bundle name and the start of its SHA-256"),
        "thread_id": _required(TEXT, "as in threads; all: the comments of all threads together"),
        "check": _required(TEXT, "distance, vocabulary, style, length or language"),
        "effect": Column(REAL, "standardised difference from the training comments; null if unknown"),
        "threshold": Column(REAL, "fixed on held-out threads of the training comments; null if unknown"),
        "verdict": _required(TEXT, "fits, differs or unknown"),
        "reason": Column(TEXT, "why it is unknown"),
    },
)

ESTIMATES = Table(
    "estimates",
    "aggregate",
    ("estimate_id",),
    {
        "estimate_id": _required(TEXT, "stable: a hash of what is estimated and how"),
        "unit": _required(TEXT, "thread:<id> or all"),
        "group_by": Column(TEXT, "what splits the unit, such as depth"),
        "group": Column(TEXT, "which part of it"),
        "contrast": Column(TEXT, "unit or group compared with; null for a level"),
        "measure": _required(TEXT, "what the number is", Measure),
        "level": _required(TEXT, "kind and name, such as frame:fear_of_surveillance"),
        "population": _required(TEXT, "collected or similar"),
        "variant": _required(TEXT, "main, or what was changed"),
        "denominator": _required(TEXT, "of what, in words"),
        "n": _required(INT, "comments in the denominator"),
        "n_effective": Column(REAL, "after clustering and weights"),
        "n_labelled": _required(INT, "comments with a label used"),
        "n_unsure": _required(INT, "comments on which the model abstains"),
        "estimate": Column(REAL, "null if not_estimable"),
        "low": Column(REAL, "of the 95 % interval; null where there is none"),
        "high": Column(REAL, "of the 95 % interval; null where there is none"),
        "p": Column(REAL, "unadjusted"),
        "p_holm": Column(REAL, "over all rows of one family"),
        "family": Column(TEXT, "comparison table"),
        "method": _required(TEXT, "how it was computed"),
        "assumptions": _required(TEXT, "what must hold for the interval to be right"),
        "mark": Column(TEXT, "caution", Mark),
    },
)

CHANGES = Table(
    "changes",
    "compare",
    ("later", "comment_id", "earlier"),
    {
        "thread_id": _required(TEXT, "a thread that two compared workspaces hold"),
        "earlier": _required(TEXT, "name of the workspace that collected it first"),
        "later": _required(TEXT, "name of the other"),
        "comment_id": _required(TEXT, "as in comments"),
        "change": _required(TEXT, "what became of it", Change),
        "author": Column(TEXT, "keyed pseudonym, null if unknown"),
        "created_at": Column(TIME, "null if unknown"),
        "url": Column(TEXT, "the comment's own address at its platform"),
        "text": Column(TEXT, "as it is now; null if it disappeared"),
    },
)

TABLES: Mapping[str, Table] = {
    table.name: table
    for table in (
        RAW_THREADS,
        RAW_COMMENTS,
        RAW_ATTRIBUTES,
        THREADS,
        COMMENTS,
        QUARANTINE,
        ATTRIBUTES,
        EMBEDDINGS,
        SCORES,
        FRAMES,
        STANCES,
        TOPICS,
        TOPIC_INFO,
        TOPIC_NAMES,
        TOPIC_RUNS,
        TOPIC_TIMES,
        VOTES,
        ANSWERS,
        LABELS,
        SAMPLES,
        FIT,
        ESTIMATES,
        CHANGES,
    )
}
