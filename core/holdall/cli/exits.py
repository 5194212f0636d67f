"""The exit code of an error, and its message."""

from __future__ import annotations

from gettext import gettext as _
from shlex import quote
from typing import TYPE_CHECKING, Final

from holdall.errors import (
    ConfigurationError,
    CorruptSessionError,
    ExportError,
    ImportingError,
    OutputError,
    PluginConflictError,
    PluginError,
    PolicyError,
    ProviderError,
    SessionError,
    SessionIdError,
    SessionResumeError,
    StorageError,
    StoreUrlError,
    UnitError,
    UnknownPluginError,
    masked_url,
)

if TYPE_CHECKING:
    from holdall.errors import HoldallError

TESTS_FAILED: Final = 1
USAGE: Final = 2
STORAGE: Final = 3
PLUGIN: Final = 4

# The first class that fits decides.
_CODES: Final[tuple[tuple[type[HoldallError], int], ...]] = (
    (UnknownPluginError, USAGE),
    (PolicyError, USAGE),
    (ConfigurationError, USAGE),
    (PluginConflictError, PLUGIN),
    (PluginError, PLUGIN),
    (StoreUrlError, USAGE),
    (SessionIdError, USAGE),
    (StorageError, STORAGE),
    (SessionResumeError, STORAGE),
    (SessionError, USAGE),
    (ProviderError, USAGE),
    (ImportingError, USAGE),
    (UnitError, USAGE),
    (ExportError, USAGE),
    (OutputError, USAGE),
)


def exit_code(error: BaseException) -> int | None:
    """Return the exit code that *error* means, None if it is no error of holdall's."""
    return next((code for kind, code in _CODES if isinstance(error, kind)), None)


def traceback_of(error: BaseException) -> str:
    """Return where *error* was raised, and what it was raised from."""
    import traceback

    return masked_url("".join(traceback.format_exception(error)))


def message(error: BaseException) -> str:
    """Return the message of *error*, with the notes that were added on its way."""
    notes = list(getattr(error, "__notes__", ()))
    if isinstance(error, CorruptSessionError) and error.session_id:
        text = _("`holdall sessions salvage {id}` makes another session of what is whole")
        notes.append(text.format(id=quote(error.session_id)))
    return masked_url(" ".join([str(error), *(f"({note})" for note in notes)]))
