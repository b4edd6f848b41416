"""Ask about every input in every run what was not answered before, and read all answers."""

from __future__ import annotations

import asyncio
import os
from collections import Counter, deque
from collections.abc import Coroutine, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field
from typing import Any

from discourse.config import JudgeConfig
from discourse.errors import InputError, UsageError
from discourse.models.judge.answers import FINAL, Invalid, Reply, Vote, Votes, outcome, read_answer
from discourse.models.judge.client import Client, Patience, StopError, UnansweredError
from discourse.models.judge.cost import Agreed, Cost, agree, cost
from discourse.models.judge.endpoint import endpoint
from discourse.models.judge.kept import Asked, Kept, kept_answers
from discourse.models.judge.prompt import (
    PARENT,
    TITLE,
    Item,
    Questions,
    message_id,
    prompt_hash,
    request,
    schema,
    system_text,
    user_text,
)
from discourse.progress import Advance, bar
from discourse.workspace import Workspace

# Requests in a row that a server fails on, after which it is taken to be down.
IN_A_ROW = 3

Run = tuple[Item, int]


@dataclass(frozen=True, slots=True)
class Coder:
    """A model with a prompt and settings: what makes answers comparable.

    body: the fields that all requests have in common. prompt: SHA-256 of all that decides an answer, but for the
    comment and the run.
    """

    config: JudgeConfig
    questions: Questions
    seed: int
    body: Mapping[str, Any]
    prompt: str

    @property
    def model(self) -> str:
        """The model, as the server names it."""
        return str(self.config.model)

    @property
    def id(self) -> str:
        """How tags and labels name it: the model and the start of the prompt's hash."""
        return f"{self.model}@{self.prompt[:12]}"


def coder_of(config: JudgeConfig, questions: Questions, seed: int) -> Coder:
    """Return the coder that a configuration asks for.

    Raises:
        UsageError: no model is named.
    """
    if not config.model:
        raise UsageError(
            "[judge] model: name the model of the external coder as its server does, such as --set "
            'judge.model="qwen2.5-7b-instruct"'
        )
    body = request(config, system_text(questions), schema(questions))
    return Coder(config, questions, seed, body, prompt_hash(body, seed, config.characters))


@dataclass(frozen=True, slots=True)
class Tally:
    """Answers of one host of one outcome (`valid`, or a reason of `Invalid`), with the tokens that the server counted.

    inputs: how many different inputs they are of.
    """

    host: str
    outcome: str
    answers: int
    inputs: int
    tokens_in: int
    tokens_out: int


@dataclass(frozen=True, slots=True)
class Coded:
    """What a coder says of some inputs: votes by input and run, and how its answers came out."""

    coder: Coder
    votes: Mapping[tuple[str, int], Votes]
    tallies: tuple[Tally, ...]
    sent: int

    def of(self, key: str, level: tuple[str, str]) -> list[Vote | Invalid]:
        """Return the votes of all runs on one level of one input."""
        return [self.votes[key, run][level] for run in range(self.coder.config.runs)]

    @property
    def hosts(self) -> tuple[str, ...]:
        """Where texts were sent, now or before."""
        return tuple(dict.fromkeys(each.host for each in self.tallies))

    def sentence(self, things: str) -> str:
        """Say what was sent where and how many answers were invalid."""
        bad = [each for each in self.tallies if each.outcome != "valid"]
        faults = Counter({each.outcome: 0 for each in bad})
        for each in bad:
            faults[each.outcome] += each.answers
        total = sum(each.answers for each in self.tallies)
        told = ", ".join(f"{number:,} {reason}" for reason, number in faults.most_common())
        return (
            f"external coder {self.coder.id}: the texts of {things} were sent to {', '.join(self.hosts) or 'nobody'}; "
            f"{total:,} answers ({self.sent:,} asked for now), {faults.total():,} of them invalid"
            f"{f' ({told})' if told else ''}"
        )


def estimate(workspace: Workspace, coder: Coder, items: Sequence[Item]) -> Cost:
    """Say what coding some different inputs will still cost, without sending anything."""
    missing = _missing(coder, items, kept_answers(workspace, coder.model, coder.prompt))
    return _cost(coder, items, missing)


