"""`waypost serve`: command line → settings → a running broker."""

import gc
from pathlib import Path
from typing import Annotated, Any

import typer

from broker.cli.exit_codes import ExitCode
from broker.cli.failures import CommandFailed, UsageError

EPHEMERAL_LISTEN = "127.0.0.1:0"
"""A free port, so that an ephemeral broker never stands in the way of another."""


def serve(
    data_dir: Annotated[
        Path | None, typer.Option(metavar="DIR", help="Where everything is kept. (waypost-data by default)")
    ] = None,
    listen: Annotated[
        str | None,
        typer.Option(metavar="HOST:PORT", help="gRPC; port 0 picks a free one. (127.0.0.1:7070 by default)"),
    ] = None,
    http_listen: Annotated[
        str | None,
        typer.Option(metavar="HOST:PORT", help="Health and metrics over HTTP. (nowhere by default)"),
    ] = None,
    config: Annotated[Path | None, typer.Option(metavar="FILE", help="Settings as TOML.")] = None,
    store: Annotated[
        str | None,
        typer.Option(
            metavar="URL",
            help="The store: sqlite: is a file in the data directory, or postgresql://user@host/database.",
        ),
    ] = None,
    allow_plaintext: Annotated[
        bool, typer.Option("--allow-plaintext", help="Serve other hosts without TLS.")
    ] = False,
    ephemeral: Annotated[
        bool,
        typer.Option(
            "--ephemeral",
            help="Keep everything in a temporary directory that is removed at the end, on a free port.",
        ),
    ] = False,
    json: Annotated[
        bool, typer.Option("--json", help="Say that it is ready as one JSON line on stdout; log as JSON.")
    ] = False,
) -> int:
    """Run the broker until SIGTERM or Ctrl-C.

    Without any options it serves this host on port 7070, keeps its data in
    ./waypost-data, sends through the sandbox provider, and on the first start
    prints an admin key.

    Exit codes: 0 stopped as asked, 1 could not start, 2 settings.
    """
    if ephemeral:
        if data_dir is not None:
            raise UsageError("--ephemeral removes its data, --data-dir keeps it; give one")
        listen = listen or EPHEMERAL_LISTEN
        overrides = _overrides(None, listen, http_listen, store, allow_plaintext=allow_plaintext)
        return _run_ephemeral(config, overrides, json=json)
    overrides = _overrides(data_dir, listen, http_listen, store, allow_plaintext=allow_plaintext)
    return _run(config, overrides, json=json)


def _run_ephemeral(config: Path | None, overrides: dict[str, Any], *, json: bool) -> int:
    """A broker whose data is gone with it; to people that is said before the lines that it is ready."""
    from broker.cli.ephemeral import ephemeral_directory

    with ephemeral_directory() as directory:
        if not json:
            print(f"Ephemeral: {directory} is removed when the broker stops", flush=True)
        return _run(config, {**overrides, "data_dir": directory}, json=json, ephemeral=True)


def _overrides(
    data_dir: Path | None,
    listen: str | None,
    http_listen: str | None,
    store: str | None,
    *,
    allow_plaintext: bool,
) -> dict[str, Any]:
    """The options that were given, in the places that the settings have for them."""
    server = {"listen": listen, "http_listen": http_listen, "allow_plaintext": allow_plaintext or None}
    given: dict[str, Any] = {
        "data_dir": data_dir,
        "server": {name: value for name, value in server.items() if value is not None} or None,
        "store": None if store is None else {"url": store},
    }
    return {name: value for name, value in given.items() if value is not None}


def _run(config: Path | None, overrides: dict[str, Any], *, json: bool, ephemeral: bool = False) -> int:
    gc.disable()  # imports make next to none, and looking for it takes a tenth of their time; `run` enables it again
    from broker import app
    from broker.errors import BrokerError
    from broker.plugins import PluginError
    from broker.settings import SettingsError, load_settings
    from broker.storage.engine import StoreLockedError, StoreUnfitError
    from broker.storage.migrate import MigrationError

    try:
        settings = load_settings(config, overrides)
        if ephemeral and not settings.store.is_sqlite:
            raise UsageError("--ephemeral removes its data, and the store's URL names a database that stays")
        return app.run(settings, json=json)
    except SettingsError as error:
        raise UsageError(str(error)) from error
    except BrokerError as error:
        raise CommandFailed(error.message, ExitCode.REFUSED) from error
    except (PluginError, StoreLockedError, StoreUnfitError, MigrationError, OSError) as error:
        raise CommandFailed(str(error), ExitCode.REFUSED) from error
