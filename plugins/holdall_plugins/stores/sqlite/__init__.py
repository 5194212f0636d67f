"""Many sessions in one SQLite database on this machine: `sqlite:////path/lab.db`."""

from holdall_plugins.stores.sqlite.repository import SqliteRepository

__all__ = ["SqliteRepository"]
