"""Requests to a bucket, whose errors say what failed, and whether the outcome is clear."""

from __future__ import annotations

import os
import re
import time
from contextlib import contextmanager
from datetime import UTC, datetime, timedelta
from threading import Lock
from typing import TYPE_CHECKING, Any, Final, NamedTuple

from holdall.errors import StorageAccessError, StorageFullError
from holdall_plugins.stores.objects.library import library

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator

    from holdall.errors import StorageError
    from holdall_plugins.stores.objects.location import Location

_STATUS: Final = re.compile(r"status code: (\d{3})")
_CODE: Final = re.compile(r"<Code>(\w+)</Code>")
_CLASSES: Final = {"s3": "S3Store", "gs": "GCSStore", "az": "AzureStore"}
_FULL: Final = frozenset({"QuotaExceeded", "InsufficientStorage", "XMinioStorageFull"})
_PAUSE_S: Final = 0.05
_PAGE: Final = 1000
_FIRST_BACKOFF: Final = timedelta(milliseconds=50)


class UnclearError(StorageAccessError):
    """A request ended without an answer: whether it was done is unknown."""


class Stored(NamedTuple):
    """An object in a listing; the moment is the server's."""

    key: str
    size: int
    modified: datetime


class Bucket:
    """The keys below a prefix; made anew in the child of a fork."""

    def __init__(self, location: Location) -> None:
        self.location: Final = location
        self._pid = 0
        self._store: Any = None
        self._lock = Lock()

    def create(self, key: str, data: bytes, doing: str) -> bytes | None:
        """Store an object unless there is one, and return the one that is there if it differs.

        Repeating it is safe: *data* holds a nonce, so it is known from what others store.

        Raises:
            UnclearError: Nobody knows whether it is stored, or will be.
        """
        deadline = time.monotonic() + self.location.retry_s
        while True:
            failure = None
            try:
                if self.is_created(key, data, doing):
                    return None
            except UnclearError as error:
                failure = error
            # The library repeats a request whose answer was lost, and is told that the object
            # exists: that is ours. Servers say the same when two write at the same moment, and
            # then there may be none.
            present = self._get_after(failure, key, doing)
            if present is not None:
                return None if present == data else present
            if failure is not None:
                raise failure
            if time.monotonic() > deadline:
                reason = "the server says that it exists, and does not find it"
                raise UnclearError(self.location.where, doing, reason)
            time.sleep(_PAUSE_S)

    def _get_after(self, failure: UnclearError | None, key: str, doing: str) -> bytes | None:
        try:
            return self.get(key, doing)
        except StorageAccessError as error:
            raise failure or error from error

    def is_created(self, key: str, data: bytes, doing: str) -> bool:
        """Store an object unless the server says that there is one; one request."""
        with self._errors(doing):
            try:
                library().put(self._client, self._path(key), data, mode="create")
            except library().exceptions.AlreadyExistsError:
                return False
        return True

    def put(self, key: str, data: bytes, doing: str) -> None:
        """Store an object in the place of whatever there is."""
        with self._errors(doing):
            library().put(self._client, self._path(key), data, use_multipart=False)

    def get(self, key: str, doing: str, *, length: int = 0) -> bytes | None:
        """Return the bytes of an object, the first of them if *length* is given; None without."""
        options = {"range": (0, length)} if length else None
        with self._errors(doing):
            try:
                return bytes(library().get(self._client, self._path(key), options=options).bytes())
            except FileNotFoundError as error:
                if self._lacks_bucket(str(error)):
                    raise
                return None

    def modified(self, key: str, doing: str) -> datetime:
        """Return when an object was stored, by the clock of the server."""
        with self._errors(doing):
            moment = library().head(self._client, self._path(key))["last_modified"]
        return moment if isinstance(moment, datetime) else datetime.now(UTC)

    def list(self, folder: str, doing: str, *, after: str = "") -> Iterator[Stored]:
        """Yield the objects in a folder in the order of their keys, from behind *after* on."""
        offset = self._path(after) if after else None
        with self._errors(doing):
            pages = library().list(
                self._client, self._path(folder), offset=offset, chunk_size=_PAGE
            )
            start = len(self._path(""))
            for page in pages:
                for meta in page:
                    yield Stored(meta["path"][start:], meta["size"], meta["last_modified"])

    def delete(self, keys: Iterable[str], doing: str) -> None:
        """Delete objects; one that is not there is deleted already."""
        paths = [self._path(key) for key in keys]
        for start in range(0, len(paths), _PAGE):
            with self._errors(doing):
                try:
                    library().delete(self._client, paths[start : start + _PAGE])
                except FileNotFoundError as error:
                    if self._lacks_bucket(str(error)):
                        raise

    @property
    def _client(self) -> Any:
        if self._pid != os.getpid():
            with self._lock:
                self._store, self._pid = self._made(), os.getpid()
        return self._store

    def _made(self) -> Any:
        location = self.location
        make = getattr(library()._store, _CLASSES[location.scheme])  # noqa: SLF001 - as above
        total = timedelta(seconds=location.retry_s)
        client = {"allow_http": location.allow_http, "timeout": total / 2}
        retry = {"retry_timeout": total, "max_retries": 100}
        retry["backoff"] = {"init_backoff": _FIRST_BACKOFF, "max_backoff": total / 10, "base": 2}
        return make(location.bucket, client_options=client, retry_config=retry, **location.config)

    def _path(self, key: str) -> str:
        return f"{self.location.prefix}/{key}" if self.location.prefix else key

    def _lacks_bucket(self, text: str) -> bool:
        code = _CODE.search(text)
        return code is not None and code[1] in ("NoSuchBucket", "ContainerNotFound")

    @contextmanager
    def _errors(self, doing: str) -> Iterator[None]:
        try:
            yield
        except (library().exceptions.BaseError, FileNotFoundError, ValueError) as error:
            raise self._explained(error, doing) from error
        except BaseException as error:
            if type(error).__name__ != "PanicException":  # the library's, which no module has
                raise
            reason = f"the client failed: {error}"
            raise UnclearError(self.location.where, doing, reason) from error

    def _explained(self, error: Exception, doing: str) -> StorageError:
        text = str(error).partition("\n\nDebug source")[0]
        match, code = _STATUS.search(text), _CODE.search(text)
        status, name = int(match[1]) if match else 0, code[1] if code else ""
        where = self.location.where
        if name in _FULL or status == 507:
            return StorageFullError(where, name or "the server has no room")
        reason = self._reason(text, status, name)
        is_clear = 400 <= status < 500 and status not in (408, 409, 429)
        return (StorageAccessError if is_clear else UnclearError)(where, doing, reason)

    def _reason(self, text: str, status: int, name: str) -> str:
        said = f"the server says {name or status}"
        if "169.254." in text or ("metadata" in text.lower() and "token" in text.lower()):
            return (
                "no credentials were found; give them by the environment "
                f"(AWS_ACCESS_KEY_ID, say) or in [settings.{self.location.scheme}]"
            )
        if self._lacks_bucket(text) or status == 404:
            return f"there is no bucket {self.location.bucket!r}; create it, or correct the URL"
        if status in (401, 403):
            return (
                f"access was denied ({said}); check the credentials, and let them list, get, "
                "put and delete objects there"
            )
        if status in (301, 307, 400) and ("region" in text.lower() or "Redirect" in name):
            return f"the bucket is in another region ({said}); give it by region= in the URL"
        if status:
            return said + (f" ({status})" if name else "")
        detail = " ".join(text.rpartition(" - ")[2].split())[:200]
        return f"the server can't be reached ({detail}); check endpoint= and the network"
