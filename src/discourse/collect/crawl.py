"""Collect one address: ask, keep, read, ask for what follows, until nothing is left or a limit is reached.

The queue is not stored: it is derived again from the answers on disk, so that a run that was killed asks only for what
it lacks.
"""

from __future__ import annotations

import shlex
import time
from collections import deque
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from datetime import timedelta
from pathlib import Path
from urllib.parse import urlsplit

from discourse.collect.addresses import Resolve, look_up
from discourse.collect.answers import Answer, Ask, UnreadableAnswerError
from discourse.collect.archive import Archive, Unanswered
from discourse.collect.http import Client, Failure, named
from discourse.collect.manners import Patience
from discourse.collect.sources.platform import Page, Platform, read_answer
from discourse.config import CollectConfig
from discourse.errors import InputError
from discourse.workspace import now

# An answer that cannot be read is asked for so often in all.
READ_ATTEMPTS = 3
# So many answers in a row, each asked for because of the one before, that bring neither comments nor threads.
BARREN = 8
# After so many requests in a row that fail for now, the server is left alone.
_GIVE_UP = 3
# What fails for now for so long is taken to fail for good: the next run collects all anew.
_LASTING = timedelta(days=1)


@dataclass(frozen=True, slots=True)
class Progress:
    """How far a collection is.

    Attributes:
        requests: sent in this run.
        comments: seen so far, with those of earlier runs of the same round.
        declared: how many the platform says there are; None if it does not tell.
        queued: requests that are known to follow.
        waiting: seconds that are being waited now, 0 if none.
        left: seconds that the rest will take at the present pace; None if nothing can be said.
    """

    requests: int
    comments: int
    declared: int | None = None
    queued: int = 0
    waiting: float = 0.0
    left: float | None = None

    def __str__(self) -> str:
        """Return one line for a person."""
        of = f" of {self.declared:,}" if self.declared is not None else ""
        parts = [f"{self.requests:,} requests", f"{self.comments:,}{of} comments"]
        if self.waiting >= 1:
            parts.append(f"waiting {self.waiting:.0f} s")
        if self.left is not None:
            minutes, seconds = divmod(int(self.left), 60)
            parts.append(f"{minutes}:{seconds:02} left")
        return ", ".join(parts)


@dataclass(frozen=True, slots=True)
class CrawlOutcome:
    """What a collection did.

    Attributes:
        finished: whether a further run has nothing left to ask of this round.
        requests: sent in this run.
        answered_before: requests that an earlier run of the round had had answered, and that were not sent again.
        unanswered: what brought nothing, by `Ask.key`, with the reason.
        note: one sentence for the person who runs it.
        interrupted: whether Ctrl-C ended it.
    """

    finished: bool
    requests: int
    answered_before: int
    unanswered: Mapping[str, Unanswered]
    note: str
    interrupted: bool = False


def crawl(
    archive_path: Path,
    url: str,
    platform: Platform,
    config: CollectConfig,
    *,
    environment: Mapping[str, str],
    clock: Callable[[], float] = time.monotonic,
    sleep: Callable[[float], None] = time.sleep,
    resolve: Resolve = look_up,
    patience: Patience | None = None,
    report: Callable[[Progress], None] | None = None,
) -> CrawlOutcome:
    """Collect all that `platform` finds behind `url` into an archive, or go on where an earlier run stopped.

    Args:
        archive_path: the archive, ``WS/raw/NAME.warc.gz``; made if absent. If its last round is finished, a new one
            begins, which asks only for what changed where the server knows.
        url: of a thread.
        platform: which knows `url`.
        config: contact, rate and caps.
        environment: where the platform's keys are.
        clock, sleep, resolve, patience: see `Client`.
        report: called after each answer and around each wait.

    Raises:
        InputError: the address is not the platform's, or holds a password.
        WorkspaceError: the archive is damaged or cannot be written.
    """
    starts = platform.start(url)
    if not starts:
        raise InputError(f"{url[:200]}: is no address of {platform.title}; it reads {platform.reads}")
    if any("@" in urlsplit(ask.url).netloc for ask in starts if ask.url):
        raise InputError("the address has a user name or a password in it; give it without")
    with Archive(archive_path) as archive:
        run = _Run(archive, platform, config, clock, report)
        with Client(
            config,
            platform=platform,
            environment=environment,
            clock=clock,
            sleep=sleep,
            resolve=resolve,
            patience=patience,
            waiting=run.show,
        ) as client:
            again = f"discourse collect {shlex.quote(url)} -o {shlex.quote(str(archive_path.parent.parent))}"
            return run.go(client, starts, again)


