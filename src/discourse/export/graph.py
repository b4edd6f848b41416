"""The reply tree as GraphML (graphml.graphdrawing.org), with every attribute of a comment."""

from __future__ import annotations

import re
from pathlib import Path
from xml.sax.saxutils import escape, quoteattr

import polars as pl

from discourse.writing import replacing

NAMESPACE = "http://graphml.graphdrawing.org/xmlns"
# XML 1.0 has no way to write these characters at all.
FORBIDDEN = re.compile("[^\t\n\r\u0020-\ud7ff\ue000-\ufffd\U00010000-\U0010ffff]")


def write_graph(nodes: pl.DataFrame, target: Path) -> None:
    """Write comments as nodes and answers as edges, from the reply to what it answers, atomically.

    Args:
        nodes: comment_id, parent_id (null, or a comment_id of `nodes`), and flat columns that become attributes.
        target: the .graphml file.

    Raises:
        WorkspaceError: the file cannot be written.
    """
    names = [name for name in nodes.columns if name not in {"comment_id", "parent_id"}]
    kinds = [_kind(nodes.schema[name]) for name in names]
    with replacing(target) as partial, partial.open("w", encoding="utf-8") as out:
        out.write(f'<?xml version="1.0" encoding="UTF-8"?>\n<graphml xmlns="{NAMESPACE}">\n')
        for place, (name, kind) in enumerate(zip(names, kinds, strict=True)):
            said = quoteattr(_clean(name))
            out.write(f'<key id="d{place}" for="node" attr.name={said} attr.type="{kind}"/>\n')
        out.write('<graph id="replies" edgedefault="directed">\n')
        for row in nodes.iter_rows(named=True):
            data = "".join(
                f'<data key="d{place}">{_text(row[name])}</data>'
                for place, name in enumerate(names)
                if row[name] is not None
            )
            out.write(f"<node id={quoteattr(_clean(row['comment_id']))}>{data}</node>\n")
        answers = nodes.filter(pl.col("parent_id").is_not_null()).select("comment_id", "parent_id")
        for reply, parent in answers.iter_rows():
            out.write(f"<edge source={quoteattr(_clean(reply))} target={quoteattr(_clean(parent))}/>\n")
        out.write("</graph>\n</graphml>\n")


def _kind(dtype: pl.DataType) -> str:
    if dtype == pl.Boolean:
        return "boolean"
    if dtype.is_integer():
        return "long"
    return "double" if dtype.is_float() else "string"


def _text(value: object) -> str:
    return str(value).lower() if isinstance(value, bool) else escape(_clean(str(value)))


def _clean(text: str) -> str:
    return FORBIDDEN.sub("\ufffd", text)
