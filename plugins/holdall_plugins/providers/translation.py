"""Texts of units in another language: compiled catalogs, or the `po` files of a source tree."""

from __future__ import annotations

import ast
import re
from gettext import GNUTranslations
from typing import TYPE_CHECKING, Final

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping
    from pathlib import Path

    from holdall_plugins.providers.definition import Definition

LANGUAGE: Final = re.compile(r"[A-Za-z]{2,3}([_@-][A-Za-z0-9]+)*")
_PROSE: Final = frozenset(
    {
        *("summary", "name", "description", "purpose", "steps", "verification"),
        *("template_summary", "template_description", "prompt"),
    }
)
_PO_LINE: Final = re.compile(r'(?:(msgid|msgstr|msgctxt|msgid_plural|msgstr\[\d+\])\s+)?(".*")')


class Texts:
    """The texts of one provider in one language."""

    def __init__(self, definition: Definition, lang: str) -> None:
        self._messages: Mapping[str, str] = {}
        self._compiled: GNUTranslations | None = None
        for name in _broader(lang):
            if self._read(definition, name):
                break

    def _read(self, definition: Definition, name: str) -> bool:
        domain, po = definition.gettext_domain, definition.po
        compiled = definition.locale and definition.locale / name / "LC_MESSAGES" / f"{domain}.mo"
        if domain and compiled and compiled.is_file():
            try:
                with compiled.open("rb") as file:
                    self._compiled = GNUTranslations(file)
            except (OSError, ValueError, UnicodeDecodeError, LookupError):
                return False
            return True
        if po and (po / f"{name}.po").is_file():
            self._messages = dict(_po_messages(po / f"{name}.po"))
            return True
        return False

    def of(self, fields: Mapping[str, str]) -> dict[str, str]:
        """Return *fields* with what people read of them translated."""
        return {
            name: self._translated(value) if _plain(name) in _PROSE and value else value
            for name, value in fields.items()
        }

    def _translated(self, text: str) -> str:
        if self._compiled is not None:
            return self._compiled.gettext(text)
        return self._messages.get(text) or text


def _plain(name: str) -> str:
    return name.removeprefix("_").replace("-", "_")


def _broader(lang: str) -> list[str]:
    """Return the names that the folder of *lang* may have: `de_AT`, then `de`."""
    name = lang.replace("-", "_")
    parts = re.split(r"[_@]", name)
    region = f"{parts[0].lower()}_{parts[1].upper()}" if len(parts) > 1 else ""
    return list(dict.fromkeys(filter(None, (name, region, parts[0].lower()))))


def _po_messages(path: Path) -> Iterator[tuple[str, str]]:
    """Yield message and translation of each plain entry; fuzzy ones and plurals are none."""
    try:
        text = path.read_text("utf-8", errors="replace")
    except OSError:
        return
    for entry in re.split(r"\n[ \t]*\n", text.replace("\r\n", "\n")):
        lines = [line.strip() for line in entry.split("\n")]
        if any(line.startswith("#,") and "fuzzy" in line for line in lines):
            continue
        parts: dict[str, str] = {}
        current = ""
        for line in lines:
            match = _PO_LINE.fullmatch(line)
            if match:
                current = match[1] or current
                parts[current] = parts.get(current, "") + _unquoted(match[2])
        if parts.get("msgid") and parts.get("msgstr") and "msgctxt" not in parts:
            yield parts["msgid"], parts["msgstr"]


def _unquoted(quoted: str) -> str:
    try:
        value = ast.literal_eval(quoted)
    except (SyntaxError, ValueError):
        return quoted[1:-1]
    return value if isinstance(value, str) else ""
