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
import warnings
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
        """What the partial ids that are meant begin with, as far as that is easy to see."""
        return self.text.rpartition("::")[2] if self.fixed else _prefix(self.text)


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
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", FutureWarning)  # what later Pythons may read otherwise
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
    """Return what comes literally behind the namespace in an expression; nothing if in doubt."""
    namespace, separator, rest = text.partition("::")
    run = _RUN.match(rest)
    if not separator or run is None or _STRUCTURED.search(namespace):
        return ""
    if "|" in rest and _has_branches(rest):
        return ""  # the beginning may be that of one branch alone
    literal = _ESCAPE.sub(r"\1", run[0])
    return literal[:-1] if rest[run.end() : run.end() + 1] in _REPEATS else literal


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
_RUN: Final = re.compile(r"(?:[^\\.^$*+?{}\[\]|()]|\\[^A-Za-z0-9])+")
_STRUCTURED: Final = re.compile(r"[|()\[]")
_REPEATS: Final = frozenset("*?{")
# A brace that begins no count, a bracket that closes none, and a class of one are literal too.
_LITERAL: Final = re.compile(
    r"""(?:\(\?[aimsux]+\))?
        (?: [^\\.^$*+?{\[|()]
          | \{(?!(?:\d+(?:,\d*)?|,\d*)\})
          | \\(?:[^A-Za-z0-9]|[afnrtv]|0[0-7]{0,2}|[1-3][0-7]{2})
          | \[(?:\]|([^\^\\\]])\1*|\\[^A-Za-z0-9])\]
        )*""",
    re.VERBOSE,
)
