"""What tests of several kinds stand on: a PostgreSQL of the session's own."""

import os
from collections.abc import Iterator

import pytest

from broker.testing.postgres_server import PostgresServer, find_binaries


@pytest.fixture(scope="session")
def postgres() -> Iterator[PostgresServer]:
    """A running server. Where PostgreSQL is not installed its tests are skipped, but never in CI."""
    binaries = find_binaries()
    if binaries is None:
        if os.environ.get("CI") == "true":
            pytest.fail("PostgreSQL's server is not installed")
        pytest.skip("PostgreSQL's server is not installed")
    with PostgresServer(binaries) as server:
        yield server
