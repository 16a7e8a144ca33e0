"""Who may read the data directory and the admin key."""

import os
import stat
from pathlib import Path

from broker.cli.doctor.findings import Finding, fail, ok, warn

_OTHERS_READ = 0o077
_OTHERS_WRITE = 0o022


def check_directory(data_dir: Path) -> Finding:
    """The data directory, if it is there."""
    try:
        mode = data_dir.stat().st_mode
    except FileNotFoundError:
        return ok("data dir", f"{data_dir}: not there yet, the broker makes it")
    except OSError as error:
        return fail("data dir", f"{data_dir}: {error.strerror}", "let the broker's user in")
    return judge_directory(data_dir, mode, usable=os.access(data_dir, os.R_OK | os.W_OK | os.X_OK))


def judge_directory(data_dir: Path, mode: int, *, usable: bool) -> Finding:
    """It is the broker's alone. `usable` is whether this user can read and write it."""
    shown = f"{data_dir}: mode {stat.S_IMODE(mode):04o}"
    if not stat.S_ISDIR(mode):
        return fail("data dir", f"{data_dir}: not a directory", "choose another --data-dir")
    if not usable:
        advice = "run the broker, and this, as the user that it belongs to"
        return fail("data dir", f"{shown}, not writable by this user", advice)
    if mode & _OTHERS_WRITE:
        return fail("data dir", f"{shown}, others may write", f"chmod 700 {data_dir}")
    if mode & _OTHERS_READ:
        return warn("data dir", f"{shown}, others may look in", f"chmod 700 {data_dir}")
    return ok("data dir", shown)


def check_admin_key(data_dir: Path) -> Finding | None:
    """The first admin key, if it is still kept there."""
    path = data_dir / "admin.key"
    try:
        mode = path.stat().st_mode
    except FileNotFoundError:
        return None
    except OSError as error:
        return warn("admin key", f"{path}: {error.strerror}", "run this as the broker's user")
    return judge_admin_key(path, mode)


def judge_admin_key(path: Path, mode: int) -> Finding:
    """Whoever reads it can send in everybody's name."""
    shown = f"{path}: mode {stat.S_IMODE(mode):04o}"
    if mode & _OTHERS_READ:
        return fail("admin key", f"{shown}, others may use it", f"chmod 600 {path}")
    return ok("admin key", shown)
