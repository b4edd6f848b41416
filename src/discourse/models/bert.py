"""BERT (Devlin et al. 2019) as a torch module, its parts named as in the checkpoints that hubs hold.

The modules are what is tuned and exported; reading comments goes through `packed`. transformers has the same modules,
but takes longer to import than a thread takes to be read.
"""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path
from typing import Annotated, Any

import torch
from pydantic import BaseModel, ConfigDict, Field, ValidationError
from safetensors import SafetensorError
from safetensors.torch import load_file
from torch import Tensor, nn
from torch.nn import functional

from discourse.errors import BundleError

ACTIVATIONS: dict[str, Callable[[Tensor], Tensor]] = {"gelu": functional.gelu, "relu": functional.relu}

Share = Annotated[float, Field(ge=0, lt=1)]
Number = Annotated[int, Field(ge=1)]


class BertConfig(BaseModel):
    """What `config.json` of a checkpoint says of its shape; other keys are not looked at."""

    model_config = ConfigDict(frozen=True)

    vocab_size: Number
    hidden_size: Number
    num_hidden_layers: Number
    num_attention_heads: Number
    intermediate_size: Number
    max_position_embeddings: Number
    type_vocab_size: Number = 2
    pad_token_id: int = 0
    layer_norm_eps: float = 1e-12
    hidden_act: str = "gelu"
    hidden_dropout_prob: Share = 0.1
    attention_probs_dropout_prob: Share = 0.1


class Embeddings(nn.Module):
    """The sum of a vector for the word piece, its place and its segment, normalised."""

    def __init__(self, config: BertConfig) -> None:
        """Make tables of the sizes that `config` gives."""
        super().__init__()
        width = config.hidden_size
        self.word_embeddings = nn.Embedding(config.vocab_size, width, padding_idx=config.pad_token_id)
        self.position_embeddings = nn.Embedding(config.max_position_embeddings, width)
        self.token_type_embeddings = nn.Embedding(config.type_vocab_size, width)
        self.LayerNorm = nn.LayerNorm(width, eps=config.layer_norm_eps)
        self.dropout = nn.Dropout(config.hidden_dropout_prob)

    def forward(self, input_ids: Tensor, token_type_ids: Tensor) -> Tensor:
        """Return vectors, rows × tokens × width, of rows that begin at place 0."""
        places = torch.arange(input_ids.shape[1], device=input_ids.device)[None]
        found = self.word_embeddings(input_ids) + self.token_type_embeddings(token_type_ids)
        return self.dropout(self.LayerNorm(found + self.position_embeddings(places)))


class SelfAttention(nn.Module):
    """Scaled dot-product attention of several heads."""

    def __init__(self, config: BertConfig) -> None:
        """Make the three projections."""
        super().__init__()
        width = config.hidden_size
        self.heads, self.dropped = config.num_attention_heads, config.attention_probs_dropout_prob
        self.query, self.key, self.value = (nn.Linear(width, width) for _ in range(3))

    def forward(self, hidden: Tensor, attention: Tensor | None) -> Tensor:
        """Return what each token takes from the others, rows × tokens × width; `attention` is added to the scores."""
        rows, tokens, width = hidden.shape
        query, key, value = (
            linear(hidden).view(rows, tokens, self.heads, -1).transpose(1, 2)
            for linear in (self.query, self.key, self.value)
        )
        dropped = self.dropped if self.training else 0.0
        found = functional.scaled_dot_product_attention(query, key, value, attention, dropped)
        return found.transpose(1, 2).reshape(rows, tokens, width)


class Residual(nn.Module):
    """A linear step that is added to what came before it, then normalised."""

    def __init__(self, config: BertConfig, inputs: int) -> None:
        """Make the step from `inputs` numbers to the width."""
        super().__init__()
        self.dense = nn.Linear(inputs, config.hidden_size)
        self.LayerNorm = nn.LayerNorm(config.hidden_size, eps=config.layer_norm_eps)
        self.dropout = nn.Dropout(config.hidden_dropout_prob)

    def forward(self, hidden: Tensor, before: Tensor) -> Tensor:
        """Return the normalised sum."""
        return self.LayerNorm(self.dropout(self.dense(hidden)) + before)


class Attention(nn.Module):
    """Self-attention with its residual step."""

    def __init__(self, config: BertConfig) -> None:
        """Make both."""
        super().__init__()
        self.self = SelfAttention(config)
        self.output = Residual(config, config.hidden_size)


class Intermediate(nn.Module):
    """The step to the wide inner layer."""

    def __init__(self, config: BertConfig) -> None:
        """Make it."""
        super().__init__()
        self.dense = nn.Linear(config.hidden_size, config.intermediate_size)
        self.activation = ACTIVATIONS[config.hidden_act]

    def forward(self, hidden: Tensor) -> Tensor:
        """Return rows × tokens × the inner width."""
        return self.activation(self.dense(hidden))


class Layer(nn.Module):
    """Attention, then two linear steps with an activation between them."""

    def __init__(self, config: BertConfig) -> None:
        """Make the parts."""
        super().__init__()
        self.attention = Attention(config)
        self.intermediate = Intermediate(config)
        self.output = Residual(config, config.intermediate_size)

    def forward(self, hidden: Tensor, attention: Tensor | None = None) -> Tensor:
        """Return the next states, rows × tokens × width."""
        seen = self.attention.output(self.attention.self(hidden, attention), hidden)
        return self.output(self.intermediate(seen), seen)


class Layers(nn.Module):
    """All layers, lowest first."""

    def __init__(self, config: BertConfig) -> None:
        """Make them."""
        super().__init__()
        self.layer: Any = nn.ModuleList(Layer(config) for _ in range(config.num_hidden_layers))


class Bert(nn.Module):
    """Embeddings and layers, without a pooler."""

    def __init__(self, config: BertConfig) -> None:
        """Make the parts."""
        super().__init__()
        self.config = config
        self.embeddings = Embeddings(config)
        self.encoder = Layers(config)


def load_bert(folder: Path) -> Bert:
    """Read `config.json` and `model.safetensors` of a checkpoint, in single precision.

    Raises:
        BundleError: a file cannot be read, or is not of a BERT encoder that this module knows.
    """
    place = folder / "config.json"
    try:
        config = BertConfig.model_validate(json.loads(place.read_text(encoding="utf-8")))
    except (OSError, ValueError, ValidationError) as e:
        raise BundleError(f"{place}: does not describe a BERT encoder; choose another encoder") from e
    if config.hidden_act not in ACTIVATIONS or config.hidden_size % config.num_attention_heads:
        raise BundleError(f"{place}: describes another kind of BERT than this version reads; choose another encoder")
    weights = folder / "model.safetensors"
    try:
        found = {name.removeprefix("bert."): value.float() for name, value in load_file(str(weights)).items()}
        model = Bert(config)
        model.load_state_dict({name: found[name] for name in model.state_dict()}, assign=True)
    except (SafetensorError, OSError, KeyError, RuntimeError) as e:
        raise BundleError(f"{weights}: are not the weights of a BERT encoder; choose another encoder") from e
    return model.eval()
