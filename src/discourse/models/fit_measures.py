"""What the fit check measures: how far a set of comments lies from training comments, as effect sizes.

Each measure stays the same however many comments are looked at, which a test statistic would not.
"""

from __future__ import annotations

import hashlib
import re
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

Floats = NDArray[np.float64]
Names = NDArray[np.str_]

# A thread of this many comments is the yardstick of distances.
YARDSTICK = 20
# Fewer rows beside another of their thread say nothing about how threads vary.
LEAST_REPEATED = 50
# Variance that no mark goes below, so that a mark which training comments never have does not count without bound.
LEAST_VARIANCE = 0.01

# Only the first words of a text, each once: no rant or pasted log speaks for the others.
WORDS_READ = 100
MARKS = 11
BITS = 1 << 18
PROBES = 3
# The tenth of the comments that has most unknown words is left out: it is other languages, code, and noise.
KEPT_SHARE = 0.9
PERCENTILES = np.linspace(0, 1, 101)

# Scripts without spaces: each character is a word.
_WORD = re.compile(r"[\u3040-\u30ff\u3400-\u9fff\u0e00-\u0eff\u1780-\u17ff]|[^\W\d_]+(?:['’][^\W\d_]+)*")
_ENDS = tuple('.?!…"”)')


@dataclass(frozen=True, slots=True)
class Space:
    """Where training sources lie, in coordinates in which means of threads vary alike in all directions.

    Attributes:
        whiten: features × coordinates; features @ whiten are the coordinates.
        centres: centres × coordinates, one or two a source.
        blur: for each centre the squared distance that its own sampling adds.
    """

    whiten: Floats
    centres: Floats
    blur: Floats

    def project(self, features: NDArray[np.float32]) -> Floats:
        """Return coordinates of features, rows × coordinates."""
        return features.astype(np.float64) @ self.whiten


def describe_space(
    features: NDArray[np.float32], sources: Names, threads: Names, weights: Floats | None, least: float = 0.0
) -> Space:
    """Estimate how features vary within threads and between the threads of a source, and where the sources lie.

    The metric is that of probabilistic linear discriminant analysis (Ioffe 2006): a shift counts by the standard
    deviation that means of threads of `YARDSTICK` comments have in its direction, so that a new subject counts for
    less than another way of speaking. The covariance within threads is shrunk as in Ledoit & Wolf (2004).

    Args:
        features: rows × features.
        sources: of each row.
        threads: of each row.
        weights: how many comments a row stands for (NaN: unknown); sources of uneven weights get a second centre.
        least: a variance that is added to each feature.
    """
    x = features.astype(np.float64)
    within, between = _covariances(x, sources, threads)
    within += least * np.eye(len(within))
    values, directions = np.linalg.eigh(within / YARDSTICK + between)
    whiten = directions / np.sqrt(np.maximum(values, 1e-9))
    spread, topics = np.trace(whiten.T @ within @ whiten), np.trace(whiten.T @ between @ whiten)
    centres: list[Floats] = []
    blur: list[float] = []
    for source in np.unique(sources):
        rows = sources == source
        thread = np.unique(threads[rows], return_inverse=True)[1]
        for weight in _weightings(weights, rows):
            share = weight / weight.sum()
            centres.append(share @ x[rows] @ whiten)
            blur.append(float(spread * (share**2).sum() + topics * (np.bincount(thread, share) ** 2).sum()))
    return Space(whiten, np.stack(centres), np.array(blur))


def knows_threads(threads: Names) -> bool:
    """Tell whether enough rows share their thread with another to say how threads vary."""
    sizes = np.unique(threads, return_counts=True)[1]
    return bool((sizes[sizes > 1] - 1).sum() >= LEAST_REPEATED)


