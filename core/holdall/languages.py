"""Words for people, in every language that a catalog of messages is installed for.

A package keeps its catalogs within itself, as gettext does: German words of
`acme` are in `acme/locale/de/LC_MESSAGES/acme.mo`. The messages are in English.
"""

from __future__ import annotations

from gettext import GNUTranslations, NullTranslations
from typing import TYPE_CHECKING, Final

from holdall.errors import UnknownLanguageError

if TYPE_CHECKING:
    from collections.abc import Mapping
    from importlib.resources.abc import Traversable

Words = NullTranslations
"""The words of one language: `gettext`, `ngettext`, `pgettext` and `npgettext`."""

ENGLISH: Final = NullTranslations()
"""The words as they are in the code."""

_OWN: Final = "holdall"


def N_(message: str) -> str:  # noqa: N802 - the name that translators' tools look for
    """Return *message* as it is: where it stands in a table, it is found by its mark."""
    return message


def NN_(one: str, several: str) -> tuple[str, str]:  # noqa: N802 - as N_
    """Return a message for one thing, and for several, as `N_` does."""
    return one, several


def catalog(lang: str, package: str = _OWN) -> Words:
    """Return the words of *package* in *lang*, and behind them those of holdall itself.

    `de-AT` and `de_AT` are `de` where nobody has words for Austria; English is always there.

    Raises:
        UnknownLanguageError: Neither *package* nor holdall has a catalog in it.
    """
    if lang == "en":
        return ENGLISH
    packages = dict.fromkeys((package, _OWN))
    found = [words for each in packages if (words := _loaded(lang, each)) is not None]
    if found:
        first, *others = found
        for behind in others:
            first.add_fallback(behind)
        return first
    if _broader(lang)[-1] == "en":
        return ENGLISH
    raise UnknownLanguageError(lang, languages(package))


def languages(package: str = _OWN) -> list[str]:
    """Return the names of the languages that `catalog` knows for *package*, such as `pt-BR`."""
    folders = {**_folders(_OWN), **_folders(package)}
    return sorted({"en", *(each.name.replace("_", "-") for each in folders.values())})


def name_of(words: Words) -> str:
    """Return the language that *words* are in, as HTML and others name it: `en`, `pt-BR`."""
    return words.info().get("language", "en").replace("_", "-")


def grouped(value: int, words: Words) -> str:
    """Return *value* with its thousands apart, as *words* have it: `1,234` in English."""
    # Translators: what stands between thousands: a comma in 1,234,567.
    return f"{value:,}".replace(",", words.pgettext("between thousands", ","))


def decimal(value: float, places: int, words: Words) -> str:
    """Return *value* with *places* behind the decimal point of *words*: `0.25` in English."""
    if words is ENGLISH:  # the most usual, and reports have one for each job
        return f"{value:.{places}f}"
    # Translators: what stands before tenths: a point in 0.25.
    return f"{value:.{places}f}".replace(".", words.pgettext("before tenths", "."))


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

    place = files(package) / "locale"
    if not place.is_dir():
        return {}
    return {each.name.lower(): each for each in place.iterdir() if each.is_dir()}


def _broader(lang: str) -> list[str]:
    """Return *lang* in lower case, then without its last part, and so on: `de_at`, `de`."""
    parts = lang.strip().lower().replace("-", "_").split("_")
    return ["_".join(parts[:end]) for end in range(len(parts), 0, -1)]
