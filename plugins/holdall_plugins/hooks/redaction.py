"""Secrets masked in every report, before its exporter sees them.

A secret is found in texts, logs and attachments: as it is, in base64 at any
offset, URL-quoted and escaped as in JSON; also where a job wrote it in pieces.
Ids stay what they are. What is masked is counted by rule, and never shown.

    manager.hooks.register(Redaction(RedactionRules(secrets={"TOKEN": token})))
    holdall.export(storage, "html", "report.html", redact=RedactionRules(keys=("password",)))
"""

from __future__ import annotations

import json
import re
from base64 import b64encode
from typing import TYPE_CHECKING, Final
from urllib.parse import quote, quote_plus

from holdall.hooks import hookimpl
from holdall.results import Attachment
from holdall.view import ViewFilter
from holdall.writing import masked_records

if TYPE_CHECKING:
    from collections import Counter
    from collections.abc import Generator, Iterator, Mapping

    from holdall.exports import RedactionRules
    from holdall.results import IOLogRecord
    from holdall.view import Location, OpenBlob, SessionView

MASK: Final = "[redacted]"

LARGEST_ATTACHMENT: Final = 16 << 20
"""Bytes of an attachment that are searched; a larger one is left out."""

_SHORTEST_ENCODED: Final = 4  # what is shorter would be found everywhere in base64


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
    """Shows texts, logs and attachments with secrets masked, and counts each one once."""

    def __init__(self, rules: RedactionRules, changes: Counter[str]) -> None:
        self._rules = rules.names
        self._changes = changes
        self._counted: dict[tuple[Location, str], int] = {}
        self._keys = {
            key.casefold(): name
            for key, name in zip(rules.keys, rules.names[-len(rules.keys) :], strict=False)
        }
        self._pattern = _compiled(rules)
        self.log_key = (type(self), self._rules, self._pattern.pattern)
        for name in rules.names:
            changes[name] += 0

    def text(self, text: str, location: Location) -> str:
        """Return *text* with its secrets masked."""
        shown, counts = self._masked(text)
        self.count(counts, location)
        return shown

    def value(self, name: str, text: str, location: Location) -> str:
        """Return a value masked as a whole if it goes by a name that is a key."""
        rule = self._keys.get(name.casefold())
        if rule is None or not text:
            return self.text(text, location)
        self.count({rule: 1}, location)
        return MASK

    def log(self, records: Iterator[IOLogRecord], location: Location) -> Iterator[IOLogRecord]:
        """Return the log with its secrets masked, piece by piece."""
        counts: dict[str, int] = {}
        yield from masked_records(records, self._pattern, lambda match: self._mask(match, counts))
        self.count(counts, location)

    def counted(self, location: Location) -> dict[str, int]:
        """Return what was masked at *location*, by rule."""
        counts = {rule: self._counted.get((location, rule), 0) for rule in self._rules}
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
        text = (data or b"").decode("utf-8", "surrogateescape")
        shown, counts = self._masked(text)
        name = self.text(attachment.name, location._replace(field=f"{location.field} name"))
        self.count(counts, location)
        if not counts:
            return attachment if name == attachment.name else _renamed(attachment, name)
        other = shown.encode("utf-8", "surrogateescape")
        return Attachment(name=name, media_type=attachment.media_type, size=len(other), data=other)

    def _masked(self, text: str) -> tuple[str, dict[str, int]]:
        counts: dict[str, int] = {}
        if not text:
            return text, counts
        return self._pattern.sub(lambda match: self._mask(match, counts), text), counts

    def _mask(self, match: re.Match[str], counts: dict[str, int]) -> str:
        """Return what is shown in place of a match, and count it by its rule."""
        number = int((match.lastgroup or "r0")[1:])
        rule = self._rules[number]
        counts[rule] = counts.get(rule, 0) + 1
        kept = match.groupdict().get(f"k{number}") or ""
        return kept + MASK


def _renamed(attachment: Attachment, name: str) -> Attachment:
    return Attachment(
        name=name,
        media_type=attachment.media_type,
        size=attachment.size,
        data=attachment.data,
        ref=attachment.ref,
    )


def _compiled(rules: RedactionRules) -> re.Pattern[str]:
    """Return one expression for all rules; the group `rN` is that of rule N."""
    parts = [_forms(secret) for secret in rules.secrets.values()]
    parts += [f"(?:{pattern})" for pattern in rules.patterns]
    numbered = [f"(?P<r{number}>{part})" for number, part in enumerate(parts)]
    for number, key in enumerate(rules.keys, start=len(parts)):
        before = rf"(?i:(?<![\w-]){re.escape(key)}[\"']?[ \t]*[:=][ \t]*)"
        value = r"(?:\"(?:[^\"\\\n]|\\.)*\"|'[^'\n]*'|[^\s,;&\"'}\]]+)"
        numbered.append(f"(?P<r{number}>(?P<k{number}>{before}){value})")
    return re.compile("|".join(numbered) or r"(?!)")


def _forms(secret: str) -> str:
    """Return an expression for every form of a secret, the longest first."""
    plain = {
        secret,
        quote(secret, safe=""),
        quote(secret),
        quote_plus(secret),
        json.dumps(secret)[1:-1],
        json.dumps(secret, ensure_ascii=False)[1:-1],
        json.dumps(secret)[1:-1].replace("/", "\\/"),
    }
    plain |= {re.sub("%[0-9A-F]{2}", lambda m: m[0].lower(), form) for form in plain}
    forms = [re.escape(form) for form in sorted(plain, key=lambda form: (-len(form), form))]
    data = secret.encode("utf-8", "surrogateescape")
    if len(data) >= _SHORTEST_ENCODED:
        forms += [_base64(data, offset) for offset in range(3)]
    return "|".join(forms)


def _base64(data: bytes, offset: int) -> str:
    """Return an expression for *data* in base64, behind *offset* bytes of something else.

    Characters at the edges hold bits of the neighbours too, so any may stand there.
    """
    text = b64encode(bytes(offset) + data).decode().rstrip("=")
    start = (0, 2, 3)[offset]
    end = len(text) - bool((offset + len(data)) % 3)
    core = re.escape(text[start:end]).replace("\\+", "[-+]").replace("/", "[/_]")
    any_one = "[-A-Za-z0-9+/_]"
    return f"{any_one if offset else ''}{core}" + (f"{any_one}={{0,2}}" if end < len(text) else "")
