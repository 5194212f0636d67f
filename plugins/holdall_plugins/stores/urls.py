"""URLs of stores on this machine's own file systems."""

from __future__ import annotations

from typing import TYPE_CHECKING
from urllib.parse import parse_qsl, unquote, urlsplit

from holdall.errors import StoreUrlError

if TYPE_CHECKING:
    from collections.abc import Sequence

    from holdall.contracts import Repository


def local_path(url: str, inner: Sequence[Repository], *, start: str) -> tuple[str, bool]:
    """Return the path in a URL that begins with *start*, and whether its file system is trusted.

    *start* ends with the slash that the path begins with.

    Raises:
        StoreUrlError: It is no such URL, or has another option than `trust_fs`.
    """
    parts = urlsplit(url)
    options = dict(parse_qsl(parts.query, keep_blank_values=True))
    trust_fs = options.pop("trust_fs", "0")
    if inner:
        raise StoreUrlError(url, "a store has nothing behind '::'; put the wrapper first")
    if not url.startswith(start) or parts.fragment:
        raise StoreUrlError(url, _advice(url, start))
    if "\0" in unquote(parts.path):
        raise StoreUrlError(url, "no path can hold '%00'")
    if options or trust_fs not in ("0", "1"):
        raise StoreUrlError(url, "the only option is trust_fs=1; write '%3F' for '?'")
    before = f"{parts.scheme}://{parts.netloc}"
    return unquote(parts.path)[len(start) - len(before) - 1 :], trust_fs == "1"


def _advice(url: str, start: str) -> str:
    missing = start.removesuffix("/")
    if missing.endswith(":///") and url.startswith(missing) and "#" not in url:
        return f"its path begins with a fourth slash: write {start}{url.removeprefix(missing)}"
    return f"write {start}, an absolute path, and '%23' for '#'"
