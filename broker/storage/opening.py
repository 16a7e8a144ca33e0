"""From a URL to an engine."""

from pathlib import Path

from broker.storage.engine import Engine


def open_engine(url: str, data_dir: Path) -> Engine:
    """The engine of `sqlite:`, which is a file in `data_dir`, or of a `postgresql://` URL.

    Raises ValueError when the URL cannot be read, and what the engines raise. Only the driver that is used
    is imported.
    """
    data_dir.mkdir(parents=True, exist_ok=True, mode=0o700)
    if url == "sqlite:":
        from broker.storage.sqlite import SqliteEngine

        return SqliteEngine(data_dir)
    from broker.storage.postgres import PostgresEngine

    return PostgresEngine(url)
