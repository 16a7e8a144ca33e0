"""All checks, in the order in which they are told."""

import os
import time
from collections.abc import Iterator
from pathlib import Path

from broker.cli.doctor.certificate import check_tls
from broker.cli.doctor.clock import check_clock
from broker.cli.doctor.configuration import check_settings
from broker.cli.doctor.disk import check_space, check_sync
from broker.cli.doctor.findings import Finding
from broker.cli.doctor.permissions import check_admin_key, check_directory, check_pepper
from broker.cli.doctor.plugins import check_plugins
from broker.cli.doctor.ports import check_ports
from broker.cli.doctor.postgres import check_postgres
from broker.cli.doctor.sqlite import check_sqlite
from broker.cli.doctor.store import check_running, check_store, is_running
from broker.delivery.pepper import FILE_NAME as PEPPER
from broker.settings import Settings


def examine(
    config: Path | None, data_dir: Path | None, store: str | None = None, *, deep: bool
) -> Iterator[Finding]:
    """Each finding as soon as it is made. `store` is a URL that comes before that of the settings."""
    yield check_clock()
    finding, settings = check_settings(config, data_dir, store)
    yield finding
    place = _data_dir(settings, data_dir)
    if settings is None or settings.store.is_sqlite:
        running = is_running(place)
        yield from _check_data(place, running=running, deep=deep)
    else:
        yield from _check_permissions(place)
        found, running = check_postgres(settings.store.url.get_secret_value(), deep=deep)
        yield from found
    if settings is not None:
        yield from check_ports(settings.server, running=running)
        yield check_tls(settings.server, time.time())
    yield from check_plugins(settings)


def _check_data(data_dir: Path, *, running: bool, deep: bool) -> Iterator[Finding]:
    """A store that is a file of the data directory."""
    yield check_sqlite()
    yield check_running(data_dir, running=running)
    yield from _check_permissions(data_dir)
    yield check_space(data_dir)
    yield check_sync(data_dir)
    yield from check_store(data_dir, running=running, deep=deep)


def _check_permissions(data_dir: Path) -> Iterator[Finding]:
    yield check_directory(data_dir)
    yield from filter(None, (check_admin_key(data_dir), check_pepper(data_dir / PEPPER)))


def _data_dir(settings: Settings | None, data_dir: Path | None) -> Path:
    """Where the data is; without valid settings, where they would put it if they did not say."""
    if settings is not None:
        return settings.data_dir
    return data_dir or Path(os.environ.get("WAYPOST_DATA_DIR") or Settings.model_fields["data_dir"].default)
