r"""Patterns: which ids a word in a list means.

The rules are those that Checkbox applies, odd ones included, because plans are
written against them:

- a word of literal characters is an id; one without `::` belongs to the namespace
- any other word is a regular expression, taken as `^NAMESPACE::WORD$`: `a|b` means
  all ids that begin with `a`, and `(a|b)` either of two
- what an override applies to is always a regular expression, so `disk\.read` is
  the id `disk.read` there, and an id that no job has in `include`
"""

from __future__ import annotations

import re
from functools import lru_cache
from typing import Final, NamedTuple

from holdall.units.unit import qualified


class Pattern(NamedTuple):
    """An id, or a regular expression that matches from the beginning of one."""

    text: str
    fixed: bool

    def matches_id(self, unit_id: str) -> bool:
        """Whether *unit_id* is meant."""
        if self.fixed:
            return self.text == unit_id
        return compiled(self.text).match(unit_id) is not None

    @property
    def prefix(self) -> str:
        """What every id that is meant begins with, as far as that is easy to see."""
        return self.text if self.fixed else _prefix(self.text)


def selector(word: str, namespace: str) -> Pattern:
    """Return what *word* selects in a plan of *namespace*.

    Raises:
        ValueError: It is no regular expression.
    """
    if _LITERAL.fullmatch(word):
        return Pattern(qualified(word, namespace), fixed=True)
    return _expression(word.removeprefix("^").removesuffix("$"), namespace)


def target(word: str, namespace: str) -> Pattern:
    """Return what an override of *word* in a plan of *namespace* applies to.

    Raises:
        ValueError: It is no regular expression.
    """
    if _WORD.fullmatch(word):
        return Pattern(qualified(word, namespace), fixed=True)
    if _ESCAPED.fullmatch(word):
        return Pattern(qualified(_ESCAPE.sub(r"\1", word), namespace), fixed=True)
    return _expression(word, namespace)


def free(text: str) -> Pattern:
    """Return a regular expression that needs no namespace: it matches from an id's beginning.

    Raises:
        ValueError: It is no regular expression.
    """
    return _checked(text, f"^{_scoped(text)}")


@lru_cache(maxsize=4096)
def compiled(text: str) -> re.Pattern[str]:
    """Return the regular expression that *text* is."""
    return re.compile(text)


def _expression(word: str, namespace: str) -> Pattern:
    scope = "" if "::" in word or not namespace else f"{re.escape(namespace)}::"
    return _checked(word, f"^{scope}{_scoped(word)}$")


def _checked(word: str, text: str) -> Pattern:
    try:
        compiled(text)
    except (re.error, OverflowError, RecursionError) as error:
        raise ValueError(f"{word!r} is no regular expression ({error})") from error
    return Pattern(text, fixed=False)


def _scoped(word: str) -> str:
    """Return *word* with flags for the whole of it where they may stand inside an expression."""
    flags = _FLAGS.match(word)
    return f"(?{flags[1]}:{word[flags.end() :]})" if flags else word


def _prefix(text: str) -> str:
    """Return the literal beginning of an expression that is anchored; nothing if in doubt."""
    run = _RUN.match(text, 1)
    if run is None or not text.startswith("^") or ("|" in text and _has_branches(text)):
        return ""  # what it begins with may be the beginning of one branch alone
    literal = _ESCAPE.sub(r"\1", run[0])
    return literal[:-1] if text[run.end() : run.end() + 1] in _REPEATS else literal


def _has_branches(text: str) -> bool:
    depth = 0
    for sign in _STRUCTURE.findall(text):
        depth += (sign == "(") - (sign == ")")
        if sign == "|" and not depth:
            return True
    return False


_STRUCTURE: Final = re.compile(r"\\.|\[\^?\]?[^\]]*\]|[()|]", re.DOTALL)
_FLAGS: Final = re.compile(r"\(\?([aimsux]+)\)")
_WORD: Final = re.compile(r"[^\\.^$*+?{}\[\]|()]*")
_ESCAPE: Final = re.compile(r"\\([^A-Za-z0-9])")
_ESCAPED: Final = re.compile(r"(?:[^\\.^$*+?{}\[\]|()]|\\[^A-Za-z0-9])*")
_RUN: Final = re.compile(r"(?:[^\\.^$*+?{}\[\]|()]|\\[^A-Za-z0-9])+")
_REPEATS: Final = frozenset("*?{")
# A brace that begins no count, and a bracket that closes none, are literal too.
_LITERAL: Final = re.compile(
    r"""(?:\(\?[aimsux]+\))?
        (?: [^\\.^$*+?{\[|()] | \{(?!(?:\d+(?:,\d*)?|,\d*)\}) | \\(?:[^A-Za-z0-9]|[afnrtv]) )*""",
    re.VERBOSE,
)
