"""What a start opens and looks at before anything is wired: the store, the pepper of keys, the routes in the settings."""

import secrets

import structlog

from broker.clock import SystemClock
from broker.delivery.pepper import BYTES, FILE_NAME, found_or_drawn_pepper, read_pepper
from broker.delivery.registry import Registry
from broker.domain.routes import Route, violations_of
from broker.settings import Settings, SettingsError
from broker.storage.engine import Engine
from broker.storage.keeping import Boot, boot
from broker.storage.migrate import load_migrations, migrate
from broker.storage.opening import open_engine

log = structlog.get_logger("waypost")


def open_store(settings: Settings, clock: SystemClock) -> tuple[Engine, Boot]:
    """The engine of the store: held for this process, on the newest schema, with this start counted."""
    try:
        engine = open_engine(settings.store.url.get_secret_value(), settings.data_dir)
    except ValueError as error:
        raise SettingsError(f"store.url {error}") from None
    try:
        connection = engine.connect()
        try:
            steps = migrate(connection, load_migrations(engine.dialect), clock.now_us())
            if steps:
                log.info("store.migrated", count=steps)
            (found,) = connection.write(lambda tx: boot(tx, [secrets.token_bytes(8)]), ())
        finally:
            connection.close()
    except BaseException:
        engine.close()
        raise
    return engine, found


def pepper_of(settings: Settings) -> bytes:
    """What the hashes of keys are made with. Raises SettingsError for a file without one."""
    path = settings.keys.pepper_file
    try:
        return found_or_drawn_pepper(settings.data_dir) if path is None else read_pepper(path)
    except OSError as error:
        raise SettingsError(f"keys.pepper_file: {error.filename}: {error.strerror}") from error
    except ValueError:
        where = settings.data_dir / FILE_NAME if path is None else path
        raise SettingsError(f"keys.pepper_file: {where} must hold {2 * BYTES} hexadecimal digits") from None


def routes_of(settings: Settings, registry: Registry) -> tuple[Route, ...] | None:
    """The routes in the settings, None where they name none. Raises SettingsError for rules they break."""
    if settings.routes is None:
        return None
    routes = tuple(each.route() for each in settings.routes)
    serving = {each.name: each.capabilities.channels for each in registry.all()}
    if violations := violations_of(routes, serving):
        raise SettingsError("\n".join(f"{each.field}: {each.rule}" for each in violations))
    return routes
