"""The requests of one coding, several at once, until all is answered or it makes no sense to go on."""

from __future__ import annotations

import asyncio
from collections import deque
from collections.abc import Coroutine
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field
from typing import Any

from discourse.errors import InputError
from discourse.models.judge.answers import Reply
from discourse.models.judge.client import Client, StopError, UnansweredError
from discourse.models.judge.coder import Coder
from discourse.models.judge.kept import Asked, Kept
from discourse.models.judge.prompt import Item
from discourse.progress import Advance

# Requests in a row that a server fails on, after which it is taken to be down.
IN_A_ROW = 3

Run = tuple[Item, int]


@dataclass(slots=True)
class Session:
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
            elif self.coder.settled(item, self.kept.of(item.key, run)):
                self.advance()
            else:
                self.waiting.appendleft((item, run))

    async def _is_answered(self, item: Item, run: int) -> bool:
        attempt = len(self.kept.of(item.key, run))
        body = dict(self.coder.body)
        body["messages"] = [*body["messages"], {"role": "user", "content": self.coder.message(item)}]
        # Another seed for each run, without which servers that honour it answer alike; it must fit 31 bits.
        body["seed"] = (self.coder.seed + 1_009 * run + 101 * attempt) % 2**31
        try:
            reply = await self.client.ask(body)
        except UnansweredError as e:
            self._failed_on(item, run, e)
            return self.coder.settled(item, self.kept.of(item.key, run))
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


def finish(work: Coroutine[Any, Any, None]) -> None:
    """Run to the end, also where the caller has an event loop of its own, such as in a notebook."""
    try:
        asyncio.get_running_loop()
    except RuntimeError:
        asyncio.run(work)
        return
    with ThreadPoolExecutor(1) as pool:
        pool.submit(asyncio.run, work).result()
