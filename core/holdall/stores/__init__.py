"""Shared parts of stores: opening by URL, session ids, handles, checked reads, wrappers."""

from typing import TYPE_CHECKING

from holdall.doors import lazy_door

if TYPE_CHECKING:
    from holdall.stores.checks import (
        check_session_id,
        checked_blob,
        digest_of,
        file_of,
        is_compacted,
        is_repeated,
    )
    from holdall.stores.copying import (
        Amount,
        catch_up,
        copy_blob,
        copy_entries,
        copy_logs,
        is_beginning,
    )
    from holdall.stores.handle import Handle
    from holdall.stores.opening import (
        NamedStore,
        default_url,
        file_url,
        open_repository,
        plugins_of,
    )
    from holdall.stores.pieces import (
        PIECE,
        blob_size,
        first_of,
        pieces_of,
        sealed,
        swept,
    )
    from holdall.stores.wrapper import LogWrapper, RepositoryWrapper, StorageWrapper
else:
    __getattr__, __dir__ = lazy_door(
        __name__,
        {
            ".checks": (
                "check_session_id",
                "checked_blob",
                "digest_of",
                "file_of",
                "is_compacted",
                "is_repeated",
            ),
            ".copying": (
                "Amount",
                "catch_up",
                "copy_blob",
                "copy_entries",
                "copy_logs",
                "is_beginning",
            ),
            ".handle": ("Handle",),
            ".opening": (
                "NamedStore",
                "default_url",
                "file_url",
                "open_repository",
                "plugins_of",
            ),
            ".pieces": ("PIECE", "blob_size", "first_of", "pieces_of", "sealed", "swept"),
            ".wrapper": ("LogWrapper", "RepositoryWrapper", "StorageWrapper"),
        },
    )

__all__ = [
    "PIECE",
    "Amount",
    "Handle",
    "LogWrapper",
    "NamedStore",
    "RepositoryWrapper",
    "StorageWrapper",
    "blob_size",
    "catch_up",
    "check_session_id",
    "checked_blob",
    "copy_blob",
    "copy_entries",
    "copy_logs",
    "default_url",
    "digest_of",
    "file_of",
    "file_url",
    "first_of",
    "is_beginning",
    "is_compacted",
    "is_repeated",
    "open_repository",
    "pieces_of",
    "plugins_of",
    "sealed",
    "swept",
]
