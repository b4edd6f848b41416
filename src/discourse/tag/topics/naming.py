"""What a topic is called and shown by: keywords, the comments nearest to its centre, and one sentence of them."""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
import polars as pl
from numpy.typing import NDArray

KEYWORDS = 8
IN_LABEL = 3
REPRESENTATIVES = 5
# A word of one person alone may name somebody, and tells nothing of a topic.
FEWEST_WITH_WORD = 2
WORD = r"(?u)\b[^\W\d_]{3,}\b"
# How people are addressed: @name, u/name.
HANDLE = re.compile(r"(?<![\w@])(?:@|/?u/)(\w[\w.-]*)")
# What the tokens of contractions and addresses leave, beside scikit-learn's English list.
LEFTOVERS = (
    "ain aren com couldn didn does doesn doing don gonna gotta hadn hasn haven http https isn let lol mustn needn "
    "shan shouldn tbh that the wanna wasn weren won wouldn www yeah yes"
)


@dataclass(frozen=True, slots=True)
class Words:
    """The words of all comments: how often each comment (row) uses each word of `vocabulary` (column), sparse."""

    counts: Any
    vocabulary: NDArray[np.str_]

    @property
    def per_comment(self) -> NDArray[np.int64]:
        """How many words that carry a subject each comment has."""
        return np.asarray(self.counts.sum(1), np.int64).ravel()


def words_of(texts: Sequence[str]) -> Words:
    """Count the words of three and more letters that are no stop words, nor names that people are addressed by.

    A word that is part of a name in at least half of the comments that have it (such as a name used with and without
    its @) is left out everywhere: keywords must not point at a person.
    """
    from sklearn.feature_extraction.text import ENGLISH_STOP_WORDS, CountVectorizer

    vectorizer = CountVectorizer(stop_words=sorted({*ENGLISH_STOP_WORDS, *LEFTOVERS.split()}), token_pattern=WORD)
    names = Counter(
        word for text in texts for word in {w for name in HANDLE.findall(text) for w in _tokens(name.replace("_", " "))}
    )
    try:
        counts: Any = vectorizer.fit_transform([HANDLE.sub(" ", text) for text in texts])
    except ValueError:  # not one word is left
        from scipy.sparse import csr_matrix

        return Words(csr_matrix((len(texts), 0), dtype=np.int64), np.array([], np.str_))
    vocabulary = np.asarray(vectorizer.get_feature_names_out(), np.str_)
    plain = np.asarray((counts > 0).sum(0)).ravel()
    kept = np.array([names[str(word)] < max(used, 1) for word, used in zip(vocabulary, plain, strict=True)], bool)
    return Words(counts.tocsr()[:, kept], vocabulary[kept])


def subject_words(texts: pl.Series) -> NDArray[np.int64]:
    """Count in each text the words that may carry a subject, as `words_of` does, without looking at the other texts.

    Names that people are addressed by are left out where they stand as such.
    """
    from sklearn.feature_extraction.text import ENGLISH_STOP_WORDS

    stops = pl.Series(sorted({*ENGLISH_STOP_WORDS, *LEFTOVERS.split()}))
    # Rust's expressions have no look-behind; what stands before the handle is put back.
    plain = pl.col("text").str.replace_all(r"(^|[^\w@])(?:@|/?u/)\w[\w.-]*", "$1 ").str.to_lowercase()
    words = plain.str.extract_all(r"\b[^\W\d_]{3,}\b").alias("word")
    found = texts.alias("text").to_frame().select(words).with_row_index("row").explode("word").drop_nulls()
    counted = found.filter(~pl.col("word").is_in(stops.implode())).group_by("row").len()
    total = np.zeros(len(texts), np.int64)
    total[counted["row"].to_numpy()] = counted["len"].to_numpy()
    return total


def keywords(words: Words, labels: NDArray[np.int64], count: int) -> list[list[str]]:
    """Return the most typical words of each group, most typical first, by class-based TF-IDF (Grootendorst 2022).

    Args:
        words: of the comments.
        labels: group of each comment, or -1.
        count: number of groups.
    """
    from bertopic.vectorizers import ClassTfidfTransformer
    from scipy.sparse import csr_matrix

    if not len(words.vocabulary) or count == 0:
        return [[] for _ in range(count)]
    rows = np.flatnonzero(labels >= 0)
    member = csr_matrix((np.ones(len(rows), np.int64), (labels[rows], rows)), shape=(count, len(labels)))
    totals: Any = (member @ words.counts).tocsr()
    comments: Any = member @ (words.counts > 0).astype(np.int64)
    weights: Any = totals.toarray()
    if len(words.vocabulary) > 1:  # BERTopic's transformer cannot weigh a single word
        with np.errstate(divide="ignore", invalid="ignore"):
            # A word that no group uses has no inverse frequency; its weight is not read.
            weights = ClassTfidfTransformer(reduce_frequent_words=True).fit_transform(totals).toarray()
    usable = (comments.toarray() >= FEWEST_WITH_WORD) & np.isfinite(weights) & (weights > 0)
    found: list[list[str]] = []
    for weight, usable_here in zip(weights, usable, strict=True):
        # Twice as many as needed: one of each singular and plural goes.
        order = np.argsort(-np.where(usable_here, weight, -np.inf), kind="stable")[: 2 * KEYWORDS]
        found.append(_distinct([str(words.vocabulary[k]) for k in order if usable_here[k]])[:KEYWORDS])
    return found


def _distinct(words: Sequence[str]) -> list[str]:
    """Leave out the later one of a singular and its plural in s."""
    found: list[str] = []
    for word in words:
        if not any(word in {other + "s", other.removesuffix("s")} for other in found):
            found.append(word)
    return found


def _tokens(text: str) -> list[str]:
    return re.findall(WORD, text.lower())


def label_of(topic: int, found: Sequence[str]) -> str:
    """Return the label of a topic: its first keywords, else its number."""
    return ", ".join(found[:IN_LABEL]) or f"topic {topic}"


def representatives(
    vectors: NDArray[np.float32], labels: NDArray[np.int64], centres: NDArray[np.float32]
) -> list[NDArray[np.int64]]:
    """Return for each group the rows of the comments nearest to its centre, nearest first."""
    found: list[NDArray[np.int64]] = []
    for k, centre in enumerate(centres):
        rows = np.flatnonzero(labels == k)
        found.append(rows[np.argsort(-(vectors[rows] @ centre), kind="stable")[:REPRESENTATIVES]])
    return found