def distance(space: Space, coordinates: Floats) -> float:
    """Return how far the mean of some comments lies from the nearest mixture of training sources.

    Args:
        space: of the training comments.
        coordinates: `space.project` of at least two comments.

    Returns:
        The root mean square over coordinates, in standard deviations of means of threads, less what the sampling of
        the comments and of the sources adds; 0 where nothing is left.
    """
    mean = coordinates.mean(0)
    share = _mixture(space.centres, mean)
    left = mean - share @ space.centres
    noise = coordinates.var(0, ddof=1).sum() / len(coordinates) + (share**2) @ space.blur
    return float(np.sqrt(max(0.0, float(left @ left) - noise) / len(mean)))


def marks(texts: Sequence[str]) -> NDArray[np.float32]:
    """Return how texts are written, whatever they speak of and in whatever language: texts × 11, each about 0–2.

    Question and exclamation marks, dots of omission, quotation marks, digits, a small first letter and a closing mark
    (0 or 1 each); commas, full stops and capitals by length; mean length of words (logarithm).
    """
    return np.array([_marks(text) for text in texts], np.float32).reshape(len(texts), MARKS)


def words(text: str) -> frozenset[str]:
    """Return the distinct words in small letters, without numbers, among the first `WORDS_READ` words of a text."""
    found: set[str] = set()
    for place, match in enumerate(_WORD.finditer(text.lower())):
        if place == WORDS_READ:
            break
        found.add(match.group())
    return frozenset(found)


def threads_of_words(texts: Sequence[frozenset[str]], threads: Names) -> dict[str, int]:
    """Return for each word in how many threads it occurs."""
    pairs = {(word, thread) for of_text, thread in zip(texts, threads.tolist(), strict=True) for word in of_text}
    found: dict[str, int] = {}
    for word, _ in pairs:
        found[word] = found.get(word, 0) + 1
    return found


def sketch(known: Sequence[str]) -> NDArray[np.uint8]:
    """Return a Bloom filter (Bloom 1970) of words: it tells of a word that it is perhaps, or surely not, among them."""
    bits = np.zeros(BITS, np.uint8)
    for word in known:
        bits[list(_places(word))] = 1
    return np.packbits(bits)


def count_unknown(known: NDArray[np.uint8], texts: Sequence[frozenset[str]]) -> NDArray[np.int64]:
    """Return for each text how many of its words are not in a sketch, and how many words it has; texts × 2."""
    bits = np.unpackbits(known)
    new = {word for word in set().union(*texts) if not bits[list(_places(word))].all()}
    return np.array([(len(of_text & new), len(of_text)) for of_text in texts], np.int64).reshape(-1, 2)


def unknown_share(counts: NDArray[np.int64]) -> float:
    """Return the share of unknown words, without the tenth of the comments in which it is largest.

    Args:
        counts: comments × (unknown words, words).
    """
    some = counts[counts[:, 1] > 0]
    if not len(some):
        return 0.0
    order = np.argsort(some[:, 0] / some[:, 1], kind="stable")
    kept = some[order[: max(1, int(np.ceil(KEPT_SHARE * len(some))))]]
    return float(kept[:, 0].sum() / kept[:, 1].sum())


def more_than_usual(share: float, usual: float) -> float:
    """Return Cohen's h (1988), the difference of two shares on the arcsine scale; 0 where the first is smaller."""
    return max(0.0, 2 * float(np.arcsin(np.sqrt(share)) - np.arcsin(np.sqrt(usual))))


def length_percentiles(lengths: NDArray[np.int64], sources: Names, weights: Floats | None) -> Floats:
    """Return 101 percentiles of the lengths of each source, once more by weight where weights are uneven; n × 101."""
    found: list[Floats] = []
    for source in np.unique(sources):
        rows = sources == source
        for weight in _weightings(weights, rows):
            found += [np.quantile(lengths[rows], PERCENTILES, method="inverted_cdf", weights=weight)]
    return np.stack(found)


def length_difference(percentiles: Floats, lengths: NDArray[np.int64]) -> float:
    """Return Cliff's delta (1993) from the source that is nearest in length, 0–1.

    0 where the comments are longer than those of one source and shorter than those of another: a mixture would fit.
    """
    deltas = [float(np.sign(lengths[:, None] - row[None, :]).mean()) for row in percentiles]
    return max(0.0, min(deltas), -max(deltas))


