"""Real comment servers on loopback, each started once for all tests of this folder."""

from __future__ import annotations

from collections.abc import Iterator

import pytest
from tests.servers.isso import Isso, isso
from tests.servers.wordpress import WordPress, wordpress
from tests.servers.xtd import Xtd, xtd


@pytest.fixture(scope="session")
def isso_server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Isso]:
    """An Isso server with a moderated thread."""
    with isso(tmp_path_factory.mktemp("isso")) as server:
        yield server


@pytest.fixture(scope="session")
def xtd_server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Xtd]:
    """A Django site with django-comments-xtd."""
    with xtd(tmp_path_factory.mktemp("xtd")) as server:
        yield server


@pytest.fixture(scope="session")
def wordpress_server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[WordPress]:
    """A WordPress site with one post."""
    with wordpress(tmp_path_factory.mktemp("wordpress")) as server:
        yield server
