"""Many sessions in a PostgreSQL database: `postgresql://user@host/database`."""

from holdall_plugins.stores.postgresql.repository import PostgresqlRepository

__all__ = ["PostgresqlRepository"]
