"""What a URL of this store says: where the server is, how to log in, and options of holdall."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Final
from urllib.parse import parse_qsl, quote, urlencode, urlsplit, urlunsplit

import psycopg
from psycopg.conninfo import conninfo_to_dict
from psycopg.pq import Conninfo

from holdall.errors import StoreUrlError, listed, masked_url, near

if TYPE_CHECKING:
    from collections.abc import Mapping

SCHEMES: Final = ("postgresql://", "postgres://")
LONGEST_NAME: Final = 63
"""Bytes of a name of PostgreSQL; it would cut a longer one, and two would become one."""

_OWN: Final = ("schema", "retry_s", "timeout_s")
_SECRET: Final = ("password", "sslpassword")

_DEFAULTS: Final[Mapping[str, str]] = {
    "application_name": "holdall",
    "connect_timeout": "10",
    # A machine that lost its power answers nothing; without these it is waited for for hours.
    "keepalives_idle": "30",
    "keepalives_interval": "10",
    "keepalives_count": "3",
    "tcp_user_timeout": "60000",
}


@dataclass(frozen=True, kw_only=True)
class PostgresqlOptions:
    """What `[settings.postgresql]` may hold; a URL that says the same counts more.

    Attributes:
        password: The user's password, if no URL, variable or `~/.pgpass` has it.
        schema: The schema that holds the tables.
        retry_s: How long a step goes on trying while the server is away or starts.
        timeout_s: How long the server may be silent before the connection counts as lost.
    """

    password: str = ""
    schema: str = "holdall"
    retry_s: float = 30.0
    timeout_s: float = 60.0


@dataclass(frozen=True, kw_only=True)
class Location:
    """A schema of a database, and how to reach it.

    Attributes:
        url: The URL without passwords, for messages and to be kept.
        parameters: What libpq is given, passwords included.
    """

    url: str
    parameters: Mapping[str, str]
    schema: str
    retry_s: float
    timeout_s: float


def location_of(url: str, options: PostgresqlOptions) -> Location:
    """Return what *url* says.

    Raises:
        StoreUrlError: It is no such URL, or has an option that nobody knows.
    """
    shown = masked_url(url)
    if not url.startswith(SCHEMES):
        raise StoreUrlError(shown, "write postgresql://user@host:port/database")
    try:
        parts = urlsplit(url)
    except ValueError as error:
        raise StoreUrlError(shown, str(error)) from error
    if parts.fragment:
        raise StoreUrlError(shown, "write '%23' for '#'")
    pairs = parse_qsl(parts.query, keep_blank_values=True)
    _refuse_unknown(shown, [name for name, _ in pairs])
    own = {name: value for name, value in pairs if name in _OWN}
    # Only `%20` is a blank to libpq, and `+` is a plus.
    query = urlencode([pair for pair in pairs if pair[0] not in _OWN], quote_via=quote)
    try:
        given = conninfo_to_dict(urlunsplit(parts._replace(query=query)))
    except psycopg.Error as error:
        raise StoreUrlError(shown, masked_url(str(error).strip())) from error
    parameters = {name: str(value) for name, value in given.items()}
    if options.password:
        parameters.setdefault("password", options.password)
    return Location(
        url=_without_secrets(url),
        parameters={**_DEFAULTS, **parameters},
        schema=_schema(shown, own.get("schema", options.schema)),
        retry_s=_seconds(shown, own, "retry_s", options.retry_s),
        timeout_s=_seconds(shown, own, "timeout_s", options.timeout_s),
    )


def _refuse_unknown(url: str, names: list[str]) -> None:
    of_libpq = sorted(option.keyword.decode() for option in Conninfo.get_defaults())
    # In a URL libpq takes `ssl=true` besides, as JDBC writes it.
    known = {*_OWN, *of_libpq, "ssl"}
    for name in names:
        if name not in known:
            hint = near(name, known) or f" (options: {listed(_OWN)}, and the parameters of libpq)"
            raise StoreUrlError(url, f"there is no option {name!r}{hint}")
    for name in names:
        if names.count(name) > 1:
            raise StoreUrlError(url, f"the option {name!r} is given twice")


def _schema(url: str, name: str) -> str:
    if not name or "\0" in name or len(name.encode()) > LONGEST_NAME:
        reason = f"schema is a name of 1 to {LONGEST_NAME} bytes, not {name!r}"
        raise StoreUrlError(url, reason)
    if name.startswith("pg_"):
        raise StoreUrlError(url, f"schema can't be {name!r}: 'pg_' begins those of the system")
    return name


def _seconds(url: str, own: Mapping[str, str], name: str, default: float) -> float:
    try:
        seconds = float(own.get(name, default))
    except ValueError:
        seconds = -1.0
    if not 0 <= seconds < float("inf"):
        raise StoreUrlError(url, f"{name} is a number of seconds, not {own.get(name)!r}")
    return seconds


def _without_secrets(url: str) -> str:
    parts = urlsplit(url)
    user, at, host = parts.netloc.rpartition("@")
    pairs = parse_qsl(parts.query, keep_blank_values=True)
    query = urlencode([pair for pair in pairs if pair[0] not in _SECRET], quote_via=quote)
    netloc = user.partition(":")[0] + at + host
    # Not urlunsplit: without a host it would leave out the slashes.
    return f"postgresql://{netloc}{parts.path}" + (f"?{query}" if query else "")
