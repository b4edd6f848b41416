"""Where the cluster is."""

from __future__ import annotations

import os

from discourse.config import RayConfig


def address_of(config: RayConfig) -> str:
    """Return the address of an existing cluster, from `[ray] address` or RAY_ADDRESS; empty: one is started."""
    address = config.address or os.environ.get("RAY_ADDRESS", "")
    return "" if address == "local" else address
