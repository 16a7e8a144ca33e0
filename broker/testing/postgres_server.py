"""A private PostgreSQL server for tests, from the binaries that the host has installed.

It keeps everything in a directory of its own that goes with it, listens on this host alone, and forgets
everything when the host fails: it never syncs, so that tests are fast.
"""

import os
import pwd
import secrets
import shutil
import socket
import subprocess
import tempfile
import time
from collections.abc import Mapping
from pathlib import Path
from types import TracebackType
from typing import Any, Self
from urllib.parse import quote

import psycopg
from psycopg import sql

START_S_MAX = 30
STOP_S_MAX = 30
USER = "waypost"
UNPRIVILEGED = ("postgres", "nobody")
"""PostgreSQL does not run as root; one of these runs it then."""

FAST = ("fsync=off", "full_page_writes=off", "autovacuum=off", "max_connections=200", "shared_buffers=64MB")


def find_binaries() -> Path | None:
    """The directory with the server's programs, of the newest version; None where there is none."""
    found = [path.parent for path in Path("/usr/lib/postgresql").glob("*/bin/initdb")]
    if found:
        return max(found, key=lambda path: int(path.parent.name))
    initdb = shutil.which("initdb")
    return Path(initdb).parent if initdb else None


class PostgresServer:
    """Runs for as long as the block does; `password` is needed over TCP."""

    def __init__(self, binaries: Path) -> None:
        self._binaries = binaries
        self._directory = Path(tempfile.mkdtemp(prefix="waypost-pg-"))
        self._owner = _owner()
        self._process: subprocess.Popen[bytes] | None = None
        self.password = secrets.token_urlsafe(12)
        self.port = 0

    def __enter__(self) -> Self:
        try:
            self._initialise()
            self.start()
        except BaseException:
            self._remove()
            raise
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        self.stop()
        self._remove()

    @property
    def log(self) -> str:
        """What the server wrote."""
        return (self._directory / "log").read_text(encoding="utf-8", errors="replace")

    def url(self, store: str, *, port: int | None = None) -> str:
        """The URL of a store by name, over TCP, in a schema of its own that is made now unless it is there."""
        with self.connect() as connection:
            connection.execute(sql.SQL("CREATE SCHEMA IF NOT EXISTS {}").format(sql.Identifier(store)))
        options = quote(f"-csearch_path={store}")
        place = f"127.0.0.1:{port or self.port}/postgres"
        return f"postgresql://{USER}:{quote(self.password)}@{place}?options={options}"

    def connect(self) -> psycopg.Connection[tuple[Any, ...]]:
        """A connection of an administrator's, past every proxy."""
        return psycopg.connect(
            host=str(self._directory), port=self.port, user=USER, dbname="postgres", autocommit=True
        )

    def start(self) -> None:
        """Start it, on the port that it had before, and wait until it answers."""
        self.port = self.port or _free_port()
        options = {
            **dict(each.split("=") for each in FAST),
            "listen_addresses": "127.0.0.1",
            "port": str(self.port),
            "unix_socket_directories": str(self._directory),
        }
        arguments = [argument for name, value in options.items() for argument in ("-c", f"{name}={value}")]
        with (self._directory / "log").open("ab") as log:
            self._process = subprocess.Popen(  # noqa: S603 - PostgreSQL's own
                [self._binaries / "postgres", "-D", self._directory / "data", *arguments],
                stdout=log,
                stderr=log,
                cwd=self._directory,
                **self._owner,
            )
        deadline = time.monotonic() + START_S_MAX
        while True:
            try:
                self.connect().close()
            except psycopg.OperationalError:
                if self._process.poll() is not None or time.monotonic() > deadline:
                    raise RuntimeError(f"PostgreSQL did not start:\n{self.log}") from None
                time.sleep(0.05)
            else:
                return

    def stop(self) -> None:
        """Stop it; whoever is connected is thrown out."""
        if self._process is not None:
            process, self._process = self._process, None
            process.send_signal(2)  # SIGINT: a fast shutdown
            process.wait(STOP_S_MAX)

    def _initialise(self) -> None:
        password = self._directory / "password"
        password.write_text(self.password, encoding="ascii")
        if "user" in self._owner:
            for path in (self._directory, password):
                os.chown(path, self._owner["user"], self._owner["group"])
        command = [f"{self._binaries}/initdb", "-D", f"{self._directory}/data", "-U", USER, "--no-sync"]
        command += ["--encoding=UTF8", "--locale=C", f"--pwfile={password}"]
        command += ["--auth-local=trust", "--auth-host=scram-sha-256"]
        done = subprocess.run(  # noqa: S603 - PostgreSQL's own
            command, capture_output=True, text=True, check=False, cwd=self._directory, **self._owner
        )
        if done.returncode != 0:
            raise RuntimeError(f"initdb failed: {done.stderr}")

    def _remove(self) -> None:
        shutil.rmtree(self._directory, ignore_errors=True)


def _owner() -> Mapping[str, Any]:
    """Who runs the server, in the words of subprocess: ourselves, unless we are root."""
    if os.getuid() != 0:
        return {}
    users = {each.pw_name: each for each in pwd.getpwall()}
    for name in UNPRIVILEGED:
        if name in users:
            return {"user": users[name].pw_uid, "group": users[name].pw_gid, "extra_groups": []}
    raise RuntimeError(f"PostgreSQL does not run as root, and there is no user {' or '.join(UNPRIVILEGED)}")


def _free_port() -> int:
    with socket.socket() as listener:
        listener.bind(("127.0.0.1", 0))
        port: int = listener.getsockname()[1]
        return port
