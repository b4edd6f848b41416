"""The `[judge]` section of `discourse.toml`: an outside language model that codes comments."""

from __future__ import annotations

from typing import Annotated, Any, Literal

from pydantic import AfterValidator, Field

from discourse.config_section import Section, Words


def _printable(value: str | None) -> str | None:
    if value is not None and not (value.isprintable() and value.strip()):
        raise ValueError("a name is of printable characters")
    return value


def _own_fields(body: dict[str, Any]) -> dict[str, Any]:
    taken = sorted({"model", "messages", "stream", "seed"} & set(body))
    if taken:
        raise ValueError(f"{taken[0]} is set by discourse itself")
    return body


class JudgeConfig(Section):
    """An outside language model that codes comments by the codebook (`tagger = "openai-compatible"`).

    Its address and key come from the environment alone: OPENAI_BASE_URL, OPENAI_API_KEY.
    """

    model: Annotated[
        str | None, Field(max_length=200, description="as the server names it"), AfterValidator(_printable)
    ] = None
    runs: Annotated[int, Field(ge=1, le=99, description="answers asked for each comment; the majority counts")] = 3
    sample: Annotated[int, Field(ge=1, description="comments that `annotate judge` draws")] = 200
    languages: Annotated[Words, Field(description="that the model reads; none: those of the frames bundle")] = ()
    temperature: Annotated[float, Field(ge=0, le=2)] | Literal["server"] = 0.7
    max_tokens: Annotated[int, Field(ge=1, description="of one answer")] | Literal["server"] = 1_000
    form: Annotated[
        Literal["none", "json_object", "json_schema"],
        Field(description="the response_format that is asked for, where the server knows it"),
    ] = "none"
    body: Annotated[dict[str, Any], AfterValidator(_own_fields)] = Field(
        default_factory=dict[str, Any], description="further fields of each request, as your server takes them"
    )
    retries: Annotated[int, Field(ge=0, le=9, description="times that an invalid answer is asked for again")] = 2
    timeout: Annotated[float, Field(gt=0, description="seconds for one answer")] = 120.0
    concurrency: Annotated[int, Field(ge=1, le=64, description="requests at once")] = 4
    characters: Annotated[int, Field(ge=200, description="of a comment that are sent; the rest is cut off")] = 8_000
    max_comments: Annotated[int, Field(ge=1, description="more comments than this are refused")] = 10_000
    max_requests: Annotated[int, Field(ge=0, description="more requests than this need --yes")] = 1_000
    max_cost: Annotated[float, Field(ge=0, description="a higher estimate than this needs --yes")] = 1.0
    price_in: Annotated[float | None, Field(ge=0, description="of a million tokens sent, in your currency")] = None
    price_out: Annotated[float | None, Field(ge=0, description="of a million tokens answered")] = None
