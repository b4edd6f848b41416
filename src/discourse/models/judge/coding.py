"""Ask about every input in every run what was not answered before, and read all answers."""

from __future__ import annotations

import os
from collections import Counter, deque
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from discourse.errors import UsageError
from discourse.models.judge.answers import Invalid, Reply, Vote, Votes, outcome
from discourse.models.judge.client import Client, Patience
from discourse.models.judge.coder import Coder
from discourse.models.judge.cost import Agreed, Cost, agree, cost
from discourse.models.judge.endpoint import endpoint
from discourse.models.judge.kept import Kept, kept_answers
from discourse.models.judge.prompt import PARENT, TITLE, Item
from discourse.models.judge.session import Run, Session, finish
from discourse.progress import bar
from discourse.workspace import Workspace


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
        used = (sum(each.tokens_in for each in self.tallies), sum(each.tokens_out for each in self.tallies))
        counted = f"; the server counts {used[0]:,} tokens sent and {used[1]:,} answered" if any(used) else ""
        return (
            f"external coder {self.coder.id}: the texts of {things} were sent to {', '.join(self.hosts) or 'nobody'}; "
            f"{total:,} answers ({self.sent:,} asked for now), {faults.total():,} of them invalid"
            f"{f' ({told})' if told else ''}{counted}"
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
            finish(Session(coder, kept, client, deque(missing), advance).all())
    votes = {
        (item.key, run): coder.votes(item, kept.of(item.key, run)) for item in items for run in range(coder.config.runs)
    }
    after = sum(len(each) for each in kept.answers.values())
    return Coded(coder, votes, _tallies(coder, items, kept), after - before)


def _missing(coder: Coder, items: Sequence[Item], kept: Kept) -> list[Run]:
    # Run by run: if it breaks off, all inputs have their first answers.
    return [
        (item, run)
        for run in range(coder.config.runs)
        for item in items
        if not coder.settled(item, kept.of(item.key, run))
    ]


def _tallies(coder: Coder, items: Sequence[Item], kept: Kept) -> tuple[Tally, ...]:
    cells: dict[tuple[str, str], list[tuple[str, Reply]]] = {}
    for item in items:
        for run in range(coder.config.runs):
            for host, reply in kept.answers.get((item.key, run), []):
                fault = outcome(coder.read(item, reply))
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
    system = len(coder.system)
    limit = coder.config.characters
    sent = sum(
        system + len(item.text[:limit]) + len(item.title[:TITLE]) + len(item.parent[:PARENT]) + 80
        for item, _ in missing
    )
    return cost(coder.config, coder.task.things, len(items), sent, len(missing), len(coder.task.levels))
