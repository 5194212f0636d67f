"""Where a repository is: the URL of a bucket, and the options of the library for it."""

from __future__ import annotations

from dataclasses import dataclass, fields
from typing import TYPE_CHECKING, Any, Final, NamedTuple
from urllib.parse import parse_qsl, quote, unquote, urlencode, urlsplit

from holdall.errors import StoreUrlError, listed, near

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from holdall.contracts import Repository

RETRY_S: Final = 30.0
"""Seconds for which a request that fails is repeated."""

_COMMON: Final = ("retry_s", "allow_http")
_NAMES: Final = {
    "s3": ("region", "endpoint", "virtual_hosted_style"),
    "gs": ("endpoint",),
    "az": ("account", "endpoint"),
}
_KEYS: Final = {
    "virtual_hosted_style": "virtual_hosted_style_request",
    "account": "account_name",
    ("gs", "endpoint"): "base_url",
}
_FLAGS: Final = ("allow_http", "virtual_hosted_style")


@dataclass(frozen=True)
class S3Options:
    """What `[settings.s3]` may hold: credentials, which never stand in a URL."""

    access_key_id: str = ""
    secret_access_key: str = ""
    session_token: str = ""


@dataclass(frozen=True)
class GsOptions:
    """What `[settings.gs]` may hold."""

    service_account_path: str = ""
    service_account_key: str = ""


@dataclass(frozen=True)
class AzOptions:
    """What `[settings.az]` may hold."""

    account_key: str = ""
    sas_token: str = ""
    client_id: str = ""
    client_secret: str = ""
    tenant_id: str = ""


class Location(NamedTuple):
    """A bucket, the prefix of the keys in it, and how to reach it.

    Attributes:
        scheme: `s3`, `gs` or `az`.
        url: What opens it again; without credentials.
        where: The URL without options, for messages.
        config: What the library is given, credentials included.
    """

    scheme: str
    bucket: str
    prefix: str
    url: str
    where: str
    config: Mapping[str, Any]
    allow_http: bool
    retry_s: float

    def __repr__(self) -> str:
        """Return the URL, since the options hold secrets."""
        return f"Location({self.url!r})"


def location_of(
    url: str, inner: Sequence[Repository], options: object, *, scheme: str
) -> Location:
    """Return what *url* names.

    Raises:
        StoreUrlError: It names no bucket, or has an option that there is not.
    """
    if inner:
        raise StoreUrlError(url, "a store has nothing behind '::'; put the wrapper first")
    parts = urlsplit(url)
    if parts.scheme != scheme or not parts.netloc or "@" in parts.netloc or parts.fragment:
        raise StoreUrlError(url, f"write {scheme}://BUCKET/PREFIX, and '%23' for '#'")
    prefix = unquote(parts.path).strip("/")
    if any(part in ("", ".", "..") for part in prefix.split("/") if prefix):
        raise StoreUrlError(url, "its prefix has a part that is empty, '.' or '..'")
    said = dict(parse_qsl(parts.query, keep_blank_values=True))
    values = _checked(url, scheme, said)
    where = f"{scheme}://{parts.netloc}" + (f"/{quote(prefix)}" if prefix else "")
    query = f"?{urlencode(said, safe=':/')}" if said else ""
    retry_s = values.pop("retry_s", RETRY_S)
    allow_http = values.pop("allow_http", False)
    endpoint = str(values.get("endpoint", ""))
    if endpoint.startswith("http://") and not allow_http:
        raise StoreUrlError(url, "its endpoint has no TLS; add allow_http=1 if that is meant")
    config = {_KEYS.get((scheme, name), _KEYS.get(name, name)): values[name] for name in values}
    config |= _credentials(options)
    return Location(
        scheme, parts.netloc, prefix, where + query, where, config, allow_http, retry_s
    )


def _checked(url: str, scheme: str, said: Mapping[str, str]) -> dict[str, Any]:
    known = (*_NAMES[scheme], *_COMMON)
    values: dict[str, Any] = {}
    for name, text in said.items():
        if name not in known:
            reason = f"there is no option {name!r}{near(name, known)} (options: {listed(known)})"
            raise StoreUrlError(url, reason)
        values[name] = text
        if name in _FLAGS:
            if text.lower() not in ("0", "1", "false", "true"):
                raise StoreUrlError(url, f"the option {name!r} is 1 or 0")
            values[name] = text.lower() in ("1", "true")
    try:
        retry_s = float(values.get("retry_s", RETRY_S))
    except ValueError:
        retry_s = 0.0
    if not 0 < retry_s <= 240:
        raise StoreUrlError(url, "the option 'retry_s' is a number of seconds up to 240")
    return {**values, "retry_s": retry_s}


def _credentials(options: object) -> dict[str, str]:
    if not isinstance(options, S3Options | GsOptions | AzOptions):
        return {}
    values = ((field.name, str(getattr(options, field.name))) for field in fields(options))
    return {name: value for name, value in values if value}