def code(
    workspace: Workspace,
    coder: Coder,
    items: Sequence[Item],
    agreed: Agreed,
    environment: Mapping[str, str] | None = None,
    patience: Patience | None = None,
) -> Coded:
    """Have different inputs coded; what was answered before is not asked again.

    Args:
        workspace: keeps the raw answers.
        coder: model, questions and settings.
        items: inputs that differ.
        agreed: asks the user, where a limit is passed.
        environment: names the endpoint; that of the process by default. It is read only if something is to be sent.
        patience: with the server.

    Raises:
        UsageError: there is no usable endpoint, or a limit is passed and nobody agrees.
        InputError: the server cannot be reached, refuses the key, or knows no such model; answers so far are kept.
        WorkspaceError: an answer cannot be written.
    """
    if len(items) > coder.config.max_comments:
        raise UsageError(
            f"the external coder would read {len(items):,} different comments, more than [judge] max_comments = "
            f"{coder.config.max_comments:,}; raise it, or have a sample labelled: discourse annotate judge "
            f"{workspace.root} --sample {coder.config.sample}"
        )
    kept = kept_answers(workspace, coder.model, coder.prompt)
    missing = _missing(coder, items, kept)
    before = sum(len(each) for each in kept.answers.values())
    if missing:
        agree(_cost(coder, items, missing), coder.config, agreed)
        where = endpoint(os.environ if environment is None else environment)
        client = Client(where, coder.config.timeout, coder.config.concurrency, patience)
        with bar("external coder", len(missing)) as advance:
            _finish(_Session(coder, kept, client, deque(missing), advance).all())
    votes = {
        (item.key, run): _votes(coder, item, kept.of(item.key, run))
        for item in items
        for run in range(coder.config.runs)
    }
    after = sum(len(each) for each in kept.answers.values())
    return Coded(coder, votes, _tallies(coder, items, kept), after - before)


def _missing(coder: Coder, items: Sequence[Item], kept: Kept) -> list[Run]:
    # Run by run: if it breaks off, all inputs have their first answers.
    return [
        (item, run)
        for run in range(coder.config.runs)
        for item in items
        if not _settled(coder, item, kept.of(item.key, run))
    ]


def _settled(coder: Coder, item: Item, replies: Sequence[Reply]) -> bool:
    """Tell whether nothing more is asked: all levels have a vote, or there is no point in trying on."""
    if len(replies) > coder.config.retries or (replies and replies[-1].fault in FINAL):
        return True
    return bool(replies) and outcome(_votes(coder, item, replies)) is None


def _votes(coder: Coder, item: Item, replies: Sequence[Reply]) -> Votes:
    """Return one run's votes: of each level the first valid one, else why the last attempt has none."""
    mark = message_id(coder.prompt, item)
    shown = item.text[: coder.config.characters]
    found: Votes = dict.fromkeys(coder.questions.levels, Invalid.NO_ANSWER)
    for reply in replies:
        for level, vote in read_answer(reply, coder.questions, mark, shown).items():
            if not isinstance(found[level], Vote):
                found[level] = vote
    return found


def _tallies(coder: Coder, items: Sequence[Item], kept: Kept) -> tuple[Tally, ...]:
    cells: dict[tuple[str, str], list[tuple[str, Reply]]] = {}
    for item in items:
        mark, shown = message_id(coder.prompt, item), item.text[: coder.config.characters]
        for run in range(coder.config.runs):
            for host, reply in kept.answers.get((item.key, run), []):
                fault = outcome(read_answer(reply, coder.questions, mark, shown))
                cells.setdefault((host, fault.value if fault else "valid"), []).append((item.key, reply))
    return tuple(
        Tally(
            host,
            said,
            len(rows),
            len({key for key, _ in rows}),
            sum(reply.tokens_in or 0 for _, reply in rows),
            sum(reply.tokens_out or 0 for _, reply in rows),
        )
        for (host, said), rows in sorted(cells.items())
    )


