"""Events with their secrets masked, before they are stored."""

from __future__ import annotations

from base64 import b64decode, b64encode
from typing import TYPE_CHECKING, Any, Final

import msgspec

from holdall.errors import RulesMissingError
from holdall.journal import NO_RULES, RulesRecord, WriterOpened
from holdall.results import Attachment, IOLogRecord, JobResult

if TYPE_CHECKING:
    from collections.abc import Iterable

    from holdall.journal import AnyEvent
    from holdall.redaction.masker import Masker
    from holdall.redaction.rules import RedactionRules

_IDS: Final = {
    "device": "device",
    "job_id": "job",
    "job_ids": "job",
    "run_list": "job",
    "desired": "job",
    "mandatory": "job",
    "template_id": "job",
    "category_id": "category",
    "JobRecord.id": "job",
    "PlanRecord.id": "plan",
    "CategoryDefined.id": "category",
}
"""Fields that hold ids, and what they are ids of; the same one is masked alike everywhere."""

_PROSE: Final = frozenset(
    {
        *("title", "summary", "description", "comments", "skip_reason", "message"),
        *("facts", "answers", "io_log", "data", "value", "unit"),
        *("PlanRecord.name", "CategoryDefined.name", "Attachment.name"),
        *("Subtest.name", "Measurement.name"),
    }
)
"""Fields that people and jobs write."""

_JOBS_OF_METADATA: Final = frozenset({"running_job_name", "rejected_jobs"})
_PROSE_OF_METADATA: Final = frozenset({"title", "environ"})
_SAID_OF_JOBS: Final = frozenset({"open_comments", "open_outcomes"})

_OWN: Final = frozenset(
    {
        "session_id",
        "checksum",
        "boot_id",
        "started",
        "io_log_ref",
        "ref",
        "interrupted_by",
        "rules",
        "version",
    }
)
"""Fields of holdall's own, which it finds things again by; a rule may match one by chance."""


def masked_event(event: AnyEvent, masker: Masker) -> AnyEvent:
    """Return *event* with every text in it masked, whatever its field is called.

    Secrets are masked everywhere, patterns and keys in what people and jobs wrote: by
    chance they match what holdall finds jobs, providers and devices again by.
    """
    masked: AnyEvent = _masked_struct(event, masker)
    return masked


def _masked_struct(struct: Any, masker: Masker) -> Any:
    changes: dict[str, Any] = {}
    for name in struct.__struct_fields__:
        value = getattr(struct, name)
        if not value or name in _OWN:
            continue
        qualified = f"{type(struct).__name__}.{name}"
        if qualified == "MetadataChanged.changes":
            shown: Any = {key: _masked_metadata(key, raw, masker) for key, raw in value.items()}
        else:
            kind = _IDS.get(qualified) or _IDS.get(name, "")
            is_prose = not kind and (name in _PROSE or qualified in _PROSE)
            shown = _masked(value, masker if is_prose else masker.exact, masker, kind)
        if shown != value:
            changes[name] = shown
    if not changes:
        return struct
    if isinstance(struct, JobResult) and "io_log" in changes:
        changes["io_log_size"] = sum(len(record.data) for record in changes["io_log"])
    if isinstance(struct, Attachment) and "data" in changes:
        changes["size"] = len(changes["data"])
    return msgspec.structs.replace(struct, **changes)


def _masked_metadata(name: str, raw: msgspec.Raw, masker: Masker) -> msgspec.Raw:
    value = msgspec.json.decode(raw)
    if name == "app_blob" and isinstance(value, str):  # bytes, in base64
        shown: Any = b64encode(masker.exact.data(b64decode(value))).decode()
    elif name in _SAID_OF_JOBS and isinstance(value, dict):
        by = masker.exact
        shown = {by.identifier("job", job): masker.text(text) for job, text in value.items()}
    else:
        by = masker if name in _PROSE_OF_METADATA else masker.exact
        shown = _masked(value, by, masker, "job" if name in _JOBS_OF_METADATA else "")
    return raw if shown == value else msgspec.Raw(msgspec.json.encode(shown))


def _masked(value: Any, by: Masker, whole: Masker, kind: str = "") -> Any:
    """Return *value* masked by *by*, and structs in it by *whole*."""
    if type(value) is str:
        return by.identifier(kind, value) if kind else by.text(value)
    if isinstance(value, bytes):
        return by.data(value)
    if isinstance(value, msgspec.Struct):
        return _masked_struct(value, whole)
    if isinstance(value, dict):
        return {
            by.text(key): by.value(key, item)
            if isinstance(item, str)
            else _masked(item, by, whole)
            for key, item in value.items()
        }
    if isinstance(value, tuple | list):
        if value and isinstance(value[0], IOLogRecord):
            return tuple(by.records(value))
        return type(value)(_masked(item, by, whole, kind) for item in value)
    return value


def rules_record(rules: RedactionRules | None) -> RulesRecord:
    """Return what a session keeps of *rules*."""
    if not rules:
        return NO_RULES
    return RulesRecord(secrets=tuple(rules.secrets), keys=rules.keys, patterns=len(rules.patterns))


def rules_in(events: Iterable[AnyEvent]) -> RulesRecord:
    """Return by which rules the last writer masked that recorded any."""
    rules = NO_RULES
    for event in events:
        if isinstance(event, WriterOpened) and event.rules != NO_RULES:
            rules = event.rules
    return rules


def check_rules(session_id: str, events: Iterable[AnyEvent], rules: RedactionRules | None) -> None:
    """Raise RulesMissingError unless *rules* mask all that was masked in *events*."""
    before, given = rules_in(events), rules_record(rules)
    keys = {key.casefold() for key in given.keys}
    missing = RulesRecord(
        secrets=tuple(name for name in before.secrets if name not in given.secrets),
        keys=tuple(key for key in before.keys if key.casefold() not in keys),
        patterns=max(0, before.patterns - given.patterns),
    )
    if missing != NO_RULES:
        raise RulesMissingError(session_id, missing.secrets, missing.keys, missing.patterns)
