"""The grammar of fields that list ids: words, words in quotes, comments.

A bare word ends at white space, `,`, `=` or `#`; a backslash is an ordinary
character. A word in `"` may hold all of these; a quote counts only where a word
begins. A `#` outside quotes begins a comment, also right behind a word.
"""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Final

if TYPE_CHECKING:
    from collections.abc import Iterator

_TOKEN: Final = re.compile(
    r"""\s+ | \#[^\n]* | "(?P<quoted>[^"]*)" | (?P<sign>[,=]) | (?P<word>[^\s,=\#"][^\s,=\#]*)""",
    re.VERBOSE,
)
_PLAIN: Final = re.compile(r'[^"#=]*')
_SEPARATORS: Final = re.compile(r"[\s,]+")


def list_words(text: str) -> tuple[str, ...]:
    """Return the words between blanks, commas and newlines; a quote left open ends the list."""
    if _PLAIN.fullmatch(text):
        return tuple(word for word in _SEPARATORS.split(text) if word)
    try:
        return tuple(word for word, is_sign in _tokens(text) if not is_sign)
    except ValueError as error:
        return list_words(text[: error.args[1]])


def statement(line: str) -> tuple[str, tuple[tuple[str, str], ...]] | None:
    """Return the word of `WORD [NAME=VALUE, NAME=VALUE...]` and its settings, None if it is blank.

    Raises:
        ValueError: The line is nothing of the kind.
    """
    tokens = list(_tokens(line))
    if not tokens:
        return None
    (word, is_sign), *rest = tokens
    if is_sign:
        raise ValueError(f"it begins with {word!r}; begin with an id or a pattern")
    return word, tuple(_settings(rest))


def _settings(tokens: list[tuple[str, bool]]) -> Iterator[tuple[str, str]]:
    while tokens:
        match tokens:
            case [(name, False), ("=", True), (value, False), *tokens]:
                yield name, value
            case _:
                text = "".join(word for word, _is_sign in tokens[:3])
                raise ValueError(f"{text!r} overrides nothing; write NAME=VALUE behind the id")
        match tokens:
            case []:
                return
            case [(",", True), _, *_]:
                tokens = tokens[1:]
            case [(following, _), *_]:
                raise ValueError(f"{following!r} stands where a comma and NAME=VALUE can")


def _tokens(text: str) -> Iterator[tuple[str, bool]]:
    """Yield each word, and each sign marked as one.

    Raises:
        ValueError: A quote is left open; its place is the second argument.
    """
    position = 0
    while position < len(text):
        match = _TOKEN.match(text, position)
        if match is None:
            raise ValueError("a quote is left open", position)
        position = match.end()
        if match.lastgroup is not None:
            yield match[match.lastgroup], match.lastgroup == "sign"
