"""Language identification: how often each choice is right, and how many texts a second of one core's time it reads.

Run `python benchmarks/language.py` (`--quick`: under a minute). Accuracy is on our own sentences in the 12 default
languages, from long ones to two words; speed, and the share not read as English, on real English-speaking threads
(`--threads FOLDER`) or, without them, on the sentences again and again. Speed counts processor time after one warm-up,
so that a busy machine does not change it much; the ratio to lingua is of one run.
"""

from __future__ import annotations

import argparse
import time
import tomllib
from collections.abc import Callable
from pathlib import Path

import numpy as np
import polars as pl

from discourse.normalize.language_models import LanguageModels, Shares, ask_lingua, known_languages, sure_languages

SENTENCES = Path(__file__).parent / "sentences.toml"
FILES = ("reddit_conspiracy_2025", "mtcsd_reddit", "reddit_music_2025", "discourse_iitm_tds")
LONG, SHORT = 30, 15  # letters
HEAD = 200

Read = Callable[[pl.Series], Shares]


def main() -> None:
    """Print one row a choice."""
    options = argparse.ArgumentParser(description=__doc__)
    options.add_argument("--quick", action="store_true", help="fewer texts")
    options.add_argument("--threads", type=Path, default=Path(__file__).parents[2] / "shared" / "threads")
    asked = options.parse_args()
    written = tomllib.loads(SENTENCES.read_text(encoding="utf-8"))
    sentences = pl.DataFrame([{"code": code, "text": text} for code, texts in written.items() for text in texts])
    real = real_texts(asked.threads, 1_000 if asked.quick else 5_000)
    texts = real if real is not None else pl.concat([sentences["text"]] * 10)
    said = f"{len(texts):,} real texts" if real is not None else "no shared threads: speed on the sentences"
    print(f"{sentences.height} sentences in {len(written)} languages; {said}")
    print(f"{'choice':32} {'long':>6} {'middle':>6} {'short':>6} {'not English':>11} {'texts/s':>9} {'ratio':>6}")
    first = 0.0
    for name, read in choices(list(written)).items():
        right = accuracy(read, sentences, list(written))
        read(texts.head(20))
        start = time.process_time()
        found = read(texts)
        speed = len(texts) / (time.process_time() - start)
        first = first or speed
        strange = (
            f"{(found.argmax(axis=1) != list(written).index('en')).mean():11.2%}" if real is not None else f"{'':11}"
        )
        print(f"{name:32} {' '.join(f'{one:6.1%}' for one in right)} {strange} {speed:9,.0f} {speed / first:6.1f}")


def choices(codes: list[str]) -> dict[str, Read]:
    """Return what can be asked, by name; the first is what others are compared with."""
    languages = list(known_languages(codes).values())
    exact, low = ask_lingua(languages), ask_lingua(languages, low_accuracy=True)

    def cut(ask: Callable[[list[str]], Shares], letters: int) -> Read:
        return lambda texts: ask(texts.str.slice(0, letters).to_list())

    def cld2(texts: pl.Series) -> Shares:
        sure = sure_languages(texts, codes)
        found = np.zeros((len(texts), len(codes)))
        found[sure >= 0, sure[sure >= 0]] = 1
        return found

    return {
        "lingua": cut(exact, HEAD),
        "lingua, 120 characters": cut(exact, 120),
        "lingua, 60 characters": cut(exact, 60),
        "lingua, low accuracy": cut(low, HEAD),
        "lingua, low accuracy, 60": cut(low, 60),
        "CLD2 where sure, else nothing": cld2,
        "script, CLD2, lingua (ours)": LanguageModels(codes).confidences,
    }


def accuracy(read: Read, sentences: pl.DataFrame, codes: list[str]) -> list[float]:
    """Return the share read right of long, middle and short sentences; a row of zeros is wrong."""
    found = read(sentences["text"])
    right = (found.argmax(axis=1) == np.array([codes.index(code) for code in sentences["code"]])) & (
        found.max(axis=1) > 0
    )
    letters = sentences["text"].str.count_matches(r"\p{L}").to_numpy()
    kinds = (letters >= LONG, (letters < LONG) & (letters >= SHORT), letters < SHORT)
    return [float(right[kind].mean()) for kind in kinds]


def real_texts(folder: Path, number: int) -> pl.Series | None:
    """Return distinct texts of real English-speaking threads, cut as normalize does, None where there are none."""
    paths = [path for name in FILES if (path := folder / f"{name}.parquet").is_file()]
    if not paths:
        return None
    texts = pl.concat([pl.read_parquet(path, columns=["text"])["text"] for path in paths]).drop_nulls()
    texts = texts.str.replace_all(r"(?i)https?://\S+|[@#]\w+|\b[ru]/\w+", " ").str.slice(0, HEAD)
    texts = texts.filter(texts.str.count_matches(r"\p{L}") > 1).unique(maintain_order=True)
    return texts.sample(min(number, len(texts)), seed=1)


if __name__ == "__main__":
    main()
