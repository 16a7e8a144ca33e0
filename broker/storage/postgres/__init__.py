"""The second engine: PostgreSQL through psycopg, for stores that others keep, copy and back up."""

from broker.storage.postgres.engine import PostgresEngine

__all__ = ["PostgresEngine"]
