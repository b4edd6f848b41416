"""Who codes: a model, a task, a prompt and settings; and what its answers say."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Protocol

from discourse.config_judge import JudgeConfig
from discourse.errors import UsageError
from discourse.models.judge.answers import FINAL, Invalid, Reply, Vote, Votes, outcome, read_answer
from discourse.models.judge.prompt import (
    Item,
    Questions,
    message_id,
    prompt_hash,
    request,
    schema,
    system_text,
    user_text,
)


class Task(Protocol):
    """What is asked about every input, and how an answer is read."""

    @property
    def things(self) -> str:
        """What inputs are, such as `comments`."""
        ...

    @property
    def levels(self) -> list[tuple[str, str]]:
        """What every answer must have."""
        ...

    def read(self, reply: Reply, mark: str, text: str) -> Votes:
        """Read one answer, see `read_answer`."""
        ...


@dataclass(frozen=True, slots=True)
class CodingTask:
    """To code comments."""

    questions: Questions

    @property
    def things(self) -> str:
        """Return comments."""
        return "comments"

    @property
    def levels(self) -> list[tuple[str, str]]:
        """Kind and name of all frames and targets."""
        return self.questions.levels

    def read(self, reply: Reply, mark: str, text: str) -> Votes:
        """Read one answer, see `read_answer`."""
        return read_answer(reply, self.questions, mark, text)


@dataclass(frozen=True, slots=True)
class Coder:
    """A model with a prompt and settings: what makes answers comparable.

    questions: asked about comments. task: what is asked at all. system: the instructions. body: the fields that all
    requests have in common. prompt: SHA-256 of all that decides an answer, but for the input and the run.
    """

    config: JudgeConfig
    questions: Questions
    seed: int
    task: Task
    system: str
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

    def message(self, item: Item) -> str:
        """Return the message that asks about one input."""
        return user_text(item, message_id(self.prompt, item), self.config.characters)

    def read(self, item: Item, reply: Reply) -> Votes:
        """Read one answer about one input."""
        return self.task.read(reply, message_id(self.prompt, item), item.text[: self.config.characters])

    def votes(self, item: Item, replies: Sequence[Reply]) -> Votes:
        """Return one run's votes: of each level the first valid one, else why the last attempt has none."""
        found: Votes = dict.fromkeys(self.task.levels, Invalid.NO_ANSWER)
        for reply in replies:
            for level, vote in self.read(item, reply).items():
                if not isinstance(found[level], Vote):
                    found[level] = vote
        return found

    def settled(self, item: Item, replies: Sequence[Reply]) -> bool:
        """Tell whether nothing more is asked: all levels have a vote, or there is no point in trying on."""
        if len(replies) > self.config.retries or (replies and replies[-1].fault in FINAL):
            return True
        return bool(replies) and outcome(self.votes(item, replies)) is None


def coder_of(config: JudgeConfig, questions: Questions, seed: int) -> Coder:
    """Return the coder of comments that a configuration asks for.

    Raises:
        UsageError: no model is named.
    """
    return coder_for(config, questions, seed, CodingTask(questions), system_text(questions), schema(questions))


def coder_for(
    config: JudgeConfig, questions: Questions, seed: int, task: Task, system: str, form: Mapping[str, Any]
) -> Coder:
    """Return a coder with a task of its own.

    Args:
        config: model and settings.
        questions: about comments; without frames and targets where the task is another.
        seed: of the runs.
        task: what is asked.
        system: the instructions.
        form: JSON schema of an answer.

    Raises:
        UsageError: no model is named.
    """
    if not config.model:
        raise UsageError(
            "[judge] model: name the model of the external coder as its server does, such as --set "
            'judge.model="qwen2.5-7b-instruct"'
        )
    body = request(config, system, form)
    return Coder(config, questions, seed, task, system, body, prompt_hash(body, seed, config.characters))
