"""A configuration file that was read, and what is wrong in it, with the place."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Any

from holdall.errors import ConfigurationError, PolicyError, near

if TYPE_CHECKING:
    from pathlib import Path


class TomlFile:
    """A file that was read, for errors that name the location."""

    def __init__(self, path: Path, text: str) -> None:
        self._path = path
        self._lines = text.splitlines()

    def location(self, *keys: str) -> str:
        """Return file, line and key; the line of what the key is in, if it has none of its own."""
        dotted = ".".join(keys)
        for length in range(len(keys), 0, -1):
            line = self._line(keys[:length])
            if line:
                return f"{self._path}:{line}, {dotted}"
        return f"{self._path}, {dotted}"

    def _line(self, keys: tuple[str, ...]) -> int:
        """Return the number of the line with a key, 0 if it can't be found out."""
        quoted = [rf"[\"']?{re.escape(key)}[\"']?" for key in keys]
        header = r"\s*\.\s*".join(quoted)
        pattern = rf"^\s*\[\s*{header}\s*[\].]|^\s*(?:[\w.-]+\.)?{quoted[-1]}\s*[=.]"
        found = (n for n, line in enumerate(self._lines, start=1) if re.match(pattern, line))
        return next(found, 0)

    def table(self, value: Any, *keys: str) -> dict[str, Any]:
        """Return *value*, which must be a table."""
        if isinstance(value, dict):
            return value
        raise self.refuse(f"it is {value!r} and should be a table", *keys)

    def text(self, value: Any, *keys: str) -> str:
        """Return *value*, which must be a text with something in it."""
        if isinstance(value, str) and value:
            return value
        raise self.refuse(f"it is {value!r} and should be a text", *keys)

    def string(self, value: Any, *keys: str) -> str:
        """Return *value*, which must be a text."""
        return value if value == "" and isinstance(value, str) else self.text(value, *keys)

    def texts(self, value: Any, *keys: str) -> list[str]:
        """Return *value*, which must be a list of texts."""
        if isinstance(value, list) and all(isinstance(item, str) for item in value):
            return value
        raise self.refuse(f"it is {value!r} and should be a list of texts", *keys)

    def known(self, table: dict[str, Any], names: tuple[str, ...], *keys: str) -> None:
        """Refuse a key of *table* that means nothing."""
        for key in table:
            if key not in names:
                reason = f"there is no such key{near(key, names)} (keys: {', '.join(names)})"
                raise self.refuse(reason, *keys, key)

    def refuse(self, reason: str, *keys: str) -> ConfigurationError | PolicyError:
        """Return the error that says what is wrong at *keys*."""
        kind = PolicyError if keys[0] == "plugins" else ConfigurationError
        return kind(self.location(*keys), reason)
