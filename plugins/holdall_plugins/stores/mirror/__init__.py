"""One session in several stores at once: `mirror`."""

from holdall_plugins.stores.mirror.repository import MirrorRepository

__all__ = ["MirrorRepository"]
