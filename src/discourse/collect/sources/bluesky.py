"""Bluesky: `app.bsky.feed.getPostThread` nests replies, stops at a depth without a word, and is asked again there."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from urllib.parse import parse_qsl, unquote, urlencode, urlsplit

from discourse.collect.answers import EXCERPT, Answer, Ask, Json, UnreadableAnswerError
from discourse.collect.jsonvalues import Object, as_list, as_object, at, count_at, flag_at, number_at, objects, text_at
from discourse.collect.moments import moment
from discourse.collect.sources.platform import Login, Page, RawComment, RawThread
from discourse.tables import Reason, ReplyKind, Role, State

APPVIEW = "https://public.api.bsky.app"
# The lexicon of getPostThread allows 1,000; a level nests JSON twice, and Python's parser ends at 1,000 levels.
DEPTH = 400
_POST = "app.bsky.feed.post"
_AT = re.compile(r"at://[\w.:%-]+/app\.bsky\.feed\.post/[\w.:~-]+")
_ADDRESS = re.compile(r"/profile/([\w.:%-]+)/post/([\w.:~-]+)/?")
_METHOD = re.compile(
    r"/xrpc/(app\.bsky\.(?:feed\.getPostThread|unspecced\.getPostThreadV2)|com\.atproto\.identity\.resolveHandle)"
)
_OURS = re.compile(
    rb'"(?:\$type|collection)"\s*:\s*"app\.bsky\.feed\.(?:post|defs#)|"uri"\s*:\s*"at://[^"]*/app\.bsky\.'
)
# Labels by which a moderation service takes a post away from every reader.
_TAKEN = {"!hide", "!takedown"}
_REFUSALS = {
    "NotFound": "the post was deleted or never existed",
    "AccountTakedown": "the account was taken down",
    "AccountDeactivated": "the account is deactivated",
    "AuthMissing": "the server shows this only after a login",
    "AuthRequired": "the server shows this only after a login",
    "InvalidRequest": "the server does not take this address for a post's",
}


@dataclass(frozen=True, slots=True)
class Bluesky:
    """Threads of posts on Bluesky, through the public AppView."""

    name: str = "bluesky"
    title: str = "Bluesky"
    needs: tuple[str, ...] = ()
    reads: str = (
        "https://bsky.app/profile/NAME/post/ID, at://DID/app.bsky.feed.post/ID; saved answers of getPostThread (and "
        "V2), getPosts, getRecord and listRecords"
    )
    loses: str = "deleted posts and what answers them; replies that the author hid; pictures and videos"

    def start(self, url: str) -> tuple[Ask, ...]:
        """Ask for the thread below a post; if the address has a handle, ask first whose it is."""
        if _AT.fullmatch(url):
            return _first(APPVIEW, url)
        try:
            parts = urlsplit(url)
        except ValueError:
            return ()
        if parts.scheme not in {"http", "https"} or not parts.netloc:
            return ()
        uri = dict(parse_qsl(parts.query)).get("uri", "")
        if _METHOD.fullmatch(parts.path) and _AT.fullmatch(uri):
            return _first(f"{parts.scheme}://{parts.netloc}", uri)
        found = _ADDRESS.fullmatch(parts.path)
        if parts.netloc.lower().removeprefix("www.") != "bsky.app" or not found:
            return ()
        return _first(APPVIEW, f"at://{unquote(found[1])}/{_POST}/{found[2]}")

    def claims(self, answer: Answer) -> bool:
        """Know our own requests, and answers that hold posts by their AT addresses."""
        if "bluesky" in answer.context or _METHOD.match(_path(answer.url)):
            return True
        if not answer.body.lstrip().startswith(b"{") or b"at://" not in answer.body:
            return False
        try:
            body = answer.json()
        except UnreadableAnswerError:
            return _OURS.search(answer.body) is not None
        return _kind(body) != ""

    def read(self, answer: Answer) -> Page:
        """Read a thread, a list of posts, whose a handle is, or a refusal."""
        if answer.status >= 500 or answer.status == 429:
            return Page()
        if not answer.ok:
            return _refusal(answer)
        body = answer.json()
        kind = _kind(body)
        if answer.context.get("bluesky") == "handle" or "resolveHandle" in _path(answer.url):
            return _resolved(answer, body)
        if kind == "error":
            return _refusal(answer)
        if kind == "thread":
            return _thread(answer, as_object(at(body, "thread")))
        if kind == "items":
            return _thread(answer, _nested(as_list(at(body, "thread"))))
        if kind == "posts":
            return _posts(body)
        raise UnreadableAnswerError(Reason.WRONG_TYPE, answer.excerpt(), "no thread of Bluesky")

    def login(self, environment: Mapping[str, str]) -> Login | None:
        """Need no keys."""
        del environment
        return None


def _path(url: str) -> str:
    try:
        return urlsplit(url).path
    except ValueError:
        return ""


def _first(base: str, uri: str) -> tuple[Ask, ...]:
    who, _, rkey = uri.removeprefix("at://").partition(f"/{_POST}/")
    if who.startswith("did:"):
        return (_ask(base, uri),)
    query = urlencode({"handle": who})
    context = (("bluesky", "handle"), ("handle", who), ("rkey", rkey))
    return (Ask(f"{base}/xrpc/com.atproto.identity.resolveHandle?{query}", context=context),)


def _ask(base: str, uri: str, thread: str = "", expects: int = 0) -> Ask:
    """Return the request for what hangs below a post; `thread` is empty while the root is not known."""
    query = urlencode({"uri": uri, "depth": DEPTH, "parentHeight": 0})
    context = (("bluesky", "thread"), ("thread", thread), ("uri", uri))
    return Ask(f"{base}/xrpc/app.bsky.feed.getPostThread?{query}", thread, expects=expects, context=context)


def _base(answer: Answer) -> str:
    before, method, _ = answer.url.partition("/xrpc/")
    return before if method and before.startswith("http") else APPVIEW


def _kind(body: Json) -> str:
    """Tell what an answer is: `thread`, `items` (its newer form), `posts`, `error`, or empty if it is not ours."""
    node = at(body, "thread")
    if any(_uri(one) and "value" in one for one in objects(node)):
        return "items"
    if _uri(at(node, "post")) or (_uri(node) and _lost(as_object(node))):
        return "thread"
    if any(_uri(post) for post in _listed(body)):
        return "posts"
    if text_at(body, "error") and _AT.search(text_at(body, "message") or ""):
        return "error"
    return ""


def _listed(body: Json) -> list[Json]:
    """Return the posts of getPosts, the records of listRecords, or the one of getRecord."""
    if _uri(body) and isinstance(at(body, "value"), dict):
        return [body]
    return as_list(at(body, "posts")) or as_list(at(body, "records"))


def _uri(value: Json) -> str | None:
    uri = text_at(value, "uri")
    return uri if uri is not None and _AT.fullmatch(uri) else None


def _lost(node: Object) -> State | None:
    """Return what became of a post in whose place the thread has only its address."""
    kind = text_at(node, "$type") or ""
    if flag_at(node, "notFound") or kind.endswith("#notFoundPost"):
        return State.DELETED
    return State.REMOVED if flag_at(node, "blocked") or kind.endswith("#blockedPost") else None


def _resolved(answer: Answer, body: Json) -> Page:
    did, rkey = text_at(body, "did") or "", answer.context.get("rkey")
    uri = f"at://{did}/{_POST}/{rkey}"
    if not did.startswith("did:") or not rkey or not _AT.fullmatch(uri):
        raise UnreadableAnswerError(Reason.NOT_A_COMMENT, answer.excerpt(), "whose a handle is, and no post")
    return Page(next=(_ask(_base(answer), uri),))


def _refusal(answer: Answer) -> Page:
    """Say why a thread or a part of it is not there; a post within a thread that is gone is a deleted one."""
    try:
        body = answer.json()
    except UnreadableAnswerError:
        body = None
    error, message = text_at(body, "error") or "", text_at(body, "message") or ""
    context = answer.context
    named = _AT.search(dict(parse_qsl(urlsplit(answer.url).query)).get("uri", "")) or _AT.search(message)
    uri = context.get("uri") or (named.group() if named else "")
    if context.get("bluesky") == "handle":
        uri = f"at://{context.get('handle', '')}/{_POST}/{context.get('rkey', '')}"
        return Page(
            (RawThread(native_id=uri, reason=f"nobody has this handle ({message or answer.status})"[:EXCERPT]),)
        )
    if not uri:
        return Page()
    thread = context.get("thread") or uri
    gone = error == "NotFound"
    lost = RawComment(native_id=uri, thread=thread, state=State.DELETED, kind=_opening(uri, thread), url=_link(uri))
    comments = (lost,) if gone and context.get("thread") else ()
    if thread != uri:
        return Page(comments=comments)
    reason = _REFUSALS.get(error) or f"the server answers {error or answer.status} {message}".strip()[:EXCERPT]
    return Page((RawThread(native_id=uri, url=_link(uri), reason=reason),), comments)


def _opening(uri: str, thread: str) -> ReplyKind | None:
    return ReplyKind.OPENING if uri == thread else None


def _thread(answer: Answer, top: Object) -> Page:
    base, anchor = _base(answer), _uri(top.get("post")) or _uri(top) or ""
    above = list(_above(top))
    higher = {id(node) for node in above}
    known = answer.context.get("thread", "")
    root = known or _root_of(as_object(top.get("post"))) or anchor
    comments: list[RawComment] = []
    asks: list[Ask] = []
    for node, parent in [*((node, None) for node in above), *_below(top)]:
        uri = _uri(node.get("post")) or _uri(node)
        state = _lost(node)
        if uri is None or ("post" not in node and state is None):
            broken = RawComment(native_id=None, thread=root, reason=Reason.WRONG_TYPE, excerpt=_start(node))
            comments.append(broken)
        elif state is not None:
            comments.append(_gone(uri, root, parent, state))
            # A block stands between two people; who asks for the post itself is shown it.
            if state is State.REMOVED:
                asks.append(_ask(base, uri, root))
        else:
            post = as_object(node.get("post"))
            comments.append(_comment(post, uri, root, parent))
            missing = (count_at(post, "replyCount") or 0) - len(as_list(node.get("replies")))
            if missing > 0 and id(node) not in higher:
                asks.append(_ask(base, uri, root, missing))
    # What was asked for and is still not there cannot be had.
    asks = [ask if ask.key != answer.key else Ask("", root, expects=ask.expects) for ask in asks]
    whole = any(one.native_id == root and one.kind is ReplyKind.OPENING for one in comments)
    if not known and root != anchor:
        asks.append(_ask(base, root, root))
    told = next((_told(node, root) for node in (top, *above) if _uri(node.get("post")) == root), None)
    reason = None if whole or answer.context else "holds only a branch of the thread, without its first post"
    unseen = any(not ask.url for ask in asks)
    if unseen:
        reason = "the server counts more replies than it shows: deleted, blocked or hidden ones"
    return Page((told or RawThread(native_id=root),) + ((RawThread(native_id=root, reason=reason),) if reason else ()),
                tuple(comments), tuple(ask for ask in asks if ask.url or ask.expects))  # fmt: skip


def _nested(items: list[Json]) -> Object:
    """Return the flat items of `app.bsky.unspecced.getPostThreadV2` in the nested form of getPostThread.

    Each item has its depth: below 0 above the post asked for, which has 0; replies follow what they answer.
    """
    branch: dict[int, Object] = {}
    above: Object | None = None
    for item in objects(items):
        value, depth = as_object(item.get("value")), number_at(item, "depth")
        kind, level = text_at(value, "$type") or "", int(depth or 0)
        node: Object = {"uri": item.get("uri"), "replies": []}
        if isinstance(value.get("post"), dict):
            node["post"] = value["post"]
        elif kind.endswith("NotFound"):
            node["notFound"] = True
        elif kind.endswith(("Blocked", "NoUnauthenticated")):
            node["blocked"] = True
        if level < 0:
            node["parent"], above = above, node
            continue
        if level == 0:
            node["parent"] = above
        hung = branch.get(level - 1)
        if hung is not None:
            as_list(hung["replies"]).append(node)
        branch = {at_level: one for at_level, one in branch.items() if at_level < level} | {level: node}
    return branch.get(0, {})


def _start(value: Json) -> str:
    """Return the start of what is no post, for the quarantine; without its replies, which may nest beyond repr()."""
    if isinstance(value, dict):
        value = {name: one for name, one in value.items() if not isinstance(one, dict | list)}
    return (str(value) if not isinstance(value, list) else f"a list of {len(value)}")[:EXCERPT]


def _above(top: Object) -> Iterator[Object]:
    node = top.get("parent")
    while isinstance(node, dict):
        yield node
        node = node.get("parent")


def _below(top: Object) -> Iterator[tuple[Object, str | None]]:
    """Yield the anchor and all that hangs below it, each with the address of the post that it hangs on."""
    waiting: list[tuple[Json, str | None]] = [(top, None)]
    while waiting:
        value, parent = waiting.pop()
        node = as_object(value)
        yield (node, parent) if node else ({"node": value}, parent)
        uri = _uri(node.get("post")) or _uri(node)
        waiting += [(one, uri) for one in reversed(as_list(node.get("replies")))]


def _root_of(post: Object) -> str | None:
    return _uri(at(_record(post), "reply", "root"))


def _record(post: Object) -> Object:
    return as_object(post.get("record")) or as_object(post.get("value"))


def _gone(uri: str, root: str, parent: str | None, state: State) -> RawComment:
    parent = None if parent == root else parent
    return RawComment(native_id=uri, thread=root, parent=parent, kind=_opening(uri, root), state=state, url=_link(uri))


def _told(node: Object, root: str) -> RawThread:
    post = as_object(node.get("post"))
    opening = _comment(post, root, root, None)
    return RawThread(native_id=root, site="bsky.app", url=_link(root), author=opening.author, article=opening.text,
                     published=opening.created)  # fmt: skip


def _posts(body: Json) -> Page:
    """Read posts that came without their threads."""
    comments: list[RawComment] = []
    threads: dict[str, RawThread] = {}
    for value in _listed(body):
        post, uri = as_object(value), _uri(value)
        if uri is None:
            comments.append(RawComment(native_id=None, thread=None, reason=Reason.WRONG_TYPE, excerpt=_start(value)))
            continue
        root = _root_of(post) or uri
        comments.append(_comment(post, uri, root, None))
        threads[root] = _told({"post": post}, root) if root == uri else threads.get(root, RawThread(native_id=root))
    return Page(tuple(threads.values()), tuple(comments))


def _comment(post: Object, uri: str, root: str, parent: str | None) -> RawComment:
    """Return a post; `parent` is the one that the answer hangs it on, else the post's own word counts."""
    record = _record(post)
    parent = parent or _uri(at(record, "reply", "parent"))
    taken = any(text_at(label, "val") in _TAKEN and not flag_at(label, "neg") for label in objects(post.get("labels")))
    did, starter = uri.split("/")[2], root.split("/")[2]
    handle = text_at(post, "author", "handle")
    likes = count_at(post, "likeCount")
    return RawComment(
        native_id=uri,
        thread=root,
        parent=None if parent in {root, uri} else parent,
        kind=_opening(uri, root),
        author=handle if handle and handle != "handle.invalid" else did,
        role=Role.AUTHOR if did == starter else Role.USER,
        created=moment(record.get("createdAt") or post.get("indexedAt")),
        text=None if taken else _unshortened(record),
        markup="plain",
        score=float(likes) if likes is not None else None,
        state=State.REMOVED if taken else State.VISIBLE,
        url=_link(uri),
    )


def _unshortened(record: Object) -> str | None:
    """Return a post's text with links in full: the app shortens them and keeps the address in a facet.

    Facets name bytes of the text in UTF-8 (lexicon `app.bsky.richtext.facet`).
    """
    text = text_at(record, "text")
    if text is None:
        return None
    raw = text.encode("utf-8", errors="replace")
    found: list[tuple[int, int, str]] = []
    for facet in objects(record.get("facets")):
        first, last = count_at(facet, "index", "byteStart"), count_at(facet, "index", "byteEnd")
        link = next((uri for one in objects(facet.get("features")) if (uri := text_at(one, "uri"))), None)
        if first is not None and last is not None and link and first < last <= len(raw):
            shown = raw[first:last].decode("utf-8", errors="replace")
            if shown.endswith(("...", "…")) and shown.rstrip(".…") in link:
                found.append((first, last, link))
    end = len(raw)
    for first, last, link in sorted(found, reverse=True):
        if last <= end:
            raw, end = raw[:first] + link.encode("utf-8", errors="replace") + raw[last:], first
    return raw.decode("utf-8", errors="replace")


def _link(uri: str) -> str:
    _, _, who, _, rkey = uri.split("/", 4)
    return f"https://bsky.app/profile/{who}/post/{rkey}"
