"""What is asked of a ForumMagnum forum: a post with its newest comments, then lots of comments by offset."""

from __future__ import annotations

import json
import re
from dataclasses import dataclass
from urllib.parse import urlsplit

from discourse.collect.answers import Answer, Ask, Json
from discourse.collect.jsonvalues import count_at

LOT = 500
# A POST does not survive the redirect to the host with www.
_HOSTS = {
    "lesswrong.com": "www.lesswrong.com",
    "www.lesswrong.com": "www.lesswrong.com",
    "alignmentforum.org": "www.alignmentforum.org",
    "www.alignmentforum.org": "www.alignmentforum.org",
    "forum.effectivealtruism.org": "forum.effectivealtruism.org",
}
_PATH = re.compile(r"(?:/posts|/events|/s/[^/]+/p|/g/[^/]+/p)/(?P<id>[A-Za-z0-9]{10,24})(?:/.*)?")
# At hosts that we do not know, only the ids of 17 unmistakable characters that Meteor gives (its package `random`).
_METEOR = re.compile(r"(?=.*\d)(?=.*[A-Z])(?=.*[a-z])[2-9A-HJ-NP-TW-Za-km-z]{17}")
COMMENTS = "postCommentsNew"
# The view above leaves out the answers to a question post, and what was said to them.
ANSWERS = "answersAndReplies"
_POST = (
    "post(input: {selector: {_id: $id}}) {result {_id title pageUrl postedAt userId question COUNT "
    "user {displayName slug} contents {html}}}"
)
_LIST = (
    "comments(input: {terms: $terms, enableTotal: true}) {totalCount results {_id postId parentCommentId postedAt "
    "baseScore userId deleted deletedReason user {displayName slug} contents {html}}}"
)


@dataclass(frozen=True, slots=True)
class Place:
    """Where an answer is from: the forum (empty in a file), the post, the view, and how many comments came before."""

    forum: str
    post: str
    view: str = COMMENTS
    offset: int = 0
    starter: str = ""

    def ask(self, expects: int = 0) -> Ask:
        """Return the request for a lot of comments; the first one asks for the post, too."""
        first = self.view == COMMENTS and self.offset == 0
        terms = {"view": self.view, "postId": self.post, "limit": LOT, "offset": self.offset}
        # The Alignment Forum shows some of the comments that LessWrong has on the same post.
        count = "commentCount: afCommentCount" if "alignmentforum" in self.forum else "commentCount"
        head = (
            f"query ($id: String, $terms: JSON) {{{_POST.replace('COUNT', count)}"
            if first
            else "query ($terms: JSON) {"
        )
        body = {
            "query": f"{head} {_LIST}}}",
            "variables": {"id": self.post, "terms": terms} if first else {"terms": terms},
        }
        context = {"lesswrong": self.view, "forum": self.forum, "post": self.post, "offset": str(self.offset),
                   "starter": self.starter}  # fmt: skip
        return Ask(f"{self.forum}/graphql", self.post, "POST", json.dumps(body), expects=expects,
                   context=tuple(sorted(context.items())))  # fmt: skip


def place_of(url: str) -> Place | None:
    """Return the forum and post of an address, None if it is not one of a post."""
    try:
        parts = urlsplit(url)
    except ValueError:
        return None
    found = _PATH.fullmatch(parts.path)
    if parts.scheme not in {"http", "https"} or not parts.netloc or not found:
        return None
    host = _HOSTS.get(parts.netloc.lower())
    if host is None and not (parts.path.startswith("/posts/") and _METEOR.fullmatch(found["id"])):
        return None
    return Place(f"{parts.scheme}://{host or parts.netloc}", found["id"])


def place_behind(answer: Answer) -> Place:
    """Return where an answer is from, as far as its request or its address tells."""
    context = answer.context
    parts = answer.url.partition("/graphql")
    return Place(
        context.get("forum") or (parts[0] if parts[1] else ""),
        context.get("post", ""),
        context.get("lesswrong", ""),
        count_at(dict[str, Json](context), "offset") or 0,
        context.get("starter", ""),
    )
