"""What every store shares: opening by URL, session ids, open handles, checked reads."""

from holdall.stores.checks import check_session_id, checked_blob, digest_of, is_repeated
from holdall.stores.handle import Handle
from holdall.stores.opening import default_url, file_url, open_repository

__all__ = [
    "Handle",
    "check_session_id",
    "checked_blob",
    "default_url",
    "digest_of",
    "file_url",
    "is_repeated",
    "open_repository",
]
