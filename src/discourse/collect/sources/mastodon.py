"""Mastodon and servers with its API: a status, then `/api/v1/statuses/ID/context` with what it answers and brought."""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from html import escape
from urllib.parse import urlsplit

from discourse.collect.answers import EXCERPT, Answer, Ask, Json, UnreadableAnswerError
from discourse.collect.jsonvalues import Object, as_list, as_object, at, count_at, flag_at, name_at, text_at
from discourse.collect.moments import moment
from discourse.collect.sources.platform import Login, Page, RawComment, RawThread
from discourse.tables import Reason, ReplyKind, Role, State

# Without a token, Mastodon shows no more descendants than this of one status (`StatusesController`).
LIMIT = 60
_TOKEN = "MASTODON_ACCESS_TOKEN"  # noqa: S105  # the name of a variable
_API = re.compile(r"/api/v1/statuses/([\w-]+)(/context)?/?")
# Numbers are Mastodon's ids, 26 letters GoToSocial's, 18 those of Pleroma and Akkoma.
_ADDRESS = re.compile(
    r"(?:/web|/deck)?/(?:@[^/]+|users/[^/]+/statuses|@[^/]+/statuses|statuses)/(?P<id>\d{6,}|[0-9A-HJKMNP-TV-Z]{26})"
    r"(?:/(?:embed|activity))?/?|/notice/(?P<notice>[0-9A-Za-z]{18,})/?"
)
_REFUSALS = {
    401: f"the server shows this only with a token; set {_TOKEN}",
    403: "the server does not show this to everybody",
    404: "the server has no such status, or does not show it to everybody",
    410: "the status was deleted",
}


@dataclass(frozen=True, slots=True)
class Mastodon:
    """Threads of statuses as one server of the fediverse knows them."""

    name: str = "mastodon"
    title: str = "Mastodon"
    needs: tuple[str, ...] = ()
    reads: str = (
        "https://mastodon.example.org/@name/ID, also of servers with Mastodon's API; saved answers of "
        f"/api/v1/statuses/ID and its /context. {_TOKEN} may hold a token of the server, which is shown more"
    )
    loses: str = (
        f"what lies beyond {LIMIT} descendants of a status if no token is set; replies that other servers did not send "
        "to this one; private and deleted statuses"
    )

    def start(self, url: str) -> tuple[Ask, ...]:
        """Ask for the status; what it says is needed to know how much of its context is missing."""
        try:
            parts = urlsplit(url)
        except ValueError:
            return ()
        found = _ADDRESS.fullmatch(parts.path) or _API.fullmatch(parts.path)
        if parts.scheme not in {"http", "https"} or not parts.netloc or not found:
            return ()
        number = next(group for group in found.groups() if group)
        base = f"{parts.scheme}://{parts.netloc}"
        context = (("mastodon", "status"), ("status", number))
        return (Ask(f"{base}/api/v1/statuses/{number}", login="mastodon", context=context),)

    def claims(self, answer: Answer) -> bool:
        """Know our own requests, statuses by the account and the status that they answer, and contexts."""
        if "mastodon" in answer.context or _API.fullmatch(_path(answer.url)):
            return True
        if not answer.body.lstrip().startswith((b"{", b"[")):
            return False
        if not any(mark in answer.body for mark in (b'"in_reply_to_id"', b'"descendants"')):
            return False
        try:
            return _kind(answer.json()) != ""
        except UnreadableAnswerError:
            return b'"spoiler_text"' in answer.body and b'"in_reply_to_account_id"' in answer.body

    def read(self, answer: Answer) -> Page:
        """Read a status, its context, a list of statuses, or a refusal."""
        place = _Place.of(answer)
        if not answer.ok:
            return _refusal(answer, place)
        body = answer.json()
        kind = _kind(body)
        if kind == "context":
            return _context(answer, as_object(body), place)
        if kind == "status":
            return _status(as_object(body), place)
        if kind == "list":
            return _alone([as_object(one) for one in as_list(body)], place)
        raise UnreadableAnswerError(Reason.WRONG_TYPE, answer.excerpt(), "no status of Mastodon and no context of one")

    def login(self, environment: Mapping[str, str]) -> Login | None:
        """Send the token of the user's account if one is set; the server of the address gets it, and no other."""
        token = environment.get(_TOKEN, "").strip()
        return Login(header="authorization", value=f"Bearer {token}") if token else Login()


