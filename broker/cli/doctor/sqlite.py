"""The SQLite library in this process."""

import apsw

from broker.cli.doctor.findings import Finding, fail, ok
from broker.storage.engine import StoreUnfitError
from broker.storage.sqlite import check_sqlite_version


def check_sqlite() -> Finding:
    """Whether it can be trusted with the store."""
    return judge_sqlite(apsw.sqlite_lib_version())


def judge_sqlite(version: str) -> Finding:
    """The same rule that the broker starts by."""
    try:
        check_sqlite_version(version)
    except StoreUnfitError as error:
        return fail("sqlite", str(error), "upgrade: pip install --upgrade apsw")
    return ok("sqlite", f"SQLite {version}")
