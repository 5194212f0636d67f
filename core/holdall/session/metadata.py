"""Metadata that an application keeps in a session besides jobs and results."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Final

import msgspec

from holdall.results import encodable

if TYPE_CHECKING:
    from collections.abc import Mapping

_FIELDS: Final[Mapping[str, tuple[Any, Any]]] = {
    "title": (str | None, None),
    "flags": (set, None),
    "running_job_name": (str | None, None),
    "app_blob": (bytes | None, b""),
    "app_id": (str | None, None),
    "custom_joblist": (bool, False),
    "rejected_jobs": (list, None),
    "last_job_start_time": (float | None, None),
    "remaining_todo_jobs": (bool, False),
    "environ": (dict, None),
    "normal_user": (str | None, None),
    "open_comments": (dict, None),
    "open_outcomes": (dict, None),
}


class SessionMetaData:
    """Title, flags and the application's own data; every field refuses a wrong type.

    Attributes:
        title: What people call the session.
        flags: Free-form names, such as `incomplete`, `submitted`, `bootstrapping`.
        running_job_name: Id of the job in flight, if the application notes it.
        app_blob: Bytes that only the application understands.
        app_id: Which application that is.
        custom_joblist: Whether a person changed what the plans select.
        rejected_jobs: Ids of jobs that a person took out.
        last_job_start_time: Seconds since 1970, UTC.
        remaining_todo_jobs: Whether the application means to add jobs.
        environ: Variables that jobs see besides those of the caller, so that a resume has them.
        normal_user: The account of jobs that name none, as it was chosen for the session.
        open_comments: By job id, what a person said of a job that has no result yet.
        open_outcomes: By job id, the outcome that a person chose and did not comment on yet.
    """

    FLAG_INCOMPLETE: Final = "incomplete"
    FLAG_SUBMITTED: Final = "submitted"
    FLAG_BOOTSTRAPPING: Final = "bootstrapping"

    title: str | None
    flags: set[str]
    running_job_name: str | None
    app_blob: bytes | None
    app_id: str | None
    custom_joblist: bool
    rejected_jobs: list[str]
    last_job_start_time: float | None
    remaining_todo_jobs: bool
    environ: dict[str, str]
    normal_user: str | None
    open_comments: dict[str, str]
    open_outcomes: dict[str, str]

    def __init__(self, **fields: Any) -> None:
        for name, (kind, default) in _FIELDS.items():
            empty = kind() if kind in _COLLECTIONS else default
            setattr(self, name, fields.pop(name, empty))
        if fields:
            known = ", ".join(_FIELDS)
            raise TypeError(f"no metadata is called {', '.join(fields)} (fields: {known})")

    def __setattr__(self, name: str, value: Any) -> None:
        if name not in _FIELDS:
            raise AttributeError(f"no metadata is called {name!r} (fields: {', '.join(_FIELDS)})")
        kind = _FIELDS[name][0]
        if name == "last_job_start_time" and type(value) is int:
            value = float(value)
        if not isinstance(value, kind):
            wanted = getattr(kind, "__name__", str(kind))
            raise TypeError(f"the metadata {name!r} takes {wanted}, not {type(value).__name__}")
        if isinstance(value, str):
            value = encodable(value)
        elif isinstance(value, set | list | dict):
            _check_strings(name, value)
        super().__setattr__(name, value)

    def encoded(self) -> dict[str, msgspec.Raw]:
        """Return every field that is not at its default, as JSON."""
        fields = {}
        for name, (_kind, default) in _FIELDS.items():
            value = getattr(self, name)
            if value != default and value not in (set(), [], {}):
                if isinstance(value, set | list | dict):
                    _check_strings(name, value)  # it may have been changed in place
                fields[name] = msgspec.Raw(msgspec.json.encode(_plain(value)))
        return fields

    def apply(self, changes: Mapping[str, msgspec.Raw]) -> None:
        """Set the fields that *changes* holds, as `encoded` made them; others stay.

        A field that this version does not know is left out.
        """
        for name, data in changes.items():
            if name in _FIELDS:
                kind = _FIELDS[name][0]
                setattr(self, name, msgspec.json.decode(data, type=_TYPES.get(name, kind)))

    @staticmethod
    def defaults() -> dict[str, msgspec.Raw]:
        """Return the encoded values of all fields when nothing was done to them."""
        return {
            name: msgspec.Raw(_EMPTY.get(kind) or msgspec.json.encode(default))
            for name, (kind, default) in _FIELDS.items()
        }


_EMPTY: Final[Mapping[Any, bytes]] = {set: b"[]", list: b"[]", dict: b"{}"}
_COLLECTIONS: Final = _EMPTY.keys()


def _check_strings(name: str, items: set[Any] | list[Any] | dict[Any, Any]) -> None:
    for item in [*items, *items.values()] if isinstance(items, dict) else items:
        if not isinstance(item, str):
            raise TypeError(f"the metadata {name!r} takes strings, and {item!r} is none")


def _plain(value: Any) -> Any:
    """Return *value* in a form that JSON can hold, the same for equal values."""
    if isinstance(value, str):
        return encodable(value)
    if isinstance(value, set | list):
        items = [_plain(item) for item in value]
        return sorted(items) if isinstance(value, set) else items
    if isinstance(value, dict):
        return {_plain(name): _plain(item) for name, item in value.items()}
    return value


_TYPES: Final[Mapping[str, Any]] = {
    "flags": set[str],
    "rejected_jobs": list[str],
    "environ": dict[str, str],
    "open_comments": dict[str, str],
    "open_outcomes": dict[str, str],
}
