"""The store: whether a broker has it open, its schema, its size, and on request its integrity."""

import fcntl
import os
from collections.abc import Mapping, Sequence
from contextlib import closing
from dataclasses import dataclass
from pathlib import Path

import apsw

from broker.cli.doctor.findings import Finding, fail, ok, shown_bytes, warn
from broker.storage.migrate import Migration, load_migrations
from broker.storage.sqlite import SqliteConnection
from broker.storage.sqlite_statements import SqliteStatements
from broker.storage.statements import load_statements

WAL_BYTES_MAX = 1_000_000_000
BUSY_TIMEOUT_MS = 5_000
_RESTORE = "stop the broker and restore a backup"


@dataclass(frozen=True, slots=True)
class Contents:
    """What was read from a store: checksums by number of migration, and what a quick check complained of."""

    applied: Mapping[int, str]
    complaints: Sequence[str] = ()


def is_running(data_dir: Path) -> bool:
    """Whether a broker holds the lock of the data directory. It is asked for and let go at once."""
    try:
        descriptor = os.open(data_dir / "waypost.lock", os.O_RDONLY | os.O_CLOEXEC)
    except OSError:
        return False
    try:
        fcntl.flock(descriptor, fcntl.LOCK_SH | fcntl.LOCK_NB)
    except BlockingIOError:
        return True
    else:
        return False
    finally:
        os.close(descriptor)


def check_running(data_dir: Path, *, running: bool) -> Finding:
    """A note: what follows was seen beside a running broker, or without one."""
    said = "a broker is running on" if running else "no broker is running on"
    return ok("broker", f"{said} {data_dir}")


def check_store(data_dir: Path, *, running: bool, deep: bool) -> list[Finding]:
    """Its schema, its size, and with `deep` its integrity."""
    path = data_dir / "waypost.db"
    try:
        size, wal_size = path.stat().st_size, _size_or_none(Path(f"{path}-wal"))
    except FileNotFoundError:
        return [ok("store", f"{path}: not there yet, the broker makes it")]
    except OSError as error:
        return [fail("store", f"{path}: {error.strerror}", "run this as the broker's user")]
    if size == 0:
        return [ok("store", f"{path}: empty, the broker fills it")]
    # Without a WAL nobody writes, and a store that is opened as immutable gets no new files beside it.
    immutable = not running and wal_size is None
    try:
        contents = read_store(path, immutable=immutable, deep=deep)
    except apsw.Error as error:
        return [fail("store", f"{path} cannot be read: {error}", _RESTORE)]
    found = [judge_schema(contents.applied, load_migrations()), judge_size(size, wal_size or 0)]
    return [*found, judge_integrity(contents.complaints)] if deep else found


def read_store(path: Path, *, immutable: bool, deep: bool) -> Contents:
    """Read it without ever writing to it. Raises apsw.Error when it is no store, or a damaged one."""
    uri = f"{path.absolute().as_uri()}?mode=ro{'&immutable=1' if immutable else ''}"
    flags = apsw.SQLITE_OPEN_READONLY | apsw.SQLITE_OPEN_URI
    with closing(apsw.Connection(uri, flags=flags)) as bare:
        bare.set_busy_timeout(BUSY_TIMEOUT_MS)
        rows = SqliteConnection(bare, SqliteStatements(load_statements())).read(
            lambda tx: tx.all("applied_migrations")
        )
        complaints = [str(row[0]) for row in bare.execute("PRAGMA quick_check(10)")] if deep else []
    return Contents({row[0]: row[1] for row in rows}, complaints)


def judge_schema(applied: Mapping[int, str], known: Sequence[Migration]) -> Finding:
    """Whether this version can go on from it."""
    if unknown := applied.keys() - {each.number for each in known}:
        detail = f"schema {max(unknown)} is of a newer version of Waypost"
        return fail("store", detail, "run that version, or restore a backup from before the upgrade")
    changed = [each.number for each in known if applied.get(each.number, each.checksum) != each.checksum]
    if changed:
        detail = f"schema {changed[0]} is not the one that this version makes"
        return fail("store", detail, "run the version that made the store")
    waiting = len(known) - len(applied)
    if waiting:
        return ok("store", f"schema {max(applied, default=0)}; the next start brings it up by {waiting}")
    return ok("store", f"schema {max(applied, default=0)}, current")


def judge_size(size: int, wal_size: int) -> Finding:
    """The database and what was not moved into it yet."""
    detail = f"{shown_bytes(size)}, and {shown_bytes(wal_size)} of WAL"
    if wal_size > WAL_BYTES_MAX:
        return warn("store size", detail, "something holds an old snapshot: close other readers, or restart")
    return ok("store size", detail)


def judge_integrity(complaints: Sequence[str]) -> Finding:
    """What SQLite's quick check says; it answers "ok", or what is wrong."""
    if list(complaints) == ["ok"]:
        return ok("integrity", "quick check passed")
    return fail("integrity", "; ".join(complaints) or "quick check gave no answer", _RESTORE)


def _size_or_none(path: Path) -> int | None:
    try:
        return path.stat().st_size
    except FileNotFoundError:
        return None
