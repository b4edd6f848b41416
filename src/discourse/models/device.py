"""What reads comments: the processor in single precision, or a GPU, where there is one, in half precision."""

from __future__ import annotations

import copy
from dataclasses import dataclass
from typing import TypeVar

import torch
from torch import nn

M = TypeVar("M", bound=nn.Module)

# From Volta on a GPU multiplies half-precision matrices faster than single-precision ones.
HALF_FROM = (7, 0)


@dataclass(frozen=True, slots=True)
class Device:
    """Where tensors lie, as torch names it, and whether their numbers are of half precision."""

    name: str
    half: bool

    def __str__(self) -> str:
        """Return it in words, as it is recorded beside what was read."""
        return f"{self.name} {'fp16' if self.half else 'fp32'}"

    @property
    def dtype(self) -> torch.dtype:
        """The precision of weights and states."""
        return torch.float16 if self.half else torch.float32

    def placed(self, module: M) -> M:
        """Return a copy of the module on this device; on the processor in single precision the module itself."""
        return module if self == CPU else copy.deepcopy(module).to(self.name, self.dtype)


CPU = Device("cpu", half=False)


def device_for(capability: tuple[int, int] | None) -> Device:
    """Choose what reads.

    Half precision is used on GPUs alone: on processors it is emulated, and slower than single precision.

    Args:
        capability: CUDA compute capability of the GPU that this process may use; None where there is none.
    """
    return CPU if capability is None else Device("cuda", half=capability >= HALF_FROM)


def device_here() -> Device:
    """Choose what reads in this process; CUDA_VISIBLE_DEVICES="" keeps it off GPUs."""
    return device_for(torch.cuda.get_device_capability() if torch.cuda.is_available() else None)
