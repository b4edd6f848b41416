"""Low-rank adapters: what tuning adds to frozen linear layers, small to keep and merged when loaded."""

from __future__ import annotations

import torch
from torch import Tensor, nn

ALPHA = 16.0


class Adapter(nn.Module):
    """A linear layer W that is read as W + (α / rank) B A, where only A and B are tuned (LoRA, Hu et al. 2021)."""

    def __init__(self, base: nn.Linear, rank: int) -> None:
        """Wrap `base`; B starts at zero, so that nothing changes before the first step."""
        super().__init__()
        self.base = base
        for parameter in base.parameters():
            parameter.requires_grad_(False)
        self.down = nn.Parameter(torch.empty(rank, base.in_features))
        self.up = nn.Parameter(torch.zeros(base.out_features, rank))
        nn.init.kaiming_uniform_(self.down, a=5**0.5)
        self.scale = ALPHA / rank

    def forward(self, hidden: Tensor) -> Tensor:
        """Return the layer's output with what the adapter adds."""
        return self.base(hidden) + (hidden @ self.down.T) @ self.up.T * self.scale

    @property
    def weight(self) -> Tensor:
        """The weight of the plain linear layer that gives the same output."""
        return self.base.weight + self.scale * self.up @ self.down

    @property
    def bias(self) -> Tensor:
        """The bias of it."""
        return self.base.bias

    def merged(self) -> nn.Linear:
        """Return the plain linear layer that gives the same output."""
        with torch.no_grad():
            self.base.weight.copy_(self.weight)
        return self.base


def adapt(module: nn.Module, rank: int) -> None:
    """Wrap every linear layer of a module, in place, and freeze all else."""
    for parameter in module.parameters():
        parameter.requires_grad_(False)
    for name, child in list(module.named_children()):
        if isinstance(child, nn.Linear):
            setattr(module, name, Adapter(child, rank))
        else:
            adapt(child, rank)


def merge(module: nn.Module) -> None:
    """Replace every adapter of a module by the plain layer that gives the same output, in place."""
    for name, child in list(module.named_children()):
        if isinstance(child, Adapter):
            setattr(module, name, child.merged())
        else:
            merge(child)
