"""What every store shares: opening by URL, session ids, open handles, checked reads, wrappers."""

from holdall.stores.checks import (
    check_session_id,
    checked_blob,
    digest_of,
    file_of,
    is_compacted,
    is_repeated,
)
from holdall.stores.handle import Handle
from holdall.stores.opening import default_url, file_url, open_repository
from holdall.stores.wrapper import LogWrapper, RepositoryWrapper, StorageWrapper

__all__ = [
    "Handle",
    "LogWrapper",
    "RepositoryWrapper",
    "StorageWrapper",
    "check_session_id",
    "checked_blob",
    "default_url",
    "digest_of",
    "file_of",
    "file_url",
    "is_compacted",
    "is_repeated",
    "open_repository",
]