def _covariances(x: Floats, sources: Names, threads: Names) -> tuple[Floats, Floats]:
    """Return the covariance within threads, and that of thread means within sources by the method of moments."""
    _, first, place, sizes = np.unique(threads, return_index=True, return_inverse=True, return_counts=True)
    sums = np.zeros((len(sizes), x.shape[1]))
    np.add.at(sums, place, x)
    means, home = sums / sizes[:, None], sources[first]
    shifts = np.zeros_like(means)
    freedom, size = 0.0, 0.0
    for source in np.unique(home):
        rows = home == source
        weights = sizes[rows]
        shifts[rows] = means[rows] - np.average(means[rows], axis=0, weights=weights)
        freedom += len(weights) - 1
        size += weights.sum() - (weights**2).sum() / weights.sum()
    if not knows_threads(threads) or size <= 0:
        # Comments are taken to vary within threads as they do within a source.
        return _shrunk(x - means[place] + shifts[place]), np.zeros((x.shape[1], x.shape[1]))
    residuals = (x - means[place])[(sizes > 1)[place]]
    within = _shrunk(residuals) * len(residuals) / (len(residuals) - (sizes > 1).sum())
    values, directions = np.linalg.eigh(((shifts * sizes[:, None]).T @ shifts - freedom * within) / size)
    kept = np.maximum(values, 0)
    # Cutting negative values adds variance that is not there.
    kept *= max(values.sum(), 0.0) / max(kept.sum(), 1e-12)
    return within, (directions * kept) @ directions.T


def _shrunk(residuals: Floats) -> Floats:
    # scikit-learn takes longer to import than a comment takes to be tagged.
    from sklearn.covariance import ledoit_wolf

    return np.asarray(ledoit_wolf(residuals, assume_centered=True)[0], np.float64)


def _weightings(weights: Floats | None, rows: NDArray[np.bool_]) -> list[Floats]:
    same = np.ones(int(rows.sum()))
    known = same if weights is None else np.nan_to_num(weights[rows], nan=0.0)
    return [same, known] if known.sum() > 0 and np.ptp(known) > 0 else [same]


def _mixture(centres: Floats, mean: Floats) -> Floats:
    """Return the shares, not negative and summing to 1, whose mixture of centres is nearest to a mean."""
    from scipy.optimize import nnls

    heavy = 1e3 * max(1.0, float(np.abs(centres).max()))
    # What lies outside the span of the centres is the same for every mixture.
    basis = np.linalg.qr(centres.T)[0]
    equations = np.vstack([(centres @ basis).T, np.full(len(centres), heavy)])
    shares = nnls(equations, np.append(mean @ basis, heavy))[0]
    return shares / max(float(shares.sum()), 1e-12)


def _places(word: str) -> tuple[int, ...]:
    digest = hashlib.blake2b(word.encode("utf-8", "surrogatepass"), digest_size=16).digest()
    first, step = int.from_bytes(digest[:8], "little"), int.from_bytes(digest[8:], "little") | 1
    return tuple((first + probe * step) % BITS for probe in range(PROBES))


def _marks(text: str) -> tuple[float, ...]:
    read = text[:5_000]
    length = max(1, len(read))
    parts = read.split()
    return (
        "?" in read,
        "!" in read,
        "..." in read or "…" in read,
        any(mark in read for mark in '"“„«'),
        any(sign.isdigit() for sign in read),
        read[:1].islower(),
        read.rstrip().endswith(_ENDS),
        min(2.0, 50 * read.count(",") / length),
        min(2.0, 50 * read.count(".") / length),
        min(2.0, 10 * sum(sign.isupper() for sign in read) / length),
        float(np.log(max(1, sum(map(len, parts))) / max(1, len(parts)))),
    )
