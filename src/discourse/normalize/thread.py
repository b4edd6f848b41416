"""The reply tree: who answers whom, how deep, and in which order a reader meets the comments.

Linear or log-linear in the number of comments, without recursion: a hostile thread is a chain as long as itself.
"""

from __future__ import annotations

import numpy as np
import polars as pl
from numpy.typing import NDArray

from discourse.normalize.identity import native_thread
from discourse.tables import ReplyKind

Indices = NDArray[np.int64]

_OPENING, _TOP, _REPLY = ReplyKind.OPENING.value, ReplyKind.TOP.value, ReplyKind.REPLY.value
_FLATTENED, _ORPHAN = ReplyKind.FLATTENED.value, ReplyKind.ORPHAN.value


def reply_tree(comments: pl.DataFrame) -> pl.DataFrame:
    """Find parents, break loops, and number the comments of each thread parents first.

    Siblings stand by created_at (unknown times last), then in file order; the opening post stands first.

    Args:
        comments: in file order; columns thread_id, comment_id, native_id (once in a thread), native_parent,
            reply_kind (null, or what the source knows) and created_at.

    Returns:
        The rows in the same order with parent_id, reply_kind, depth and position (Int64, from 0 in each thread), and
        `loop` (Boolean: this reply was cut because it led back to itself).
    """
    linked = _link(comments)
    parent = linked["parent"].fill_null(-1).to_numpy().astype(np.int64)
    loop = loop_breakers(parent)
    parent = np.where(loop, -1, parent)
    created = comments["created_at"].cast(pl.Int64).fill_null(np.iinfo(np.int64).max).to_numpy()
    thread = comments["thread_id"].rank("dense").to_numpy().astype(np.int64)
    depth = depths(parent)
    position = preorder(parent, depth, thread, (linked["kind"] != _OPENING).to_numpy(), created)
    ids = comments["comment_id"]
    return comments.with_columns(
        ids.gather(pl.Series(np.where(parent < 0, 0, parent)))
        .to_frame()
        .select(pl.when(pl.Series(parent) >= 0).then(pl.col(ids.name)).alias("parent_id"))["parent_id"],
        pl.select(pl.when(pl.Series(loop)).then(pl.lit(_ORPHAN)).otherwise(linked["kind"]).alias("reply_kind"))[
            "reply_kind"
        ],
        pl.Series("depth", depth),
        pl.Series("position", position),
        pl.Series("loop", loop),
    )


def loop_breakers(parent: Indices) -> NDArray[np.bool_]:
    """Mark in every cycle (a self-reply is one of length 1) the member that comes first.

    Args:
        parent: index of each node's parent, -1 for none.

    Method: pointer doubling. After more steps than there are nodes, whoever has not run off its root is on a cycle,
    and the least index seen on the way is the cycle's least.
    """
    n = len(parent)
    jump = np.append(np.where(parent < 0, n, parent), n)
    least = np.arange(n + 1)
    for _ in range(n.bit_length()):
        least = np.minimum(least, least[jump])
        jump = jump[jump]
    on_cycle = np.unique(jump[jump < n])
    marked = np.zeros(n, dtype=np.bool_)
    marked[on_cycle[least[on_cycle] == on_cycle]] = True
    return marked


def depths(parent: Indices) -> Indices:
    """Count each node's ancestors; `parent` has no cycles."""
    return _sum_to_root(parent, (parent >= 0).astype(np.int64))


def preorder(
    parent: Indices, depth: Indices, thread: Indices, not_opening: NDArray[np.bool_], created: Indices
) -> Indices:
    """Number the nodes of each thread depth-first, parents before children.

    A node's number is its parent's plus one plus the sizes of its earlier siblings' subtrees, all of it summed along
    the way from the root.
    """
    n = len(parent)
    size = np.ones(n, dtype=np.int64)
    by_depth = np.argsort(depth, kind="stable")
    starts = np.searchsorted(depth[by_depth], np.arange(depth.max(initial=0) + 2))
    for level in range(len(starts) - 2, 0, -1):
        nodes = by_depth[starts[level] : starts[level + 1]]
        np.add.at(size, parent[nodes], size[nodes])
    family = np.where(parent >= 0, parent, n + thread)
    order = np.lexsort((np.arange(n), created, not_opening, family))
    before = np.cumsum(size[order]) - size[order]
    first = np.append(True, family[order][1:] != family[order][:-1])[:n]
    before_family = np.maximum.accumulate(np.where(first, before, 0)) if n else before
    offset = np.empty(n, dtype=np.int64)
    offset[order] = before - before_family
    return _sum_to_root(parent, offset + (parent >= 0))


def _sum_to_root(parent: Indices, value: Indices) -> Indices:
    """Sum `value` over each node and its ancestors, by pointer doubling."""
    n = len(parent)
    jump = np.append(np.where(parent < 0, n, parent), n)
    total = np.append(value, 0)
    while (jump < n).any():
        total = total + total[jump]
        jump = jump[jump]
    return total[:n]


def _link(comments: pl.DataFrame) -> pl.DataFrame:
    """Resolve native parents to row numbers (`parent`, null for none) and say how each comment hangs (`kind`)."""
    rows = comments.select("thread_id", "native_id", "native_parent", "reply_kind").with_row_index("index")
    rows = rows.with_columns(pl.col("index").cast(pl.Int64))
    ids = rows.filter(pl.col("native_id").is_not_null()).select(
        "thread_id", pl.col("native_id").alias("native_parent"), pl.col("index").alias("at")
    )
    opening = pl.col("reply_kind").eq_missing(pl.lit(_OPENING))
    rows = rows.join(ids, on=["thread_id", "native_parent"], how="left", maintain_order="left").with_columns(
        (opening & (opening.cum_sum().over("thread_id") == 1)).alias("opens"),
        # Only the first opening post is one; a second is a comment like others.
        pl.when(~opening).then("reply_kind").alias("given"),
    )
    opens_at = pl.col("index").filter(pl.col("opens")).first().over("thread_id")
    of_thread = pl.col("at").is_null() & (
        (pl.col("native_parent") == pl.col("thread_id")) | (pl.col("native_parent") == native_thread())
    )
    rows = rows.with_columns(
        (of_thread | (pl.col("at") == opens_at)).fill_null(value=False).alias("answers_thread"),
    )
    given, lost = pl.col("given"), pl.col("native_parent").is_not_null() & pl.col("at").is_null()
    rootless = pl.col("opens") | pl.col("answers_thread") | given.is_in([_TOP, _ORPHAN]).fill_null(value=False)
    return rows.select(
        pl.when(~rootless).then("at").alias("parent"),
        pl.when("opens")
        .then(pl.lit(_OPENING))
        .when(given.is_in([_FLATTENED, _TOP, _ORPHAN]))
        .then(given)
        .when("answers_thread")
        .then(pl.lit(_TOP))
        .when(lost | (given.eq_missing(pl.lit(_REPLY)) & pl.col("native_parent").is_null()))
        .then(pl.lit(_ORPHAN))
        .when(pl.col("native_parent").is_null())
        .then(pl.lit(_TOP))
        .otherwise(pl.lit(_REPLY))
        .alias("kind"),
    )
