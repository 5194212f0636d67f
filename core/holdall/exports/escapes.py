"""Terminal escape sequences taken out of text that comes in pieces."""

from __future__ import annotations

import re
from typing import Final

# A whole sequence: CSI; strings (OSC, DCS, SOS, PM, APC) with their end; both in ESC and C1 form;
# longer and two-character escapes. Last, the marks of sequences that never end, which would make
# a terminal listen. NEL is a C1 control too, but no mark of anything.
_SEQUENCE: Final = re.compile(
    r"(?:\x1b\[|\x9b)[0-?]{0,256}[ -/]{0,16}[@-~]"
    r"|(?:\x1b[]PX^_]|[\x9d\x90\x98\x9e\x9f])[^\x07\x1b\x9c\n]{0,4096}(?:\x07|\x1b\\|\x9c)"
    r"|\x1b[ -/]{1,16}[0-~]"
    r"|\x1b[0-OQ-WYZ\\`-~]"
    r"|\x1b[\[\]PX^_]?|[\x80-\x84\x86-\x9f]"
)

# What may be the beginning of one, at the end of a piece.
_BEGUN: Final = re.compile(
    r"(?:"
    r"(?:\x1b\[|\x9b)[0-?]{0,256}[ -/]{0,16}"
    r"|(?:\x1b[]PX^_]|[\x9d\x90\x98\x9e\x9f])[^\x07\x1b\x9c\n]{0,4096}\x1b?"
    r"|\x1b[ -/]{0,16}"
    r")\Z"
)

_ANY: Final = re.compile(r"[\x1b\x80-\x84\x86-\x9f]")


class EscapeStripper:
    """Takes escape sequences out of one stream of text, also ones cut by its pieces.

    Of a sequence that never ends only the introducer goes, so that a job can't
    hide what it prints behind one.
    """

    __slots__ = ("_begun",)

    def __init__(self) -> None:
        self._begun = ""

    def feed(self, text: str) -> str:
        """Return *text* without sequences; the beginning of one may be held back."""
        if self._begun:
            text, self._begun = self._begun + text, ""
        elif not _has_any(text):
            return text
        begun = _begun_at(text)
        if begun < len(text):
            text, self._begun = text[:begun], text[begun:]
        return _SEQUENCE.sub("", text)

    def finish(self) -> str:
        """Return what was held back, as text, and be ready for another stream."""
        text, self._begun = self._begun, ""
        return _SEQUENCE.sub("", text)


def strip_escapes(text: str) -> str:
    """Return *text* without terminal escape sequences."""
    return _SEQUENCE.sub("", text) if _has_any(text) else text


def _has_any(text: str) -> bool:
    """Whether there is a mark of a sequence; in ASCII there is but one."""
    return "\x1b" in text or (not text.isascii() and _ANY.search(text) is not None)


def _begun_at(text: str) -> int:
    """Return where the sequence that *text* ends in begins; its length if there is none."""
    for found in _ANY.finditer(text, max(0, len(text) - _LONGEST)):
        if _BEGUN.match(text, found.start()):
            return found.start()
    return len(text)


_LONGEST: Final = 4096 + 8
