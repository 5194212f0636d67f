"""The forms of one secret, and where a text that is read has them."""

from __future__ import annotations

import re
from base64 import b64encode
from contextlib import suppress
from typing import TYPE_CHECKING, Final, NamedTuple
from unicodedata import normalize

from holdall.redaction.readings import without_controls

if TYPE_CHECKING:
    from collections.abc import Iterator

SHORTEST_ENCODED: Final = 4
"""Bytes of a secret below which its base64 and hex would be found everywhere."""

_ENCODINGS: Final = ("utf-8", "utf-16-le", "utf-16-be")
_OF_BASE64URL: Final = str.maketrans("-_", "+/")
_NO_HEX: Final = {ord(char): None for char in "\t\n\r :,._-\\x"}


class Text:
    """A text in the spellings that forms are looked up in, each made when it is wanted."""

    def __init__(self, text: str) -> None:
        self.text = text
        self.folded = folded(text)
        self._joined: str | None = None
        self._hex: str | None = None

    @property
    def joined(self) -> str:
        """The text without blanks and line ends, base64url in it written as base64."""
        if self._joined is None:
            self._joined = "".join(self.text.split()).translate(_OF_BASE64URL)
        return self._joined

    @property
    def digits(self) -> str:
        """The text in lower case without what stands between the digits of a dump."""
        if self._hex is None:
            self._hex = self.folded.replace("0x", "").translate(_NO_HEX)
        return self._hex


def folded(text: str) -> str:
    """Return *text* in lower case, character by character."""
    # Of all characters only this one would become two, and this one depends on its neighbours.
    lower = text.replace("\u0130", "i").lower() if "\u0130" in text else text.lower()
    return lower.replace("\u03c2", "\u03c3") if not lower.isascii() else lower


class _Encoded(NamedTuple):
    """A form whose parts may stand apart.

    Attributes:
        core: What a text without anything in between has, so that most need no expression.
    """

    core: str
    expression: re.Pattern[str]


class Secret:
    """A secret in every form that it is known in."""

    def __init__(self, secret: str) -> None:
        spellings = {secret, *(normalize(form, secret) for form in ("NFC", "NFD"))}
        spellings |= {spelling.replace(" ", "+") for spelling in spellings}
        data = [secret.encode(name, "surrogatepass") for name in _ENCODINGS]
        with suppress(UnicodeEncodeError):
            data.append(secret.encode("latin-1"))
        data = list(dict.fromkeys(data))
        spellings |= {without_controls(part.decode("utf-8", "surrogateescape")) for part in data}
        spellings |= {without_controls(spelling) for spelling in spellings}
        self._plain: Final = sorted({folded(spelling) for spelling in spellings} - {""})
        is_long = len(data[0]) >= SHORTEST_ENCODED
        encoded = data if is_long else []
        self._base64: Final = [_base64(part, offset) for part in encoded for offset in range(3)]
        self._hex: Final = [_hex(part) for part in encoded]

    def spans(self, text: Text) -> Iterator[tuple[int, int]]:
        """Yield where *text* has the secret, in no order."""
        for spelling in self._plain:
            yield from _places(text.folded, spelling)
        for form in self._base64:
            if form.core in text.joined:
                yield from (match.span() for match in form.expression.finditer(text.text))
        for form in self._hex:
            if form.core in text.digits:
                yield from (match.span() for match in form.expression.finditer(text.folded))

    def may_go_on(self, text: Text) -> bool:
        """Whether *text* ends in the beginning of a form that goes on over the end of a line."""
        joined = text.joined.translate(_STANDARD)
        return any(_ends_in_part(joined, form.core) for form in self._base64) or any(
            _ends_in_part(text.digits, form.core) for form in self._hex
        )


def _ends_in_part(text: str, whole: str) -> bool:
    return any(text.endswith(whole[:size]) for size in range(1, len(whole) + 1))


def _places(text: str, part: str) -> Iterator[tuple[int, int]]:
    start = text.find(part)
    while start >= 0:
        end = start + len(part)
        yield start, end
        start = text.find(part, end)


def _hex(data: bytes) -> _Encoded:
    digits = data.hex()
    pairs = [digits[at : at + 2] for at in range(0, len(digits), 2)]
    return _Encoded(digits, re.compile(r"(?:[\s:,._-]{0,4}(?:0x|\\x)?)".join(pairs)))


def _base64(data: bytes, offset: int) -> _Encoded:
    """Return the form of *data* in base64, behind *offset* bytes of something else.

    Characters at the edges hold bits of the neighbours too, so any may stand there.
    """
    text = b64encode(bytes(offset) + data).decode().rstrip("=")
    start = (0, 2, 3)[offset]
    end = len(text) - bool((offset + len(data)) % 3)
    core = text[start:end]
    blanks = r"\s{0,16}"
    inner = blanks.join(_EITHER.get(char, char) for char in core)
    any_one = "[-A-Za-z0-9+/_]"
    before = f"{any_one}{blanks}" if offset else ""
    behind = f"(?:{blanks}{any_one})?(?:{blanks}=){{0,2}}" if end < len(text) else ""
    return _Encoded(core, re.compile(f"{before}{inner}{behind}"))


_EITHER: Final = {"+": "[-+]", "/": "[/_]"}
_STANDARD: Final = str.maketrans("-_", "+/")
