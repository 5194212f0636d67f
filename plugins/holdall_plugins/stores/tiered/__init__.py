"""Sessions that are durable near first, and brought far later: `tiered`."""

from holdall_plugins.stores.tiered.repository import TieredRepository

__all__ = ["TieredRepository"]