@dataclass(frozen=True, slots=True)
class _Queued:
    """A request that waits, and how many answers before it brought nothing."""

    ask: Ask
    barren: int = 0


@dataclass(slots=True)
class _Run:
    """One run over one address: what was seen, what waits and what could not be had."""

    archive: Archive
    platform: Platform
    config: CollectConfig
    clock: Callable[[], float]
    report: Callable[[Progress], None] | None
    requests: int = 0
    answered_before: int = 0
    declared: int | None = None
    unanswered: dict[str, Unanswered] = field(default_factory=dict[str, Unanswered])
    notes: list[str] = field(default_factory=list[str])
    _queue: deque[_Queued] = field(default_factory=deque[_Queued])
    _asked: set[str] = field(default_factory=set[str])
    _levels: dict[str, int] = field(default_factory=dict[str, int])
    _threads: dict[str, int] = field(default_factory=dict[str, int])
    _on_disk: dict[str, list[Answer]] = field(default_factory=dict[str, list[Answer]])
    _known: dict[str, Answer] = field(default_factory=dict[str, Answer])
    _began: float = 0.0
    _seen_before: int = 0
    _first_request: float = 0.0
    _gained: int = 0
    _failed: int = 0
    _stopped: Unanswered | None = None

    def go(self, client: Client, starts: tuple[Ask, ...], again: str) -> CrawlOutcome:
        contents = self.archive.contents
        if contents.finished or not contents.rounds:
            self._known = {answer.key: answer for answer in contents.answers if answer.ok}
            number = len(contents.rounds) + 1
            self.archive.begin(number)
        else:
            number = contents.rounds[-1].number
            for answer in contents.round:
                self._on_disk.setdefault(answer.key, []).append(answer)
            self._known = {answer.key: answer for answer in contents.answers[: contents.rounds[-1].first] if answer.ok}
        self._began = self.clock()
        interrupted = False
        try:
            self._add(starts, 0)
            while self._queue:
                self._step(client, self._queue[0])
                self._queue.popleft()
        except KeyboardInterrupt:
            interrupted = True
            self._stopped = Unanswered("the collection was interrupted", passing=True)
            self._leave_rest(self._stopped)
        finished = not any(one.passing for one in self.unanswered.values()) or (
            not interrupted and not self._gained and now() - contents.rounds[-1].began > _LASTING
        )
        self.archive.end(number, self.unanswered, finished=finished, notes=tuple(self.notes))
        note = self._note(again, interrupted=interrupted, finished=finished)
        return CrawlOutcome(finished, self.requests, self.answered_before, self.unanswered, note, interrupted)

    def show(self, waiting: float = 0.0) -> None:
        if self.report is None:
            return
        new = len(self._levels) - self._seen_before
        left = None
        if self.requests and self.declared is not None and new > 0:
            rest = max(self.declared - len(self._levels), 0)
            left = (self.clock() - self._first_request) / new * rest + waiting
        self.report(Progress(self.requests, len(self._levels), self.declared, len(self._queue), waiting, left))

    def _step(self, client: Client, queued: _Queued) -> None:
        ask = queued.ask
        kept = [answer for answer in self._on_disk.get(ask.key, []) if not _passing(answer)]
        page, fault = (None, None) if not kept else self._read(kept[-1])
        if kept and (fault is None or not kept[-1].ok or len(kept) >= READ_ATTEMPTS):
            self.answered_before += 1
        else:
            why = self._stopped or self._limit(ask)
            if why is not None:
                self._leave(ask, why)
                return
            page, fault = self._ask(client, ask, READ_ATTEMPTS - len(kept))
        if fault is not None:
            self._leave(ask, fault)
        if page is not None:
            self._take(page, queued)
        self.show()

    def _ask(self, client: Client, ask: Ask, attempts: int) -> tuple[Page | None, Unanswered | None]:
        """Ask until the answer can be read, and keep each answer."""
        page, fault = None, None
        if not self.requests:
            self._seen_before, self._first_request = len(self._levels), self.clock()
        for _ in range(attempts):
            known = self._known.get(ask.key) if ask.method == "GET" else None
            before = client.requests
            try:
                answer = client.ask(ask, known)
            finally:
                self.requests += client.requests - before
            if isinstance(answer, Failure):
                self._count_failure(passing=answer.passing, why=answer.reason)
                return None, Unanswered(answer.reason, capped=answer.capped, passing=answer.passing)
            if answer.status == 304 and known is None:
                return None, Unanswered("the server says that nothing changed, though it was not asked that")
            page, fault = self._read(self.archive.append(ask, answer, known))
            self._count_failure(passing=_passing(answer), why=named(answer.status))
            self._gained += answer.ok
            # What cannot be read must not be confirmed.
            self._known.pop(ask.key, None)
            if fault is None or fault.passing or not answer.ok:
                break
        return page, fault

    def _count_failure(self, *, passing: bool, why: str) -> None:
        self._failed = self._failed + 1 if passing else 0
        if self._failed >= _GIVE_UP and self._stopped is None:
            self._stopped = Unanswered(f"the server stopped answering ({why})", passing=True)

    def _read(self, answer: Answer) -> tuple[Page | None, Unanswered | None]:
        """Read an answer; a refusal is read too, for what the platform tells in it."""
        refused = (
            None if answer.ok else Unanswered(f"the server answers {named(answer.status)}", passing=_passing(answer))
        )
        if not answer.ok and not self.platform.claims(answer):
            return None, refused
        try:
            return read_answer(self.platform, answer), refused
        except UnreadableAnswerError as e:
            return None, refused or Unanswered(f"the answer cannot be read: {e}")

    def _take(self, page: Page, queued: _Queued) -> None:
        """Count what a page brings and queue what follows from it."""
        thread, new, levels = queued.ask.thread, 0, list[int]()
        for told in page.threads:
            if told.native_id not in self._threads:
                self._threads[told.native_id] = 0
                new += 1
            if told.declared is not None:
                self.declared = max(self.declared or 0, told.declared)
        for comment in page.comments:
            if comment.native_id is None or comment.reason is not None:
                continue
            name = f"{comment.thread or thread} {comment.native_id}"
            if name in self._levels:
                continue
            above = self._levels.get(f"{comment.thread or thread} {comment.parent}", 0) if comment.parent else 0
            self._levels[name] = above + 1
            levels.append(above + 1)
            self._threads[comment.thread or thread] = self._threads.get(comment.thread or thread, 0) + 1
            new += 1
        barren = 0 if new else queued.barren + 1
        follow = [ask for ask in page.next if ask.url and ask.key not in self._asked]
        if follow and barren >= BARREN:
            why = f"{BARREN} answers in a row brought nothing new"
        elif follow and levels and min(levels) > self.config.caps.depth:
            why = f"replies deeper than {self.config.caps.depth:,} levels are not followed (depth under [collect.caps])"
        else:
            self._add(page.next, barren)
            return
        for ask in follow:
            self._asked.add(ask.key)
            self._leave(ask, Unanswered(why, capped=True))

    def _add(self, asks: tuple[Ask, ...], barren: int) -> None:
        for ask in asks:
            # Without an address it only says how much is missing.
            if ask.url and ask.key not in self._asked:
                self._asked.add(ask.key)
                self._queue.append(_Queued(ask, barren))

    def _limit(self, ask: Ask) -> Unanswered | None:
        caps = self.config.caps
        count = self._threads.get(ask.thread, 0) if ask.thread else len(self._levels)
        if count >= caps.comments:
            return Unanswered(f"the cap of {caps.comments:,} comments is reached (comments under [collect.caps])", True)
        if self.requests + self.answered_before >= max(caps.comments, 1000):
            return Unanswered(f"the cap of {max(caps.comments, 1000):,} requests is reached", True)
        if caps.seconds is not None and self.clock() - self._began >= caps.seconds:
            return Unanswered(
                f"the cap of {caps.seconds:,} seconds is reached (seconds under [collect.caps])", True, passing=True
            )
        return None

    def _leave(self, ask: Ask, why: Unanswered) -> None:
        if why.why not in self.notes and len(self.notes) < 100:
            self.notes.append(why.why)
        self.unanswered[ask.key] = Unanswered(why.why, why.capped, ask.thread, ask.expects, why.passing)

    def _leave_rest(self, why: Unanswered) -> None:
        kept = {answer.key for answer in self.archive.contents.round if not _passing(answer)}
        for queued in self._queue:
            if queued.ask.key not in kept:
                self._leave(queued.ask, why)

    def _note(self, again: str, *, interrupted: bool, finished: bool) -> str:
        counted = f"{self.requests:,} requests, {len(self._levels):,} comments"
        if interrupted:
            return f"stopped by Ctrl-C after {counted}; to go on, type: {again}"
        if not self.unanswered:
            return counted
        reasons = "; ".join(self.notes[:3])
        left = f"{counted}; {len(self.unanswered):,} requests brought nothing: {reasons}"
        return left if finished else f"{left}; to ask for these again, type: {again}"


def _passing(answer: Answer) -> bool:
    return answer.status == 429 or answer.status >= 500
