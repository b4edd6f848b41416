"""A folder that appears whole or not at all, for bundles and exports."""

from __future__ import annotations

import tempfile
from collections.abc import Generator
from contextlib import contextmanager
from pathlib import Path

from discourse.errors import BundleError


def check_new(output: Path) -> None:
    """Check that nothing stands where a folder is to be made.

    Raises:
        BundleError: something does.
    """
    if output.exists() or output.is_symlink():
        raise BundleError(f"{output}: exists; bundles are never written over: remove it or choose another -o")


@contextmanager
def new_folder(output: Path) -> Generator[Path]:
    """Yield an empty folder that becomes `output` when the block ends well; else, also on Ctrl-C, nothing is left.

    Raises:
        BundleError: `output` exists, or the disk is full or cannot be written to.
    """
    from safetensors import SafetensorError

    check_new(output)
    try:
        output.parent.mkdir(parents=True, exist_ok=True)
        with tempfile.TemporaryDirectory(prefix=".partial-bundle-", dir=output.parent) as partial:
            folder = Path(partial) / "bundle"
            folder.mkdir()
            yield folder
            check_new(output)
            folder.rename(output)
    except OSError as e:
        raise BundleError(f"{output}: cannot be written ({e.strerror or e}); free space or choose another -o") from e
    except SafetensorError as e:
        # What the library says where weights cannot be written; damaged files are told where they are read.
        raise BundleError(f"{output}: weights cannot be written ({e}); free space or choose another -o") from e
