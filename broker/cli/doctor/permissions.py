"""Who may read the data directory, the admin key, and the pepper of all keys."""

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
    return _check_secret("admin key", data_dir / "admin.key")


def check_pepper(path: Path) -> Finding | None:
    """The secret that the hashes of keys are made with, once the broker was started."""
    return _check_secret("pepper", path)


def judge_secret(name: str, path: Path, mode: int) -> Finding:
    """Whoever reads it can send in everybody's name, or try to."""
    shown = f"{path}: mode {stat.S_IMODE(mode):04o}"
    if mode & _OTHERS_READ:
        return fail(name, f"{shown}, others may use it", f"chmod 600 {path}")
    return ok(name, shown)


def _check_secret(name: str, path: Path) -> Finding | None:
    try:
        mode = path.stat().st_mode
    except FileNotFoundError:
        return None
    except OSError as error:
        return warn(name, f"{path}: {error.strerror}", "run this as the broker's user")
    return judge_secret(name, path, mode)