@dataclass(frozen=True, slots=True)
class _Place:
    """Where an answer is from: the server (empty in a file), the status asked for, and what is known of the thread.

    Attributes:
        base: scheme and host.
        status: the id of the status that the answer is about, empty if unknown.
        root: the id of the thread's first status, empty if unknown.
        starter: the account id of who wrote it, empty if unknown.
        replies: how many replies the status says it has, 0 if unknown.
    """

    base: str
    status: str
    root: str = ""
    starter: str = ""
    replies: int = 0

    @staticmethod
    def of(answer: Answer) -> _Place:
        """Return what the address and the context of an answer tell."""
        context, found = answer.context, _API.fullmatch(_path(answer.url))
        base = answer.url.partition("/api/v1/")[0] if found else ""
        return _Place(
            base,
            context.get("status") or (found[1] if found else ""),
            context.get("root", ""),
            context.get("starter", ""),
            count_at(dict[str, Json](context), "replies") or 0,
        )

    def thread(self, number: str) -> str:
        """Return the id of the thread that begins with a status."""
        host = self.base.partition("://")[2]
        return f"{host}/{number}" if host else number

    def ask(self, number: str, replies: int, expects: int, root: str = "", starter: str = "") -> Ask:
        """Return the request for the context of a status; in a file only say how much is behind it."""
        thread = self.thread(root) if root else ""
        if not self.base:
            return Ask("", thread, expects=expects)
        context = (("mastodon", "context"), ("replies", str(replies)), ("root", root), ("starter", starter),
                   ("status", number))  # fmt: skip
        url = f"{self.base}/api/v1/statuses/{number}/context"
        return Ask(url, thread, login="mastodon", expects=expects, context=context)


def _path(url: str) -> str:
    try:
        return urlsplit(url).path
    except ValueError:
        return ""


def _kind(body: Json) -> str:
    """Tell what an answer is: `context`, `status`, `list`, or empty if it is not ours."""
    if isinstance(at(body, "ancestors"), list) and isinstance(at(body, "descendants"), list):
        held = [*as_list(at(body, "ancestors")), *as_list(at(body, "descendants"))]
        return "context" if not held or any(_is_status(one) for one in held) else ""
    if _is_status(body):
        return "status"
    return "list" if any(_is_status(one) for one in as_list(body)) else ""


def _is_status(value: Json) -> bool:
    held = as_object(value)
    return "in_reply_to_id" in held and "content" in held and isinstance(held.get("account"), dict)


def _refusal(answer: Answer, place: _Place) -> Page:
    """Say why a thread is not there; of a status within a thread nothing new is known."""
    why = _REFUSALS.get(answer.status)
    if why is None or not place.status or place.root not in {"", place.status}:
        return Page()
    thread = place.thread(place.status)
    return Page((RawThread(native_id=thread, site=place.base.partition("://")[2] or None, reason=why),))


def _status(status: Object, place: _Place) -> Page:
    """Read one status; of a reply only its context tells the thread."""
    number = name_at(status, "id")
    page = _alone([status], place)
    if number is None:
        return page
    first = name_at(status, "in_reply_to_id") is None
    replies = count_at(status, "replies_count") or 0
    starter = name_at(status, "account", "id") or "" if first else ""
    root = number if first else ""
    if not replies and not place.base:
        return page
    return Page(page.threads, page.comments, (place.ask(number, replies, replies, root, starter),))


def _alone(statuses: Sequence[Object], place: _Place) -> Page:
    """Read statuses without a context: each that answers none begins a thread of its own."""
    comments: list[RawComment] = []
    threads: list[RawThread] = []
    for status in statuses:
        number = name_at(status, "id")
        first = number is not None and name_at(status, "in_reply_to_id") is None
        thread = place.thread(number) if number and first else None
        comments.append(_comment(status, thread, number if first else None, place.starter))
        if number and first:
            threads.append(_told(status, number, place))
    return Page(tuple(threads), tuple(comments))


