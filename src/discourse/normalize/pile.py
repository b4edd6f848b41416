"""Numbers of many batches end to end: in memory while there is one batch only, else in a file."""

from __future__ import annotations

from dataclasses import dataclass, field
from pathlib import Path
from typing import Generic, TypeVar

import numpy as np
from numpy.typing import NDArray

N = TypeVar("N", bound=np.generic)


@dataclass(slots=True)
class Pile(Generic[N]):
    """Arrays of one dtype, laid end to end.

    Attributes:
        dtype: of the numbers.
        path: of the file, None to keep them in memory.
    """

    dtype: type[N]
    path: Path | None
    _held: list[NDArray[N]] = field(default_factory=list[NDArray[N]])

    def add(self, numbers: NDArray[N]) -> None:
        """Lay numbers behind those that are there."""
        if self.path is None:
            self._held.append(numbers.ravel())
            return
        self.path.parent.mkdir(parents=True, exist_ok=True)
        with self.path.open("ab") as file:
            numbers.tofile(file)

    def all(self) -> NDArray[N]:
        """Return all numbers in one dimension; those of a file are read where they are used."""
        if self.path is None:
            return np.concatenate([np.empty(0, dtype=self.dtype), *self._held])
        if not self.path.exists() or not self.path.stat().st_size:
            return np.empty(0, dtype=self.dtype)
        return np.memmap(self.path, dtype=self.dtype, mode="r")

    def remove(self) -> None:
        """Forget them."""
        self._held.clear()
        if self.path is not None:
            self.path.unlink(missing_ok=True)
