"""Masks what rules say, in texts, values, files and logs."""

from __future__ import annotations

import re
from copy import copy
from typing import TYPE_CHECKING, Final, NamedTuple

from holdall.languages import N_
from holdall.redaction.forms import Secret, Text, folded
from holdall.redaction.readings import readings, without_controls
from holdall.redaction.rules import RedactionRules
from holdall.writing import LARGEST_MATCH, MaskedLog, Span, masked_log

if TYPE_CHECKING:
    from collections import Counter
    from collections.abc import Iterable, Iterator

    from holdall.languages import Catalog
    from holdall.results import IOLogRecord

MASK: Final = N_("[redacted]")
"""What stands in the place of a secret."""

_SHORTEST_HOLD: Final = 4096

_LONGEST_FORM: Final = 64
"""How many characters stand for one of a secret, if no control characters are among them."""

_LINES_TRIED: Final = 16

# What a pattern has if a line end may be part of its match; in doubt it may.
_LINE_END: Final = re.compile(r"[\x00-\x1f]|\\[sWDnrtfvxuUN0-9]|\\[ab]-|\[\^|\(\?[A-Za-z-]*s")


class _Hit(NamedTuple):
    start: int
    end: int
    rule: int


class Masker:
    """Masks what *rules* say; a text without it is returned as it is.

    Attributes:
        names: What each rule is called; counts go by these.
        hold: Characters of a log to hold back, because a secret may have begun in them.
        exact: What masks the secrets alone, which nothing matches by chance.
    """

    def __init__(self, rules: RedactionRules) -> None:
        self.names: Final = rules.names
        self._secrets: Final = [Secret(secret) for secret in rules.secrets.values()]
        first = len(self._secrets)
        self._expressions: Final = [
            (number, re.compile(pattern)) for number, pattern in enumerate(rules.patterns, first)
        ]
        first += len(rules.patterns)
        self._keys: Final = {key.casefold(): n for n, key in enumerate(rules.keys, first)}
        self._values: Final = [
            (n, folded(key), _key_value(key)) for n, key in enumerate(rules.keys, first)
        ]
        longest = max(map(len, rules.secrets.values()), default=0)
        self._longest: Final = _LONGEST_FORM * longest
        self._may_span_lines: Final = any(
            "\n" in value for value in rules.secrets.values()
        ) or any(map(_LINE_END.search, rules.patterns))
        self.hold: Final = (
            LARGEST_MATCH
            if self._expressions or self._values
            else min(LARGEST_MATCH, max(_SHORTEST_HOLD, self._longest))
        )
        is_exact = not self._expressions and not self._values
        self.exact: Final = self if is_exact else Masker(RedactionRules(secrets=rules.secrets))
        self._mask = MASK
        self._ids: Final[dict[tuple[str, str], str]] = {}
        self._used: Final[set[tuple[str, str]]] = set()

    def with_catalog(self, catalog: Catalog) -> Masker:
        """Return this masker with its mark in the language of *catalog*; ids stay as they are."""
        other = copy(self)
        other._mask = catalog.gettext(MASK)  # noqa: SLF001 - of a copy
        return other

    def text(self, text: str, counts: Counter[str] | None = None) -> str:
        """Return *text* masked, and count in *counts* what was."""
        return self._masked(text, self._mask, counts)

    def _masked(self, text: str, mask: str, counts: Counter[str] | None) -> str:
        hits = self._hits(text) if text else []
        if not hits:
            return text
        shown: list[str] = []
        position = 0
        for start, end, rule in hits:
            shown += text[position:start], mask
            position = end
            if counts is not None:
                counts[self.names[rule]] += 1
        shown.append(text[position:])
        return "".join(shown)

    def value(self, name: str, text: str, counts: Counter[str] | None = None) -> str:
        """Return a value masked, as a whole if it goes by a name that is a key."""
        rule = self._keys.get(name.casefold())
        if rule is None or not text:
            return self.text(text, counts)
        if counts is not None:
            counts[self.names[rule]] += 1
        return self._mask

    def identifier(self, kind: str, text: str, counts: Counter[str] | None = None) -> str:
        """Return an id masked: the same each time, and another for each id of its kind."""
        known = self._ids.get((kind, text))
        if known is not None:
            return known
        masked = shown = self._masked(text, MASK, counts)
        number = 1
        while (kind, shown) in self._used:
            number += 1
            shown = f"{masked}-{number}"
        self._used.add((kind, shown))
        self._ids[kind, text] = shown
        self._ids.setdefault((kind, shown), shown)  # what is masked already stays
        return shown

    def data(self, data: bytes, counts: Counter[str] | None = None) -> bytes:
        """Return the content of a file masked."""
        text = data.decode("utf-8", "surrogateescape")
        shown = self.text(text, counts)
        return data if shown == text else shown.encode("utf-8", "surrogateescape")

    def records(
        self, records: Iterable[IOLogRecord], counts: Counter[str] | None = None
    ) -> Iterator[IOLogRecord]:
        """Yield the records of a log masked, in bounded memory."""
        return masked_log(records, lambda text: self._spans(text, counts))

    def log(self) -> MaskedLog:
        """Return a log that masks what it is fed."""
        return MaskedLog(
            lambda text: self._spans(text, None), hold=self.hold, settled=self._settled
        )

    def _settled(self, text: str) -> int:
        """Return how many characters of *text* no unfinished match can have begun in."""
        if self._may_span_lines:
            return 0
        by_length = 0
        if not self._expressions and not self._values and without_controls(text) is text:
            by_length = len(text) - self._longest
        end = len(text)
        for _line in range(_LINES_TRIED):
            end = text.rfind("\n", 0, end) + 1
            if end <= by_length or not self._goes_on(text[:end]):
                break
            end -= 1
        else:
            end = 0
        return max(by_length, end)

    def _goes_on(self, text: str) -> bool:
        """Whether a secret in hex or base64 may have begun at the end of *text*."""
        texts = [Text(reading.text) for reading in readings(text[-self.hold :])]
        return any(secret.may_go_on(part) for secret in self._secrets for part in texts)

    def _spans(self, text: str, counts: Counter[str] | None) -> Iterator[Span]:
        def show(rule: int) -> str:
            if counts is not None:
                counts[self.names[rule]] += 1
            return self._mask

        for start, end, rule in self._hits(text):
            yield Span(start, end, lambda rule=rule: show(rule))  # type: ignore[misc]

    def _hits(self, text: str) -> list[_Hit]:
        """Return what to mask of *text*, in order; what overlaps is one."""
        hits: list[_Hit] = []
        for hit in sorted(self._all_hits(text), key=lambda hit: (hit.start, -hit.end, hit.rule)):
            if not hits or hit.start >= hits[-1].end:
                hits.append(hit)
            elif hit.end > hits[-1].end:
                hits[-1] = hits[-1]._replace(end=hit.end)
        return hits

    def _all_hits(self, text: str) -> Iterator[_Hit]:
        for reading in readings(text):
            spellings = Text(reading.text)
            for rule, secret in enumerate(self._secrets):
                for start, end in secret.spans(spellings):
                    yield _Hit(*reading.location(start, end), rule)
            for rule, expression in self._expressions:
                for match in expression.finditer(reading.text):
                    if match[0]:
                        yield _Hit(*reading.location(*match.span()), rule)
            for rule, key, expression in self._values:
                matches = expression.finditer(reading.text) if key in spellings.folded else ()
                for match in matches:
                    yield _Hit(*reading.location(*match.span("value")), rule)


def _key_value(key: str) -> re.Pattern[str]:
    """Return an expression for a key and the group `value` behind it."""
    name = rf"(?i:(?<![\w-]){re.escape(key)}[\"']?[ \t]*[:=][ \t]*)"
    return re.compile(f"{name}(?P<value>{_VALUE})")


# Brackets that a value begins with close it, so that a mask is a value as well; others are part
# of it, but for those that close what it stands in.
_END: Final = r"(?=[\s,;&\"'}\]]|\Z)"
_VALUE: Final = "|".join(
    (
        r"\"(?:[^\"\\\n]|\\.)*\"",
        r"'[^'\n]*'",
        rf"\[(?:[^\[\]\n]|\[[^\[\]\n]*\])*\]{_END}",
        rf"\{{(?:[^{{}}\n]|\{{[^{{}}\n]*\}})*\}}{_END}",
        r"[^\s,;&\"']*[^\s,;&\"'}\]]",
    )
)
