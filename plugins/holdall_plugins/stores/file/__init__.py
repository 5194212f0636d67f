"""Sessions as folders of plain files: `file:///path`, the store that needs nothing."""

from holdall_plugins.stores.file.repository import FileRepository

__all__ = ["FileRepository"]
