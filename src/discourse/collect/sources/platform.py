"""The family of platforms: what each one has to tell, and nothing else.

A platform never touches disk or network. `start` turns an address into requests; `read` turns one answer into what
it holds and what to ask next. A saved answer and a live one go through the same `read`; `discourse.collect.harvest`
puts the pages of a thread together, in whatever order they came.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Protocol

from discourse.collect.answers import Answer, Ask, UnreadableAnswerError
from discourse.collect.moments import UNKNOWN, Moment
from discourse.tables import Reason, ReplyKind, Role, State


@dataclass(frozen=True, slots=True, kw_only=True)
class RawThread:
    """What one answer tells of a thread; several answers about one thread are merged, the newest known value first.

    Attributes:
        native_id: the platform's id, unique within the platform (with the host in front where ids hold for one site
            only, such as ``blog.example.org/42``).
        title, site, community, url, author, article: as delivered, None if not told.
        published: of the article or opening post.
        declared: how many comments the platform says there are; of several answers the largest of the newest round.
        reason: a reason why comments are missing that only the platform knows, such as ``comments are closed``.
    """

    native_id: str
    title: str | None = None
    site: str | None = None
    community: str | None = None
    url: str | None = None
    author: str | None = None
    article: str | None = None
    published: Moment = UNKNOWN
    declared: int | None = None
    reason: str | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class RawComment:
    """One comment as one answer shows it.

    Attributes:
        native_id: the platform's id; None only where it has none.
        thread: native id of its thread; None if the answer does not tell (then it is the parent's).
        parent: native id, or an `alias`, of the comment answered; None for a top comment.
        alias: another name by which replies call this comment within its thread, such as ``#12`` for a post number.
        kind: set only where the platform knows better than the tree: `opening`, `flattened`, `orphan`.
        text: as delivered, None where there is none; deleted and removed comments are rows without text.
        markup: ``html``, ``markdown``, ``plain`` or ``auto``.
        score: votes or likes, None if hidden.
        reason, excerpt: set if this is no comment (a pingback, a record of a wrong type): it goes to quarantine.
    """

    native_id: str | None
    thread: str | None
    parent: str | None = None
    alias: str | None = None
    kind: ReplyKind | None = None
    author: str | None = None
    role: Role = Role.UNKNOWN
    created: Moment = UNKNOWN
    text: str | None = None
    markup: str = "html"
    score: float | None = None
    state: State = State.VISIBLE
    url: str | None = None
    reason: Reason | None = None
    excerpt: str | None = None


@dataclass(frozen=True, slots=True)
class Page:
    """What one answer holds, and what to ask next; an ask without an address only says how much is missing."""

    threads: tuple[RawThread, ...] = ()
    comments: tuple[RawComment, ...] = ()
    next: tuple[Ask, ...] = ()


@dataclass(frozen=True, slots=True)
class Login:
    """How a platform's credentials, read from the environment, come into a request.

    Attributes:
        token: a request for a token (None if the credentials are used as they are); it and its answer are never kept.
        user, password: of HTTP Basic authentication for `token`.
        header: name of the header that carries the credential (such as ``authorization``), empty if `query` is used.
        query: name of the query parameter that carries it.
        value: the credential, or for a token answer the form of it, such as ``Bearer {access_token}``.
    """

    token: Ask | None = None
    user: str = ""
    password: str = ""
    header: str = ""
    query: str = ""
    value: str = ""


class Platform(Protocol):
    """One place where comments live: one file in this folder and one entry in `platforms.py`."""

    @property
    def name(self) -> str:
        """As in `threads.platform` and before the colon of every id."""
        ...

    @property
    def title(self) -> str:
        """For people."""
        ...

    @property
    def needs(self) -> tuple[str, ...]:
        """Environment variables that hold keys; empty if none is needed."""
        ...

    @property
    def reads(self) -> str:
        """What can be read, for `discourse sources`: addresses and saved forms."""
        ...

    @property
    def loses(self) -> str:
        """What cannot be had from it."""
        ...

    def start(self, url: str) -> tuple[Ask, ...]:
        """Return the first requests for a thread's address; none if the address is not this platform's."""
        ...

    def claims(self, answer: Answer) -> bool:
        """Tell whether an answer, live or saved, is this platform's; by its address or by its shape, never by luck."""
        ...

    def read(self, answer: Answer) -> Page:
        """Read one answer that `claims` knows; refusals (401, 403, 404, 410 …) are answers too.

        Raises:
            UnreadableAnswerError: nothing in the answer can be used. One bad record among good ones is instead a
                RawComment with a `reason`.
        """
        ...

    def login(self, environment: Mapping[str, str]) -> Login | None:
        """Return how to use the keys found in the environment; None if the platform needs none or none are set."""
        ...


def read_answer(platform: Platform, answer: Answer) -> Page:
    """Read one answer; what is nested so deep that Python gives up is an unreadable answer like any other.

    Raises:
        UnreadableAnswerError: nothing in the answer can be used.
    """
    try:
        return platform.read(answer)
    except RecursionError as e:
        why = "nested deeper than it can be read"
        raise UnreadableAnswerError(Reason.TOO_DEEP, answer.excerpt(), why) from e
