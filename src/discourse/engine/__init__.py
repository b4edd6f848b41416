"""Where shards are worked on: here, one after another, or by the workers of a Ray cluster; the work is the same."""

from __future__ import annotations

from collections.abc import Generator
from contextlib import contextmanager
from importlib.util import find_spec
from pathlib import Path

from discourse.config import Config
from discourse.engine.work import LOCAL, Engine, Local, Work
from discourse.errors import UsageError

__all__ = ["LOCAL", "Engine", "Local", "Work", "check", "open_engine"]


@contextmanager
def open_engine(config: Config, root: Path) -> Generator[Engine]:
    """Yield the engine that the configuration asks for; its processes are gone when the block ends.

    Args:
        config: `engine` and `[ray]`.
        root: the workspace folder, which every worker must see under the same path.

    Raises:
        UsageError: the engine is not installed.
    """
    check(config)
    if config.engine == "local":
        yield LOCAL
        return
    from discourse.engine.ray import Ray

    with Ray(config.ray, root) as engine:
        yield engine


def check(config: Config) -> None:
    """Refuse an engine that is not installed.

    Raises:
        UsageError: the sentence says how to install it.
    """
    if config.engine == "ray" and find_spec("ray") is None:
        raise UsageError('engine = "ray" needs Ray, which is not installed: pip install "ray[data]>=2.46,<2.64"')
