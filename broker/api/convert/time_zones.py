"""IANA time zones: which names are one."""

import re
from functools import lru_cache
from zoneinfo import ZoneInfo

_NAME = re.compile(r"[A-Za-z][A-Za-z0-9_+-]*(?:/[A-Za-z0-9_+-]+)*")
# What lies beside the zones in their directory: other ways of counting, and what this host is set to.
_NO_ZONES = re.compile(r"(?:posix|right)/.*|localtime|posixrules|Factory")


@lru_cache(maxsize=1024)
def is_time_zone(name: str) -> bool:
    """Whether there is a time zone of this name."""
    if not _NAME.fullmatch(name) or _NO_ZONES.fullmatch(name):
        return False
    try:
        ZoneInfo(name)
    except (KeyError, ValueError, OSError):  # a directory, or a file of something else, is no zone either
        return False
    return True
