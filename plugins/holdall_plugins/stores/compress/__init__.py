"""A wrapper that compresses what another store holds: `compress::URL`."""

from holdall_plugins.stores.compress.repository import CompressedRepository

__all__ = ["CompressedRepository"]
