"""A store in PostgreSQL: whether the server lets us in, keeps what it commits, and shares our time."""

import time
from collections.abc import Iterator
from contextlib import closing

import psycopg

from broker.cli.doctor.findings import Finding, fail, ok, shown_bytes, warn
from broker.cli.doctor.store import judge_schema
from broker.storage.engine import StoreUnfitError
from broker.storage.migrate import load_migrations
from broker.storage.postgres.dialect import translate_all
from broker.storage.postgres.server import Bare, Server, described, server_at
from broker.storage.statements import Dialect, load_statements

APART_S_MAX = 1.0
"""Nothing breaks when the clocks differ, but times of the broker and of the server's log no longer compare."""


def check_postgres(url: str, *, deep: bool) -> tuple[list[Finding], bool]:
    """Everything about it, and whether a broker has it open. It looks only, and never takes the store."""
    try:
        server = server_at(url, translate_all(load_statements(Dialect.POSTGRES))[0])
        bare = server.connect()
    except ValueError as error:
        return [fail("store", f"store.url {error}", "mend the URL")], False
    except psycopg.Error as error:
        return [
            fail("store", described(error), "mend the URL, the network, or the server's pg_hba.conf")
        ], False
    with closing(bare):
        try:
            server.examine(bare)
            taken = bool(server.ask(bare, "store_is_taken")[0][0])
            return [judge_taken(server.place, taken=taken), *_examine(server, bare, deep=deep)], taken
        except StoreUnfitError as error:
            advice = "choose a server, a database or a schema that fits"
            return [fail("postgresql", str(error), advice)], False
        except psycopg.Error as error:
            return [fail("store", described(error), "let the broker's role look into its own schema")], False


def _examine(server: Server, bare: Bare, *, deep: bool) -> Iterator[Finding]:
    yield ok("postgresql", f"version {server.ask(bare, 'examine_server')[0][1]}")
    yield judge_durability(*server.ask(bare, "examine_durability")[0])
    yield judge_privileges(*server.ask(bare, "examine_privileges")[0])
    yield judge_apart(_apart_s(server, bare))
    ((is_made, size),) = server.ask(bare, "store_size")
    if not is_made:
        yield ok("store", "not there yet, the broker makes it")
        return
    applied: dict[int, str] = dict(server.ask(bare, "applied_migrations"))
    yield judge_schema(applied, load_migrations(Dialect.POSTGRES))
    yield ok("store size", shown_bytes(size))
    if deep:
        yield warn(
            "integrity", "not checked: PostgreSQL has its own tool for that", "run pg_amcheck on its host"
        )


def judge_taken(place: str, *, taken: bool) -> Finding:
    """A note: what follows was seen beside a running broker, or without one."""
    return ok("broker", f"{'a broker' if taken else 'no broker'} has the store open: {place}")


def judge_durability(fsync: str, full_page_writes: str, synchronous_commit: str) -> Finding:
    """Whether an answered call survives the server's host."""
    detail = f"fsync {fsync}, full_page_writes {full_page_writes}, synchronous_commit {synchronous_commit}"
    if fsync != "on":
        return fail(
            "durability", detail, "set fsync = on: a crash of the host can lose or corrupt everything"
        )
    if full_page_writes != "on":
        return warn("durability", detail, "only a file system that never tears a page allows that")
    if synchronous_commit == "off":
        return warn(
            "durability", detail, "the broker's own sessions turn it on; others of this role lose commits"
        )
    return ok("durability", detail)


def judge_privileges(may_create: bool, closed_tables: int) -> Finding:
    """Whether the role can make the tables and use them."""
    if closed_tables:
        detail = f"{closed_tables} tables of the schema are closed to this role"
        return fail("privileges", detail, "run as the role that made the store, or grant it the tables")
    if not may_create:
        return fail(
            "privileges", "this role may not create tables", "GRANT CREATE ON SCHEMA to it, for migrations"
        )
    return ok("privileges", "may create tables and use them")


def judge_apart(apart_s: float) -> Finding:
    """The server's clock against ours."""
    detail = f"the server's clock is {apart_s:+.3f} s from this host's"
    if abs(apart_s) > APART_S_MAX:
        return warn("server clock", detail, "keep both by NTP")
    return ok("server clock", detail)


def _apart_s(server: Server, bare: Bare) -> float:
    before = time.time()
    ((theirs_us,),) = server.ask(bare, "server_clock")
    return float(theirs_us / 1_000_000 - (before + time.time()) / 2)
