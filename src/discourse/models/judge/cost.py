"""What a coding will cost, said before the first request; above a limit only with a yes."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

from discourse.config_judge import JudgeConfig
from discourse.errors import UsageError
from discourse.progress import say

# English text has about four characters to a token; other languages and small vocabularies have fewer.
CHARACTERS_PER_TOKEN = 3.5
TOKENS_PER_LEVEL = 35
TOKENS_PER_ANSWER = 20

Agreed = Callable[[str], bool]  # asks the user; the text ends without a question mark


def never(question: str) -> bool:
    """Agree to nothing: what is done where nobody can be asked."""
    del question
    return False


@dataclass(frozen=True, slots=True)
class Cost:
    """What is about to be sent: how many inputs in how many requests, tokens, and money where prices are known.

    inputs: different comments (or topics) with their context; called `things` in the sentence.
    """

    model: str
    things: str
    inputs: int
    runs: int
    requests: int
    tokens_in: int
    tokens_out: int
    money: float | None

    @property
    def sentence(self) -> str:
        """Say it in one sentence without a full stop."""
        money = (
            f"about {self.money:,.2f} in the currency of your prices"
            if self.money is not None
            else ("no price is known ([judge] price_in, price_out)")
        )
        return (
            f"external coder {self.model}: {self.inputs:,} {self.things} × {self.runs} runs, {self.requests:,} "
            f"requests still to send, about {self.tokens_in:,} tokens sent and {self.tokens_out:,} answered, {money}"
        )

    def above(self, config: JudgeConfig) -> str | None:
        """Return which limit it is above, if any."""
        if self.requests > config.max_requests:
            return f"more than [judge] max_requests = {config.max_requests:,}"
        if self.money is not None and self.money > config.max_cost:
            return f"more than [judge] max_cost = {config.max_cost:g}"
        return None


def cost(config: JudgeConfig, things: str, inputs: int, characters: int, requests: int, levels: int) -> Cost:
    """Estimate a coding.

    Args:
        config: model, runs and prices.
        things: what the inputs are, such as `comments`.
        inputs: how many.
        characters: sent in all requests together, instructions included.
        requests: still to be sent, if every answer is valid.
        levels: answered in each.
    """
    sent = round(characters / CHARACTERS_PER_TOKEN)
    answered = requests * (TOKENS_PER_ANSWER + TOKENS_PER_LEVEL * levels)
    prices = (config.price_in, config.price_out)
    money = None
    if any(price is not None for price in prices):
        money = (sent * (config.price_in or 0) + answered * (config.price_out or 0)) / 1e6
    return Cost(str(config.model), things, inputs, config.runs, requests, sent, answered, money)


def agree(found: Cost, config: JudgeConfig, agreed: Agreed) -> None:
    """Say what is about to be sent, and ask above the limits.

    Raises:
        UsageError: it is above a limit, and nobody said yes.
    """
    say(f"  {found.sentence}")
    why = found.above(config)
    if why is not None and not agreed(f"that is {why}; send it all the same"):
        raise UsageError(
            f"{found.sentence}: {why}; add --yes to send them, raise the limit, or have a sample labelled instead "
            "(discourse annotate judge WS --sample 200)"
        )
