"""What a platform says of a comment and its writer: deleted, removed or held; a bot, the author or a user."""

from __future__ import annotations

import polars as pl

from discourse.tables import Role, State

_WORDS: dict[State, str] = {
    State.VISIBLE: "visible approved approve published publish public active live ok normal 1",
    State.DELETED: "deleted delete deleted_by_user deleted_by_author user_deleted self_deleted withdrawn trash trashed",
    State.REMOVED: (
        "removed removed_by_moderator moderated rejected spam hidden blocked banned censored taken_down "
        "removed_by_admin removed_by_reddit"
    ),
    State.HELD: "held hold pending unapproved awaiting_moderation in_review queued premoderation 0",
}
STATE_WORDS = {word: state.value for state, words in _WORDS.items() for word in words.split()}
YES_WORDS = ("true", "1", "yes", "y", "t", "1.0")
NO_WORDS = ("false", "0", "no", "n", "f", "0.0", "none", "null")

_TEXT_MARKS = {
    "[deleted]": State.DELETED.value,
    "[deleted by user]": State.DELETED.value,
    "[deleted by author]": State.DELETED.value,
    "[removed]": State.REMOVED.value,
    "[removed by moderator]": State.REMOVED.value,
    "[removed by reddit]": State.REMOVED.value,
}
_NOBODY = ("", "[deleted]", "[removed]", "[deleted by user]", "deleted")
_BOT_NAMES = ("automoderator", "remindmebot", "sneakpeekbot", "autotldr", "totesmessenger", "wikisummarizerbot")
# A name of one word such as Talbot or Abbot is a person's.
_BOT_ENDING = r"(?:^|[^A-Za-z])[Bb][Oo][Tt]\d*$|[a-z0-9]B[Oo][Tt]\d*$|\[bot\]$"


def plain_word(column: pl.Expr) -> pl.Expr:
    """Return a state's or flag's word in lower case with underscores."""
    return column.str.strip_chars().str.to_lowercase().str.replace_all(r"[\s-]+", "_")


def state() -> pl.Expr:
    """Tell a comment's state from the columns `state`, `deleted`, `removed` and `text`, all String; never null.

    A state column that says more than visible counts first, then the flags, then a text such as ``[removed]``.
    """
    said = plain_word(pl.col("state")).replace_strict(STATE_WORDS, default=None, return_dtype=pl.String)
    marked = (
        pl.col("text")
        .str.head(40)
        .str.strip_chars()
        .str.to_lowercase()
        .replace_strict(_TEXT_MARKS, default=None, return_dtype=pl.String)
    )
    return (
        pl.when(said != State.VISIBLE.value)
        .then(said)
        .when(plain_word(pl.col("removed")).is_in(YES_WORDS))
        .then(pl.lit(State.REMOVED.value))
        .when(plain_word(pl.col("deleted")).is_in(YES_WORDS))
        .then(pl.lit(State.DELETED.value))
        .otherwise(marked)
        .fill_null(State.VISIBLE.value)
    )


def writer() -> pl.Expr:
    """Return the column `author` without surrounding spaces, null where it says only that nobody is known."""
    name = pl.col("author").str.strip_chars()
    return pl.when(~name.str.to_lowercase().is_in(_NOBODY)).then(name)


def role() -> pl.Expr:
    """Tell who wrote a comment from `author`, cleaned by `writer`, and `opening_author` of its thread; never null."""
    name = pl.col("author")
    return (
        pl.when(name.is_null())
        .then(pl.lit(Role.UNKNOWN.value))
        .when(name.str.to_lowercase().is_in(_BOT_NAMES) | name.str.contains(_BOT_ENDING))
        .then(pl.lit(Role.BOT.value))
        .when(name == pl.col("opening_author"))
        .then(pl.lit(Role.AUTHOR.value))
        .otherwise(pl.lit(Role.USER.value))
    )
