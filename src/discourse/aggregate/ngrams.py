"""Words and phrases of comments: n-grams of one to three words, and who uses each."""

from __future__ import annotations

import polars as pl

LONGEST = 3
FEWEST_AUTHORS = 3
"""N-grams of fewer authors say something of persons, not of groups."""

# Patterns of the Rust regex crate, which knows letters and combining marks of all scripts and has no look-around.
_ADDRESS = (
    r"(?:https?://|www\.)\S+|\b[\w-]+(?:\.[\w-]+)*\.(?:com|org|net|edu|gov|co|io|de|fr|uk)\b(?:/\S*)?|\S+@\S+\.\S+"
)
_HANDLE = r"(?:^|[^\w@])(?:@|/?\bu/)([\w.-]+)"
_INITIALS = r"\b(\p{L})\.(\p{L})\.(?:(\p{L})\.)?"
_CLAUSE = r"[^.!?…;:,()\[\]{}<>|\n\r\t\"“”„«»—–*/]+"
_WORD = r"[\p{L}\p{M}\p{N}]+(?:['’-][\p{L}\p{M}\p{N}]+)*"
_BITS = 21  # of a word's number: three of them make one 64-bit number


def ngrams(comments: pl.DataFrame) -> tuple[pl.DataFrame, pl.Series]:
    """Find the n-grams of comments, each once for each comment.

    An n-gram stays within a clause; it neither begins nor ends with an English function word, a number or a single
    letter. Addresses, e-mail addresses and names that people are addressed by (@name, u/name) are left out, and words
    that occur as such a name at least as often as otherwise. Words of fewer than `FEWEST_AUTHORS` authors end a clause.

    Args:
        comments: row (UInt32, a number for each comment), author (Int64, a number for each author), text (no nulls).

    Returns:
        row, author and ngram (UInt64), distinct; and the words (String) by their number. See `spelled`.
    """
    plain = comments.select("row", "author", text=_plain(pl.col("text")))
    words = _in_clauses(plain)
    vocabulary = (
        words.group_by("word")
        .agg(authors=pl.col("author").n_unique(), comments=pl.col("row").n_unique())
        .join(_names(comments), on="word", how="left")
        .filter(pl.col("authors") >= FEWEST_AUTHORS, pl.col("named").fill_null(0) < pl.col("comments"))
        .sort("authors", "word", descending=[True, False])
        .head(2**_BITS - 1)
        # 0 stands for no word.
        .select("word", number=pl.int_range(1, pl.len() + 1, dtype=pl.UInt64), edge=_may_be_edge(pl.col("word")))
    )
    numbered = words.join(vocabulary, on="word", how="left", maintain_order="left").select(
        "row", "author", "clause", number=pl.col("number").fill_null(0), edge=pl.col("edge").fill_null(value=False)
    )
    found = pl.concat([_of_length(numbered, length) for length in range(1, LONGEST + 1)]).unique()
    return found, pl.concat([pl.Series("word", [""]), vocabulary["word"]])


def spelled(ngram: pl.Series, words: pl.Series) -> pl.Series:
    """Return n-grams as text.

    Args:
        ngram: UInt64, as in `ngrams`.
        words: as returned by it.
    """
    parts = pl.DataFrame({"ngram": ngram}).select(
        *(
            ((pl.col("ngram") // 2 ** (_BITS * place)) % 2**_BITS).cast(pl.UInt32).alias(str(place))
            for place in range(LONGEST)
        )
    )
    spelt = [words.gather(parts[str(place)]).alias(str(place)) for place in reversed(range(LONGEST))]
    return pl.DataFrame(spelt).select(pl.concat_str(pl.all(), separator=" ").str.strip_chars()).to_series()


def _plain(text: pl.Expr) -> pl.Expr:
    return (
        text.str.to_lowercase()
        .str.replace_all(_ADDRESS, "\n")
        .str.replace_all(_HANDLE, "\n")
        .str.replace_all(_INITIALS, "${1}${2}${3} ")
        .str.replace_all("’", "'", literal=True)
    )


def _in_clauses(plain: pl.DataFrame) -> pl.DataFrame:
    clauses = plain.select("row", "author", part=pl.col("text").str.extract_all(_CLAUSE)).explode("part").drop_nulls()
    clauses = clauses.with_row_index("clause").with_columns(word=pl.col("part").str.extract_all(_WORD))
    return clauses.drop("part").explode("word").drop_nulls("word")


def _names(comments: pl.DataFrame) -> pl.DataFrame:
    """Return how many comments address somebody by each word."""
    called = comments.select("row", name=pl.col("text").str.to_lowercase().str.extract_all(_HANDLE)).explode("name")
    words = called.drop_nulls().with_columns(word=pl.col("name").str.replace_all("_", " ").str.extract_all(_WORD))
    return words.explode("word").drop_nulls().group_by("word").agg(named=pl.col("row").n_unique())


def _may_be_edge(word: pl.Expr) -> pl.Expr:
    from sklearn.feature_extraction.text import ENGLISH_STOP_WORDS

    stop = sorted(ENGLISH_STOP_WORDS | set(_FUNCTION_WORDS.split()))
    contracted = word.str.contains(r"^\p{L}+n't$") | word.str.contains(r"^(i|you|we|they|he|she|it|that|there)'\p{L}+$")
    return ~(word.is_in(stop) | contracted) & (word.str.len_chars() > 1) & word.str.contains(r"\p{L}")


# Beside scikit-learn's English list, and what keyboards make of contractions.
_FUNCTION_WORDS = (
    "im ive id youre youve youd dont doesnt didnt isnt arent wasnt werent wont cant couldnt wouldnt shouldnt havent "
    "hasnt hadnt theyre theyve weve its thats theres whats gonna gotta wanna lol tbh yeah yes ok okay let let's just "
    "really actually like got get did does doing said say says http https www amp gt lt nbsp"
)


def _of_length(numbered: pl.DataFrame, length: int) -> pl.DataFrame:
    """Return row, author and ngram of `length` words in one clause; the last word stands in the lowest bits."""
    later = [pl.col("number").shift(-step) for step in range(length)]
    code = pl.lit(0, dtype=pl.UInt64)
    whole = pl.col("edge") & pl.col("edge").shift(-(length - 1))
    for step, number in enumerate(later):
        code = code + number * 2 ** (_BITS * (length - 1 - step))
        whole &= number > 0
    whole &= pl.col("clause") == pl.col("clause").shift(-(length - 1))
    chosen = numbered.with_columns(ngram=code, whole=whole.fill_null(value=False)).filter("whole")
    return chosen.select("row", "author", "ngram")
