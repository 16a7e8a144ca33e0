"""The server behind a URL: how it is reached, whether it is fit, and how its failures are named."""

import os
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Any

import psycopg
from psycopg import errors
from psycopg.conninfo import conninfo_to_dict
from psycopg.types.numeric import Int8Dumper

from broker.errors import BrokerError, ErrorReason
from broker.storage.engine import StoreUnfitError
from broker.storage.postgres.dialect import Statement
from broker.storage.transaction import Row

SERVER_VERSION_MIN = 140_000
"""PostgreSQL 14, as the server counts: the oldest that its makers still mended when this was written."""

CONNECT_S_MAX = 10
SILENCE_MS_MAX = 30_000
"""A connection whose bytes nobody confirms for so long is given up; its network or its host is gone."""

PREPARED_MAX = 1_000
"""More than there are statements, so that each is planned once a connection."""

RETRY_AFTER_S = 5

_ENCODED = (
    "in a user, a password or a path to a socket, other characters than letters and digits are written as %xx"
)

Bare = psycopg.Connection[Row]


class _TruthDumper(Int8Dumper):
    """A truth is 0 or 1, as it is stored."""

    def dump(self, obj: Any) -> bytes:
        return b"1" if obj else b"0"


@dataclass(frozen=True, slots=True)
class Server:
    """Where the store is. `parameters` may hold a password and go nowhere but to the driver."""

    parameters: Mapping[str, Any]
    place: str
    statements: Mapping[str, Statement]

    def connect(self) -> Bare:
        """A connection that is ready for the broker's statements. Raises psycopg.Error."""
        bare = psycopg.connect(**self.parameters, autocommit=True, cursor_factory=psycopg.RawCursor)
        try:
            bare.prepare_threshold, bare.prepared_max = None, PREPARED_MAX
            # The size of a number must not change a statement's type, or it is planned for each size.
            bare.adapters.register_dumper(int, Int8Dumper)
            bare.adapters.register_dumper(bool, _TruthDumper)
            self.ask(bare, "prepare_session")
        except BaseException:
            bare.close()
            raise
        return bare

    def ask(self, bare: Bare, name: str, /, **values: object) -> list[Row]:
        """Run one of the engine's own statements, and answer its rows."""
        statement = self.statements[name]
        cursor = bare.execute(statement.sql, statement.bind(values) or None, prepare=True)
        return cursor.fetchall() if cursor.description else []

    def examine(self, bare: Bare) -> None:
        """Raise StoreUnfitError where a store cannot be kept."""
        ((number, version, encoding, schema, replica),) = self.ask(bare, "examine_server")
        if number < SERVER_VERSION_MIN:
            raise StoreUnfitError(
                f"PostgreSQL {SERVER_VERSION_MIN // 10_000} or later is needed, not {version}"
            )
        if encoding != "UTF8":
            raise StoreUnfitError(f"the database's encoding has to be UTF8, not {encoding}")
        if schema is None:
            raise StoreUnfitError("the search_path names no schema that is there")
        if replica:
            raise StoreUnfitError("the server is a replica, which cannot be written; connect to its primary")


def server_at(url: str, statements: Mapping[str, Statement]) -> Server:
    """The server that a `postgresql://` URL names; what it does not say comes from libpq's own variables.

    Raises ValueError when it cannot be read; the message quotes nothing, since a URL can hold a password.
    """
    try:
        parameters = conninfo_to_dict(url)
    except psycopg.ProgrammingError:
        raise ValueError(f"is no URL that PostgreSQL's client can read; {_ENCODED}") from None
    # What stands between a password and these is easily taken for a part of them, and they are shown.
    port = str(parameters.get("port", ""))
    shown = f"{parameters.get('host', '')}{parameters.get('dbname', '')}"
    if "@" in shown or (port and not port.replace(",", "").isdigit()):
        raise ValueError(f"has an impossible host, port or database; {_ENCODED}")
    defaults = {
        "application_name": "waypost",
        "connect_timeout": CONNECT_S_MAX,
        "keepalives_idle": 10,
        "keepalives_interval": 5,
        "keepalives_count": 4,
        "tcp_user_timeout": SILENCE_MS_MAX,
    }
    return Server(defaults | parameters | {"client_encoding": "UTF8"}, _place(parameters), statements)


def _place(parameters: Mapping[str, Any]) -> str:
    host = parameters.get("host") or os.environ.get("PGHOST") or "the local socket"
    port = parameters.get("port") or os.environ.get("PGPORT") or 5432
    database = parameters.get("dbname") or os.environ.get("PGDATABASE")
    return f"PostgreSQL at {host}:{port}" + (f"/{database}" if database else "")


@contextmanager
def failures_named() -> Iterator[None]:
    """Turn what a server or a network can do to us into the broker's own refusal; the rest is a defect."""
    try:
        yield
    except (psycopg.OperationalError, errors.ReadOnlySqlTransaction) as error:
        raise BrokerError(
            ErrorReason.STORE_UNAVAILABLE,
            f"the store failed: {described(error)}",
            retry_after_s=RETRY_AFTER_S,
        ) from error


def described(error: psycopg.Error) -> str:
    """What a failure says without its details: those may quote a row."""
    said = error.diag.message_primary or str(error).splitlines()[0]
    return f"{error.sqlstate}: {said}" if error.sqlstate else said
