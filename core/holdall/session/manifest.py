"""The manifest: questions about a device, their answers, and what jobs make of them."""

from __future__ import annotations

import re
from types import MappingProxyType
from typing import TYPE_CHECKING, Any, Final

import msgspec

from holdall.errors import ExpressionError, UnknownUnitError
from holdall.results import encodable
from holdall.session.readiness import InhibitionCause, Inhibitor
from holdall.session.resources import MANIFEST, requirements

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Mapping, Sequence

    from holdall.session.resources import ResourceExpression
    from holdall.units import Job, ManifestEntry

_DEFAULTS: Final = {"bool": "False", "natural": "0"}
"""What a question of a type counts as that nobody answered."""

_SHOWN: Final = 40


class Manifest:
    """The manifest entries of a device, and their answers as texts."""

    def __init__(self) -> None:
        self._entries: Final[dict[str, ManifestEntry]] = {}
        self._answers: dict[str, str] = {}
        self._providers: Final[dict[tuple[str, str], None]] = {}
        self._records: Sequence[Mapping[str, str]] | None = None

    @property
    def answers(self) -> Mapping[str, str]:
        """The answers that were given, by the ids of their entries."""
        return MappingProxyType(self._answers)

    @property
    def entries(self) -> Mapping[str, ManifestEntry]:
        """The entries by id."""
        return MappingProxyType(self._entries)

    def add_entry(self, entry: ManifestEntry) -> None:
        """Take in an entry."""
        self._entries[entry.id] = entry
        self._records = None

    def remove_entry(self, entry_id: str) -> None:
        """Forget an entry; its answer stays for the next one of that id."""
        self._entries.pop(entry_id, None)
        self._records = None

    def add_provider(self, namespace: str, name: str) -> None:
        """Give a provider a record of its own."""
        self._providers[namespace, name] = None
        self._records = None

    def answer(self, answers: Mapping[str, str]) -> None:
        """Keep answers; earlier ones to other questions stay."""
        self._answers = {**self._answers, **answers}
        self._records = None

    def checked(self, answers: Mapping[str, str | bool | int]) -> dict[str, str]:
        """Return *answers* as they are kept, by the whole ids of their entries.

        Raises:
            UnknownUnitError: No entry has the id, or several have it in their namespaces.
            TypeError, ValueError: The entry takes another kind of value.
        """
        checked = {}
        for name, value in answers.items():
            entry = self.entry(name)
            entry.check(value)
            checked[entry.id] = encodable(str(value))
        return checked

    def entry(self, name: str) -> ManifestEntry:
        """Return the entry of that id, with or without a namespace.

        Raises:
            UnknownUnitError: None has it, or several have it in their namespaces.
        """
        return find_entry(self._entries, name)

    def value(self, entry: ManifestEntry) -> str:
        """Return the answer to *entry*, or what it counts as without one."""
        answers = self._answers
        # Sessions of earlier versions kept answers by ids without namespaces.
        answer = answers.get(entry.id, answers.get(entry.partial_id))
        return _DEFAULTS.get(entry.get("value_type"), "") if answer is None else answer

    def is_answered(self, entry: ManifestEntry) -> bool:
        """Whether somebody gave an answer to *entry*."""
        return entry.id in self._answers or entry.partial_id in self._answers

    @property
    def records(self) -> Sequence[Mapping[str, str]]:
        """The records of the resource: one for each provider, and for entries without one."""
        if self._records is None:
            values: dict[str, dict[str, str]] = {}
            for entry in self._entries.values():
                of_namespace = values.setdefault(entry.namespace, {})
                of_namespace[resource_key(entry)] = self.value(entry)
            known = {namespace for namespace, _name in self._providers}
            owners = [{"ns": namespace, "name": name} for namespace, name in self._providers]
            owners += [{"ns": namespace} for namespace in values if namespace not in known]
            self._records = [owner | values.get(owner["ns"], {}) for owner in owners] or [{}]
        return self._records

    def cited(self, jobs: Iterable[Job]) -> list[ManifestEntry]:
        """Return the entries that *jobs* ask for, each once."""
        keys: dict[str, list[ManifestEntry]] = {}
        for entry in self._entries.values():
            keys.setdefault(resource_key(entry), []).append(entry)
        cited: dict[str, ManifestEntry] = {}
        for job in jobs:
            for key in _cited_keys(job):
                entries = keys.get(key, [])
                own = [entry for entry in entries if entry.namespace == job.namespace]
                cited.update((entry.id, entry) for entry in own or entries)
            for entry_id, _wanted in required_answers(job):
                if entry_id in self._entries:
                    cited[entry_id] = self._entries[entry_id]
        return list(cited.values())

    def inhibitors(self, job: Job) -> Iterator[Inhibitor]:
        """Yield what the job's field `requires_manifest` wants and the answers do not say."""
        for entry_id, wanted in required_answers(job):
            entry = self._entries.get(entry_id)
            value = "False" if entry is None else self.value(entry)
            if value != wanted:
                text = f"{entry_id} == {wanted!r}"
                yield Inhibitor(InhibitionCause.REQUIRED_MANIFEST, related_expression=text)


def resource_key(entry: ManifestEntry) -> str:
    """Return what expressions call the entry."""
    return entry.get("resource_key") or entry.partial_id


def is_hidden(entry: ManifestEntry) -> bool:
    """Whether nobody is asked: the value is given, or the default."""
    return entry.partial_id.startswith("_")


def find_entry(entries: Mapping[str, ManifestEntry], name: str) -> ManifestEntry:
    """Return the entry of that id, with or without a namespace.

    Raises:
        UnknownUnitError: None has it, or several have it in their namespaces.
    """
    if name in entries:
        return entries[name]
    matching = [entry for entry in entries.values() if entry.partial_id == name]
    if len(matching) != 1:
        known = [entry.id for entry in matching] or [
            entry.partial_id for entry in entries.values()
        ]
        raise UnknownUnitError(name, "manifest entry", known)
    return matching[0]


def _cited_keys(job: Job) -> Iterator[str]:
    try:
        expressions = requirements(job) if job.requires else ()
    except ExpressionError:
        return  # told where the job is to start
    for expression in expressions:
        yield from _keys_in(expression)


def _keys_in(expression: ResourceExpression) -> Iterator[str]:
    for name, resource_id in zip(expression.names, expression.resource_ids, strict=True):
        if resource_id == MANIFEST:
            yield from re.findall(rf"\b{re.escape(name)}\.(\w+)", expression.text)


def required_answers(job: Job) -> list[tuple[str, str]]:
    """Return the ids in the job's field `requires_manifest`, each with the answer it wants.

    The field is a list of ids, which want True, and of objects of ids and values.
    """
    text = job.get("requires_manifest")
    if not text:
        return []
    try:
        items = msgspec.json.decode(text)
    except RecursionError:  # a fault of the job, which quotes some of it
        items = [f"{text[:_SHOWN]}..."]
    except msgspec.DecodeError:
        items = [line.strip() for line in text.splitlines() if line.strip()]
    wanted: dict[str, Any] = {}
    for item in items if isinstance(items, list) else [items]:
        wanted |= item if isinstance(item, dict) else {str(item): True}
    return [
        (job.qualify(encodable(entry_id)), _as_answer(value)) for entry_id, value in wanted.items()
    ]


def _as_answer(value: object) -> str:
    """Return the answer as answers are kept; nobody gives one that is nested."""
    return encodable(str(value)) if isinstance(value, bool | int | float | str) else ""