def _context(answer: Answer, body: Object, place: _Place) -> Page:
    ancestors, descendants = as_list(body.get("ancestors")), as_list(body.get("descendants"))
    anchor = place.status or name_at(descendants, 0, "in_reply_to_id") or name_at(ancestors, -1, "id")
    if anchor is None:
        raise UnreadableAnswerError(
            Reason.NOT_A_COMMENT, answer.excerpt(), "a context without statuses, which does not tell whose it is"
        )
    top = as_object(ancestors[0]) if ancestors else {}
    # The chain of ancestors is cut at 40 without a token: then its first one is not the thread's.
    cut = bool(ancestors) and name_at(top, "in_reply_to_id") is not None
    root = place.root or ("" if cut else name_at(top, "id") or anchor)
    thread = place.thread(root) if root else None
    starter = place.starter or (name_at(top, "account", "id") or "" if not cut else "")
    comments = tuple(_comment(one, thread, root, starter) for one in [*ancestors, *descendants])
    asks = _missing(answer, descendants, _Place(place.base, anchor, root, starter, place.replies))
    if ancestors and not place.root:
        number, replies = name_at(top, "id"), count_at(top, "replies_count") or 0
        if number is not None and place.base:
            expects = max(replies - 1, 0)
            asks = (*asks, place.ask(number, replies, expects, "" if cut else root, starter))
    if not root:
        return Page(comments=comments, next=asks)
    told = _told(top, root, place) if name_at(top, "id") == root else RawThread(native_id=place.thread(root))
    threads = [told]
    if len(descendants) >= LIMIT:
        why = f"a server shows no more than {LIMIT} descendants of a status without a token ({_TOKEN})"
        threads.append(RawThread(native_id=told.native_id, reason=why))
    return Page(tuple(threads), comments, asks)


def _missing(answer: Answer, descendants: Sequence[Json], place: _Place) -> tuple[Ask, ...]:
    """Ask for the context of each status with more replies than are shown; they may be private or not known here."""
    shown = Counter(name for one in descendants if (name := name_at(one, "in_reply_to_id")))
    counts = {place.status: place.replies}
    counts |= {name: count_at(one, "replies_count") or 0 for one in descendants if (name := name_at(one, "id"))}
    asks: list[Ask] = []
    lost = 0
    for name, count in counts.items():
        expects = count - shown[name]
        if expects <= 0:
            continue
        ask = place.ask(name, count, expects, place.root, place.starter)
        if name == place.status or not ask.url or ask.key == answer.key:
            lost += expects
        else:
            asks.append(ask)
    if lost:
        thread = place.thread(place.root) if place.root else ""
        asks.append(Ask("", thread, expects=lost, context=(("status", place.status),)))
    return tuple(asks)


def _told(status: Object, number: str, place: _Place) -> RawThread:
    return RawThread(
        native_id=place.thread(number),
        site=place.base.partition("://")[2] or None,
        url=text_at(status, "url") or text_at(status, "uri"),
        author=text_at(status, "account", "acct"),
        article=_text(status),
        published=moment(status.get("created_at")),
    )


def _comment(value: Json, thread: str | None, root: str | None, starter: str) -> RawComment:
    status = as_object(value)
    number, parent = name_at(status, "id"), name_at(status, "in_reply_to_id")
    if number is None:
        return RawComment(native_id=None, thread=thread, reason=Reason.WRONG_TYPE, excerpt=_start(value))
    boost = isinstance(status.get("reblog"), dict)
    likes = count_at(status, "favourites_count")
    return RawComment(
        native_id=number,
        thread=thread,
        parent=None if parent in {root, number} else parent,
        kind=ReplyKind.OPENING if number == root else None,
        author=text_at(status, "account", "acct") or text_at(status, "account", "username"),
        role=_role(status, starter if number != root else name_at(status, "account", "id") or ""),
        created=moment(status.get("created_at")),
        text=_text(status),
        score=float(likes) if likes is not None else None,
        state=State.VISIBLE,
        url=text_at(status, "url") or text_at(status, "uri"),
        reason=Reason.NOT_A_COMMENT if boost else None,
        excerpt="a boost" if boost else None,
    )


def _start(value: Json) -> str:
    """Return the start of what is no status, for the quarantine; without its parts, which may nest beyond repr()."""
    if isinstance(value, dict):
        value = {name: one for name, one in value.items() if not isinstance(one, dict | list)}
    return (str(value) if not isinstance(value, list) else f"a list of {len(value)}")[:EXCERPT]


def _role(status: Object, starter: str) -> Role:
    if flag_at(status, "account", "bot"):
        return Role.BOT
    if not starter:
        return Role.UNKNOWN
    return Role.AUTHOR if name_at(status, "account", "id") == starter else Role.USER


def _text(status: Object) -> str | None:
    """Return the words of a status, below its content warning, which readers see first."""
    content, warning = text_at(status, "content"), text_at(status, "spoiler_text")
    if warning is None or not warning.strip():
        return content
    return f"<p>{escape(warning, quote=False)}</p>{content or ''}"
