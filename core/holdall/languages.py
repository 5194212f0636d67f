"""Catalogs of messages: what people read, in each language that is installed.

A package keeps its catalogs within itself, as gettext does: the German messages of
`acme` are in `acme/locale/de/LC_MESSAGES/acme.mo`. The messages are in English.
"""

from __future__ import annotations

from gettext import GNUTranslations, NullTranslations
from typing import TYPE_CHECKING, Final

from holdall.errors import UnknownLanguageError

if TYPE_CHECKING:
    from collections.abc import Mapping
    from importlib.resources.abc import Traversable

Catalog = NullTranslations
"""The messages of one language: `gettext`, `ngettext`, `pgettext` and `npgettext`."""

ENGLISH: Final = NullTranslations()
"""The catalog that returns each message as it is in the code."""

_OWN: Final = "holdall"


def N_(message: str) -> str:  # noqa: N802 - the name that translators' tools look for
    """Return *message* as it is: it marks a message of a table for translators' tools."""
    return message


def NN_(one: str, several: str) -> tuple[str, str]:  # noqa: N802 - as N_
    """Return a message for one thing, and for several, as `N_` does."""
    return one, several


def load_catalog(lang: str, package: str = _OWN) -> Catalog:
    """Return the catalog of *package* in *lang*, with that of holdall as its fallback.

    `de-AT` and `de_AT` fall back to `de`; English needs no catalog.

    Raises:
        UnknownLanguageError: Neither *package* nor holdall has a catalog in it.
    """
    if lang == "en":
        return ENGLISH
    packages = dict.fromkeys((package, _OWN))
    catalogs = [catalog for name in packages if (catalog := _loaded(lang, name)) is not None]
    if catalogs:
        first, *others = catalogs
        for behind in others:
            first.add_fallback(behind)
        return first
    if _broader(lang)[-1] == "en":
        return ENGLISH
    raise UnknownLanguageError(lang, languages(package))


def languages(package: str = _OWN) -> list[str]:
    """Return the languages that `load_catalog` knows for *package*, such as `pt-BR`."""
    folders = {**_folders(_OWN), **_folders(package)}
    return sorted({"en", *(folder.name.replace("_", "-") for folder in folders.values())})


def name_of(catalog: Catalog) -> str:
    """Return the language of *catalog*, as HTML and others name it: `en`, `pt-BR`."""
    return catalog.info().get("language", "en").replace("_", "-")


def grouped(value: int, catalog: Catalog) -> str:
    """Return *value* with the thousands separated as *catalog* has it: `1,234` in English."""
    # Translators: what stands between thousands: a comma in 1,234,567.
    return f"{value:,}".replace(",", catalog.pgettext("between thousands", ","))


def decimal(value: float, places: int, catalog: Catalog) -> str:
    """Return *value* with *places* behind the decimal point of *catalog*: `0.25` in English."""
    if catalog is ENGLISH:  # the most usual, and reports have one for each job
        return f"{value:.{places}f}"
    # Translators: what stands before tenths: a point in 0.25.
    return f"{value:.{places}f}".replace(".", catalog.pgettext("before tenths", "."))


def _loaded(lang: str, package: str) -> GNUTranslations | None:
    """Return the catalog of *package* that is nearest to *lang*, None if there is none."""
    folders = _folders(package)
    for name in _broader(lang):
        file = name in folders and folders[name] / "LC_MESSAGES" / f"{package}.mo"
        if file and file.is_file():
            with file.open("rb") as opened:
                return GNUTranslations(opened)
    return None


def _folders(package: str) -> Mapping[str, Traversable]:
    """Return the folders of the languages of *package*, by their names in lower case."""
    from importlib.resources import files

    folder = files(package) / "locale"
    if not folder.is_dir():
        return {}
    return {language.name.lower(): language for language in folder.iterdir() if language.is_dir()}


def _broader(lang: str) -> list[str]:
    """Return *lang* in lower case, then without its last part, and so on: `de_at`, `de`."""
    parts = lang.strip().lower().replace("-", "_").split("_")
    return ["_".join(parts[:end]) for end in range(len(parts), 0, -1)]
