"""Sessions of a store that is not changed, and what is made of them in another one: `overlay`."""

from holdall_plugins.stores.overlay.repository import OverlayRepository

__all__ = ["OverlayRepository"]
