"""What columns are called elsewhere: the names under which each of our fields is found."""

from __future__ import annotations

import re
from dataclasses import dataclass

# The first name that a table has wins, so the plainest stand first.
SYNONYMS: dict[str, str] = {
    "text": (
        "text body comment content message comment_body comment_text comment_content full_text self_text "
        "text_original text_display utterance raw cooked post_text post_content response answer opinion "
        "kommentar commentaire comentario texto texte testo tekst"
    ),
    "comment_id": "comment_id id item_id message_id utterance_id native_id post_number cid uuid guid",
    "thread_id": (
        "thread_id thread conversation_id conversation_id_str post_id link_id root root_id submission_id topic_id "
        "article_id story_id discussion_id video_id aweme_id media_id"
    ),
    "parent_id": (
        "parent_id parent reply_to reply_to_id in_reply_to in_reply_to_id parent_comment_id parent_comment "
        "in_reply_to_status_id in_reply_to_status_id_str reply_to_comment_id comment_parent reply_id replied_to"
    ),
    "author": (
        "author user username user_name author_name speaker screen_name nickname display_name handle commenter "
        "comment_author account author_id user_id name"
    ),
    "created_at": (
        "created_at created_utc timestamp created published_at date datetime date_time time create_time created_date "
        "creation_date comment_date comment_date_gmt posted_at post_date published pub_date unix_timestamp"
    ),
    "score": (
        "score likes like_count votes ups upvotes points favorite_count favourites_count digg_count vote_count "
        "likes_count comment_like_count net_score"
    ),
    "title": "title subject thread_title headline post_title article_title link_title topic_title video_title",
    "url": "url permalink link comment_url comment_link",
    "thread_url": "thread_url article_url post_url story_url submission_url link_url",
    "platform": "platform source_platform",
    "site": "site host hostname domain website outlet publisher",
    "community": "community subreddit channel category forum board subforum",
    "state": "state status moderation_status comment_approved visibility",
    "deleted": "deleted is_deleted",
    "removed": "removed is_removed",
}

# In `speaker.id` the last part names no comment.
_PEOPLE = {"author", "user", "speaker", "account", "commenter", "from", "owner", "creator"}
_PERSON_NAMES = ("username", "screenname", "uniqueid", "nickname", "displayname", "handle", "login", "name", "id")


@dataclass(frozen=True, slots=True)
class Preset:
    """A table of a known tool, recognised by columns that it always has.

    Attributes:
        title: the tool's name.
        needed: sets of columns; of each set one must be there.
        columns: our field and its column where the names alone would not say.
        nearer: our field and a column that tells it more exactly, where it holds something.
    """

    title: str
    needed: tuple[frozenset[str], ...]
    columns: dict[str, str]
    nearer: tuple[tuple[str, str], ...] = ()


def _needs(*alternatives: str) -> tuple[frozenset[str], ...]:
    return tuple(frozenset(one.split("|")) for one in alternatives)


PRESETS = (
    Preset(
        "Talk to the City",
        _needs("id", "interview", "comment"),
        {"comment_id": "id", "author": "interview", "text": "comment"},
    ),
    Preset("kouchou-ai", _needs("comment-id", "comment-body"), {"comment_id": "comment-id", "text": "comment-body"}),
    Preset(
        "4CAT",
        _needs("thread_id", "id", "timestamp", "body", "subject", "author"),
        {"thread_id": "thread_id", "comment_id": "id", "created_at": "timestamp", "text": "body", "title": "subject"},
    ),
    Preset(
        "4CAT comments",
        # A thread is here one top comment and its replies.
        _needs("thread_id", "id", "body", "author", "post_id", "is_comment_on_comment"),
        {
            "thread_id": "post_id",
            "comment_id": "id",
            "parent_id": "thread_id",
            "created_at": "timestamp",
            "text": "body",
            "title": "post_body",
        },
    ),
    Preset(
        "ConvoKit",
        _needs(
            "id", "conversation_id|root", "reply-to|reply_to", "speaker|user|speaker.id|user.id", "timestamp", "text"
        ),
        {"comment_id": "id", "created_at": "timestamp", "text": "text"},
    ),
    Preset(
        "Zeeschuimer",
        _needs("item_id", "timestamp_collected", "source_platform"),
        {"comment_id": "item_id", "platform": "source_platform"},
        # TikTok's reply_id is the top comment above.
        (("parent_id", "data.reply_to_reply_id"),),
    ),
)


def plain(name: str) -> str:
    """Return a column name without case and punctuation."""
    return re.sub(r"[\W_]+", "", name.casefold())


_FIELDS = {field: tuple(plain(word) for word in words.split()) for field, words in SYNONYMS.items()}


def rank(field: str, column: str) -> tuple[int, int] | None:
    """Say how well a column's name fits a field, or None if it does not; less is better.

    A column of a nested object, such as ``data.text``, fits by its last part, after all that are not nested.
    """
    *outer, last = column.split(".")
    words = _FIELDS[field]
    if plain(column) in words:
        return 0, words.index(plain(column))
    if outer and plain(outer[-1]) in _PEOPLE:
        if field == "author" and plain(last) in _PERSON_NAMES:
            return len(outer) - 1, _PERSON_NAMES.index(plain(last))
        return None
    if outer and plain(last) in words:
        return len(outer), words.index(plain(last))
    return None


def fields_named(column: str) -> set[str]:
    """Return the fields that a column's name fits."""
    return {field for field in SYNONYMS if rank(field, column) is not None}


def preset_of(columns: list[str]) -> Preset | None:
    """Return the known tool whose table has these columns, if there is one."""
    return next((one for one in PRESETS if all(needed & set(columns) for needed in one.needed)), None)
