"""Secrets masked in every report, before its exporter sees them.

Every text of the session is masked as a reader could read it, ids and names too, and
logs and attachments are. What is masked is counted by rule, and never shown.

    manager.hooks.register(Redaction(RedactionRules(secrets={"TOKEN": token})))
    holdall.export(storage, "html", "report.html", redact=RedactionRules(keys=("password",)))
"""

from __future__ import annotations

from collections import Counter
from copy import copy
from typing import TYPE_CHECKING, Final

from holdall.hooks import hookimpl
from holdall.languages import name_of
from holdall.redaction import MASK, Masker
from holdall.results import Attachment
from holdall.view import ViewFilter

if TYPE_CHECKING:
    from collections.abc import Generator, Iterator, Mapping

    from holdall.languages import Catalog
    from holdall.redaction import RedactionRules
    from holdall.results import IOLogRecord
    from holdall.view import Location, OpenBlob, SessionView

__all__ = ["LARGEST_ATTACHMENT", "MASK", "Redaction", "filter_view"]

LARGEST_ATTACHMENT: Final = 16 << 20
"""Bytes of an attachment that are searched; a larger one is left out."""


class Redaction:
    """Masks what its rules say in all exports of the manager that it is registered with."""

    def __init__(self, rules: RedactionRules) -> None:
        self.rules = rules

    @hookimpl(wrapper=True)
    def filter_view(self, changes: Counter[str]) -> Generator[None, SessionView, SessionView]:
        """Give the exporter a view in which the secrets are masked."""
        view = yield
        return view.filtered(_Masks(self.rules, changes))


@hookimpl(wrapper=True)
def filter_view(
    redact: RedactionRules, changes: Counter[str]
) -> Generator[None, SessionView, SessionView]:
    """Mask what the caller of the export wants masked."""
    view = yield
    return view.filtered(_Masks(redact, changes)) if redact else view


class _Masks(ViewFilter):
    """Shows texts, ids, logs and attachments with secrets masked, and counts each one once."""

    def __init__(self, rules: RedactionRules, changes: Counter[str]) -> None:
        self._masker = Masker(rules)
        self._changes = changes
        self._counted: dict[tuple[Location, str], int] = {}
        # Equal only for rules that mask alike, and kept in memory alone.
        self.log_key: tuple[object, ...] = (
            type(self),
            *rules.secrets.items(),
            rules.patterns,
            rules.keys,
        )
        for name in rules.names:
            changes[name] += 0

    def with_catalog(self, catalog: Catalog) -> _Masks:
        """Return this filter with the mark in the language of *catalog*; both count as one."""
        if catalog.gettext(MASK) == MASK:
            return self  # which shares what is remembered with those that ask for no language
        other = copy(self)
        other._masker = self._masker.with_catalog(catalog)  # noqa: SLF001 - of a copy
        # What is remembered of a log has the mark of one language.
        other.log_key = (*self.log_key, name_of(catalog))
        return other

    def text(self, text: str, location: Location) -> str:
        """Return *text* with its secrets masked."""
        counts: Counter[str] = Counter()
        shown = self._masker.text(text, counts)
        self.count(counts, location)
        return shown

    def value(self, name: str, text: str, location: Location) -> str:
        """Return a value masked as a whole if it goes by a name that is a key."""
        counts: Counter[str] = Counter()
        shown = self._masker.value(name, text, counts)
        self.count(counts, location)
        return shown

    def identifier(self, kind: str, text: str) -> str:
        """Return an id masked, the same everywhere and distinct from others."""
        return self._masker.identifier(kind, text, self._changes)

    def log(self, records: Iterator[IOLogRecord], location: Location) -> Iterator[IOLogRecord]:
        """Return the log with its secrets masked, piece by piece."""
        counts: Counter[str] = Counter()
        yield from self._masker.records(records, counts)
        self.count(counts, location)

    def counted(self, location: Location) -> dict[str, int]:
        """Return what was masked at *location*, by rule."""
        counts = {rule: self._counted.get((location, rule), 0) for rule in self._masker.names}
        return {rule: number for rule, number in counts.items() if number}

    def count(self, counts: Mapping[str, int], location: Location) -> None:
        """Count what was masked in the text or log at *location*, unless it is counted already."""
        for rule, number in counts.items():
            before = self._counted.get((location, rule), 0)
            if number > before:
                self._counted[(location, rule)] = number
                self._changes[rule] += number - before

    def attachments(
        self, attachments: tuple[Attachment, ...], location: Location, open_blob: OpenBlob
    ) -> tuple[Attachment, ...]:
        """Return the attachments with their secrets masked."""
        masked = (
            self._attachment(
                attachment, location._replace(field=f"attachment {number}"), open_blob
            )
            for number, attachment in enumerate(attachments)
        )
        return tuple(attachment for attachment in masked if attachment is not None)

    def _attachment(
        self, attachment: Attachment, location: Location, open_blob: OpenBlob
    ) -> Attachment | None:
        if attachment.size > LARGEST_ATTACHMENT:
            self.count({"attachments too large to be searched": 1}, location)
            return None
        data = attachment.data
        if attachment.ref is not None:
            with open_blob(attachment.ref) as content:
                data = content.read()
        counts: Counter[str] = Counter()
        shown = self._masker.data(data or b"", counts)
        self.count(counts, location)
        if not counts:
            return attachment
        return Attachment(
            name=attachment.name, media_type=attachment.media_type, size=len(shown), data=shown
        )