def _cost(coder: Coder, items: Sequence[Item], missing: Sequence[Run]) -> Cost:
    system = len(system_text(coder.questions))
    limit = coder.config.characters
    sent = sum(
        system + len(item.text[:limit]) + len(item.title[:TITLE]) + len(item.parent[:PARENT]) + 80
        for item, _ in missing
    )
    return cost(coder.config, "comments", len(items), sent, len(missing), len(coder.questions.levels))


@dataclass(slots=True)
class _Session:
    """The requests of one coding, several at once."""

    coder: Coder
    kept: Kept
    client: Client
    waiting: deque[Run]
    advance: Advance
    # What the server failed on since its last answer. Only if it answers others is that a fault of the input.
    failed: list[tuple[Run, UnansweredError]] = field(default_factory=list[tuple[Run, UnansweredError]])

    async def all(self) -> None:
        """Send everything that waits.

        Raises:
            InputError: it makes no sense to go on.
        """
        self.client.proved = any(reply.fault is None for pairs in self.kept.answers.values() for _, reply in pairs)
        workers = [asyncio.create_task(self._work()) for _ in range(self.coder.config.concurrency)]
        try:
            done, _ = await asyncio.wait(workers, return_when=asyncio.FIRST_EXCEPTION)
            for task in done:
                task.result()
        except StopError as e:
            raise InputError(f"{e}; {self._kept_so_far()}") from e
        finally:
            for task in workers:
                task.cancel()
            await asyncio.gather(*workers, return_exceptions=True)
            await self.client.close()
            self.kept.close()

    async def _work(self) -> None:
        while self.waiting:
            item, run = self.waiting.popleft()
            if not await self._is_answered(item, run):
                # The server may have gone; another input shows whether it has.
                self.waiting.append((item, run))
            elif _settled(self.coder, item, self.kept.of(item.key, run)):
                self.advance()
            else:
                self.waiting.appendleft((item, run))

    async def _is_answered(self, item: Item, run: int) -> bool:
        attempt = len(self.kept.of(item.key, run))
        text = user_text(item, message_id(self.coder.prompt, item), self.coder.config.characters)
        body = dict(self.coder.body)
        body["messages"] = [*body["messages"], {"role": "user", "content": text}]
        # Another seed for each run, without which servers that honour it answer alike; it must fit 31 bits.
        body["seed"] = (self.coder.seed + 1_009 * run + 101 * attempt) % 2**31
        try:
            reply = await self.client.ask(body)
        except UnansweredError as e:
            self._failed_on(item, run, e)
            return _settled(self.coder, item, self.kept.of(item.key, run))
        self._proven()
        self.kept.add(Asked(item.key, run, attempt), self.client.endpoint.host, reply)
        return True

    def _failed_on(self, item: Item, run: int, error: UnansweredError) -> None:
        self.failed.append(((item, run), error))
        if not self.client.proved:
            raise StopError(str(error)) from error
        if len(self.failed) < IN_A_ROW:
            return
        if error.alive and len({each.key for (each, _), _ in self.failed}) == 1:
            self._proven()
            return
        raise StopError(str(error)) from error

    def _proven(self) -> None:
        for (item, run), error in self.failed:
            asked = Asked(item.key, run, len(self.kept.of(item.key, run)))
            self.kept.add(asked, self.client.endpoint.host, Reply(fault=error.fault))
        self.failed.clear()

    def _kept_so_far(self) -> str:
        wanted = self.coder.config.runs
        number = sum(len(each) for each in self.kept.answers.values())
        runs = "run" if wanted == 1 else f"{wanted} runs"
        return f"{number:,} answers of the {runs} are kept, the same command asks only for what is missing"


def _finish(work: Coroutine[Any, Any, None]) -> None:
    """Run to the end, also where the caller has an event loop of its own, such as in a notebook."""
    try:
        asyncio.get_running_loop()
    except RuntimeError:
        asyncio.run(work)
        return
    with ThreadPoolExecutor(1) as pool:
        pool.submit(asyncio.run, work).result()
