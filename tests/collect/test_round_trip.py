"""Any table reads back equal in every format, and a damaged file gives rows, reasons or one clear sentence."""

from __future__ import annotations

import gzip
import io

import polars as pl
import pytest
import zstandard
from hypothesis import given, settings
from hypothesis import strategies as st
from polars.testing import assert_frame_equal

from discourse.collect.cells import as_text
from discourse.collect.formats import delimited, read_raw_table
from discourse.collect.rawfile import unpack
from discourse.collect.sources import recognise
from discourse.collect.sources.platforms import platforms
from discourse.config import InputConfig
from discourse.errors import InputError, UsageError
from discourse.tables import RAW_ATTRIBUTES, RAW_COMMENTS, RAW_THREADS
from discourse.workspace import now

# A lone carriage return within a cell is a line end to some writers.
# A file with many control characters is taken for no text.
TEXTS = st.text(st.characters(exclude_categories=("Cs", "Cc")) | st.sampled_from("\n\t"), max_size=20)
PACKERS = {"plain": bytes, "gzip": gzip.compress, "zstd": zstandard.compress}


@st.composite
def tables(draw: st.DrawFn) -> pl.DataFrame:
    """Draw a table of texts with gaps, in any order of columns."""
    height = draw(st.integers(1, 6))
    cells = st.lists(st.none() | TEXTS.filter(bool), min_size=height, max_size=height)
    frame = pl.DataFrame(
        {
            "id": [f"c{number}" for number in range(height)],
            "text": pl.Series(draw(cells), dtype=pl.String),
            "score": pl.Series(
                draw(st.lists(st.none() | st.integers(-(2**53), 2**53), min_size=height, max_size=height)),
                dtype=pl.Int64,
            ),
            "other": pl.Series(draw(cells), dtype=pl.String),
        }
    )
    return frame.select(draw(st.permutations(frame.columns)))


def written(frame: pl.DataFrame, kind: str) -> bytes:
    """Return the bytes of a table in a format."""
    out = io.BytesIO()
    if kind == "parquet":
        frame.write_parquet(out)
    elif kind in {"csv", "tsv"}:
        frame.write_csv(out, separator="\t" if kind == "tsv" else ",", quote_style="non_numeric")
    elif kind == "jsonl":
        frame.write_ndjson(out)
    else:
        frame.write_json(out)
    return out.getvalue()


@pytest.mark.parametrize("packer", PACKERS)
@pytest.mark.parametrize("kind", ["csv", "tsv", "jsonl", "json", "parquet"])
def test_a_table_reads_back_equal(kind: str, packer: str) -> None:
    """A table reads back equal."""

    @settings(max_examples=25, deadline=None)
    @given(tables())
    def reads_back(frame: pl.DataFrame) -> None:
        table = read_raw_table(unpack(f"a.{kind}", PACKERS[packer](written(frame, kind))))
        assert not table.broken
        expected = frame.select(as_text(column) for column in frame)
        assert_frame_equal(table.frame.select(as_text(column) for column in table.frame), expected)

    reads_back()


@settings(max_examples=100, deadline=None)
@given(
    st.lists(st.sampled_from(["a", ",", '"', '""', "\n", "\r\n", " ", "é", "1,2\n", '"a,b"', '"a\nb"']), max_size=14)
)
def test_the_fast_and_the_careful_reader_agree(parts: list[str]) -> None:
    """The fast and the careful reader agree."""
    text = "h1,h2\n" + "".join(parts)
    fast = delimited._read_fast(text.encode(), ",")  # noqa: SLF001 -- the two readers must not differ
    careful = delimited._read_careful(text, ",")  # noqa: SLF001 -- see above
    if fast is not None:
        assert not careful.broken
        assert fast.frame.equals(careful.frame)
        assert fast.places.to_list() == careful.places.to_list()


FRAME = pl.DataFrame(
    {
        "id": ["a1", "b2", "c3"] * 4,
        "parent_id": [None, "a1", "b2"] * 4,
        "text": ["Hello there", 'x "q", y', "größer\nals"] * 4,
        "created_at": [1_700_000_000, None, 5] * 4,
    }
)
SAMPLES = {
    **{f"a.{kind}": written(FRAME, kind) for kind in ("csv", "jsonl", "json", "parquet")},
    "a.csv.gz": gzip.compress(written(FRAME, "csv")),
    "a.jsonl.zst": zstandard.compress(written(FRAME, "jsonl")),
    "a.txt": "Headline\n\nA story.\n\nMost read:\n\nA comment.\nReply\n\nAnother, größer.\n".encode(),
}


@pytest.mark.parametrize("name", SAMPLES)
def test_a_damaged_file_gives_rows_or_reasons_or_one_sentence(name: str) -> None:
    """A damaged file gives rows or reasons or one sentence."""
    sample = SAMPLES[name]
    place = st.integers(0, len(sample) - 1)

    @settings(max_examples=60, deadline=None)
    @given(
        st.lists(st.tuples(place, st.binary(max_size=3), st.integers(0, 3)), min_size=1, max_size=4),
        place,
        st.booleans(),
    )
    def survives(edits: list[tuple[int, bytes, int]], end: int, cut: bool) -> None:
        data = bytearray(sample[: end + 1] if cut else sample)
        for at, put, gone in edits:
            data[at : at + gone] = put
        options = InputConfig()
        try:
            raw = unpack(name, bytes(data))
            parsed = recognise(raw, options, platforms()).parse(raw, options, now())
        except (InputError, UsageError) as e:
            assert "\n" not in str(e)  # noqa: PT017 -- any message will do
            return
        comments = RAW_COMMENTS.conform(parsed.comments)
        threads = RAW_THREADS.conform(parsed.threads)
        RAW_ATTRIBUTES.conform(parsed.attributes)
        assert len(comments)
        assert set(comments["thread_id"]) == set(threads["thread_id"])

    survives()
