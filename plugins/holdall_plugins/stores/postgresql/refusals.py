"""What errors of the driver mean: for the outcome of a step, and to a person."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

import psycopg

from holdall.errors import (
    BusyStorageError,
    CorruptSessionError,
    StorageAccessError,
    StorageFullError,
    masked_url,
)

if TYPE_CHECKING:
    from holdall.errors import StorageError
    from holdall_plugins.stores.postgresql.location import Location

LOCK_TIMEOUT: Final = "55P03"
LOCK_TIMEOUT_S: Final = 30.0
"""How long a step waits for a row that somebody else has locked."""

_CONFLICTS: Final = frozenset({"40001", "40P01"})
_LOST: Final = frozenset({"57P01", "57P02", "57P03", "57P05", "25P03", "25P04"})
_FULL: Final = frozenset({"53100"})
_DAMAGED: Final = frozenset({"XX001", "XX002"})

_STARTING: Final = (
    "starting up",
    "shutting down",
    "not yet accepting connections",
    "not accepting connections",
    "in recovery mode",
    "too many clients",
    "too many connections",
    "connection slots are reserved",
    "closed the connection unexpectedly",
    "reset by peer",
    "broken pipe",
    "eof detected",
    "could not receive data",
    "could not send data",
    "socket closed",
)
"""In what a server says that will take connections soon, in lower case."""

_ADVICE: Final = (
    (
        ("password", "authentication failed"),
        (
            "check the user in the URL, and the password: in the URL, in 'password' of "
            "[settings.postgresql], in PGPASSWORD or in ~/.pgpass"
        ),
    ),
    (("pg_hba.conf",), "let the server's administrator allow it in pg_hba.conf"),
    (("database", "does not exist"), "check the URL, or make the database with createdb"),
    (("role", "does not exist"), "check the user in the URL, or make it with createuser"),
    (("translate host name",), "check the host in the URL"),
    (("name or service not known",), "check the host in the URL"),
    (("connection refused",), "check that the server runs, and host and port in the URL"),
    (("no such file",), "check that the server runs, and the folder of its socket"),
    (("timeout expired",), "check host and port in the URL, and the network between"),
    (("too many",), "let others end, or raise max_connections"),
)

_REASONS: Final = {
    "25006": (
        "the database is read-only: a replica, or default_transaction_read_only is set; "
        "name the primary server, or add target_session_attrs=read-write to the URL"
    ),
    "54000": "something in it is larger than PostgreSQL takes",
    "57014": "the server cancelled it; statement_timeout may be too short",
}


def is_lost(error: psycopg.Error, connection: psycopg.Connection | None) -> bool:
    """Whether the connection ended, so that nobody knows what became of the step."""
    state = error.sqlstate or ""
    if state in _LOST or state.startswith("08"):
        return True
    if connection is not None and connection.closed:
        return True
    return isinstance(error, psycopg.OperationalError) and not state


def is_conflict(error: psycopg.Error) -> bool:
    """Whether others came between, so that nothing was done and trying again may do."""
    return error.sqlstate in _CONFLICTS


def is_starting(error: psycopg.Error) -> bool:
    """Whether the server is there and will take a connection soon."""
    text = str(error).lower()
    return any(part in text for part in _STARTING)


def explained(
    error: psycopg.Error, doing: str, location: Location, session_id: str
) -> StorageError:
    """Return what to raise for an error that leaves no outcome unclear."""
    state = error.sqlstate or ""
    if state == LOCK_TIMEOUT:
        return BusyStorageError(location.url, doing, LOCK_TIMEOUT_S)
    if state in _FULL:
        return StorageFullError(location.url, said(error))
    if state in _DAMAGED:
        return CorruptSessionError(session_id, location.url, said(error))
    if state == "42501":
        return StorageAccessError(location.url, doing, _forbidden(error, location))
    return StorageAccessError(location.url, doing, _REASONS.get(state) or reason_of(error))


def reason_of(error: psycopg.Error) -> str:
    """Return what the error says, and what to do about it."""
    text = said(error)
    for parts, advice in _ADVICE:
        if all(part in text.lower() for part in parts):
            return f"{text}; {advice}"
    return text


def said(error: psycopg.Error) -> str:
    """Return the words of the server or of the driver, on one line."""
    text = error.diag.message_primary or str(error)
    return masked_url(" ".join(text.split())) or type(error).__name__


def _forbidden(error: psycopg.Error, location: Location) -> str:
    user = location.parameters.get("user", "this user")
    return (
        f"{said(error)}; let an administrator give {user} a schema, by CREATE SCHEMA "
        f'"{location.schema}" AUTHORIZATION "{user}", or rights in the one that is there'
    )
