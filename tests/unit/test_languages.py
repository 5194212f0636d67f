"""Catalogs: found in packages, one behind the other, and never more than was asked for."""

from __future__ import annotations

import subprocess
import sys
from typing import TYPE_CHECKING

import pytest

pytest.importorskip("babel", reason="catalogs are compiled with Babel, of the extra 'test'")

from babel.messages.catalog import Catalog
from babel.messages.mofile import write_mo

from holdall.errors import UnknownLanguageError
from holdall.languages import ENGLISH, decimal, grouped, languages, load_catalog, name_of

if TYPE_CHECKING:
    from collections.abc import Mapping
    from pathlib import Path


@pytest.fixture
def acme(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> str:
    """Return the name of an installed package with words in Polish, Brazilian and German."""
    package = f"acme_{abs(hash(tmp_path))}"
    write(
        tmp_path / package,
        "pl",
        {("{n} bolt", "{n} bolts"): ("{n} śruba", "{n} śruby", "{n} śrub")},
    )
    write(tmp_path / package, "pt_BR", {"bolt": "parafuso", ("between thousands", ","): "."})
    write(tmp_path / package, "de", {"bolt": "Bolzen"})
    (tmp_path / package / "__init__.py").touch()
    monkeypatch.syspath_prepend(str(tmp_path))
    return package


def write(
    package: Path, language: str, said: Mapping[str | tuple[str, str], str | tuple[str, ...]]
) -> None:
    words = Catalog(locale=language)
    for message, text in said.items():
        if isinstance(message, tuple) and isinstance(text, str):
            words.add(message[1], text, context=message[0])
        else:
            words.add(message, text)
    folder = package / "locale" / language / "LC_MESSAGES"
    folder.mkdir(parents=True)
    with (folder / f"{package.name}.mo").open("wb") as file:
        write_mo(file, words)


def test_holdall_speaks_english_and_german() -> None:
    assert languages() == ["de", "en"]
    assert load_catalog("en").gettext("failed") == "failed"
    assert load_catalog("de").gettext("failed") == "fehlgeschlagen"


@pytest.mark.parametrize("lang", ["de-AT", "de_AT", "DE", "de-Latn-CH"])
def test_a_region_without_words_of_its_own_has_those_of_the_language(lang: str) -> None:
    words = load_catalog(lang)

    assert words.gettext("crashed") == "abgestürzt"
    assert name_of(words) == "de"


@pytest.mark.parametrize("lang", ["en", "en-GB", "EN_us"])
def test_english_needs_no_catalog(lang: str) -> None:
    assert load_catalog(lang) is ENGLISH
    assert name_of(load_catalog(lang)) == "en"


def test_words_of_a_package_come_before_those_of_holdall(acme: str) -> None:
    words = load_catalog("de", acme)

    assert words.gettext("bolt") == "Bolzen"
    assert words.gettext("passed") == "bestanden"
    assert words.gettext("nobody has this") == "nobody has this"


def test_a_language_that_only_the_package_has_will_do(acme: str) -> None:
    words = load_catalog("pl", acme)

    bolts = [words.ngettext("{n} bolt", "{n} bolts", n) for n in (1, 2, 5, 22)]
    assert bolts == ["{n} śruba", "{n} śruby", "{n} śrub", "{n} śruby"]
    assert words.gettext("passed") == "passed"


def test_a_region_that_the_package_has_is_found_in_any_spelling(acme: str) -> None:
    assert languages(acme) == ["de", "en", "pl", "pt-BR"]
    assert name_of(load_catalog("pt-br", acme)) == "pt-BR"
    with pytest.raises(UnknownLanguageError):
        load_catalog("pt", acme)


@pytest.mark.parametrize("lang", ["xx", "", "../../etc", "C", "deu", "de.UTF-8"])
def test_an_unknown_language_is_an_error_that_names_those_there_are(lang: str) -> None:
    with pytest.raises(UnknownLanguageError) as caught:
        load_catalog(lang)

    assert (caught.value.lang, caught.value.known) == (lang, ("de", "en"))
    assert "(languages: de, en)" in str(caught.value)
    assert isinstance(caught.value, LookupError)


def test_numbers_are_written_as_the_language_has_them(acme: str) -> None:
    english, german, brazilian = (
        load_catalog("en"),
        load_catalog("de"),
        load_catalog("pt-BR", acme),
    )

    assert [grouped(1_234_567, each) for each in (english, german, brazilian)] == [
        "1,234,567",
        "1.234.567",
        "1.234.567",
    ]
    assert [decimal(0.255, 1, each) for each in (english, german)] == ["0.3", "0,3"]
    assert grouped(999, german) == "999"


def test_words_that_one_caller_got_are_not_those_of_another(acme: str) -> None:
    load_catalog("de", acme)

    assert load_catalog("de").gettext("bolt") == "bolt"


def test_the_surroundings_do_not_choose_the_language() -> None:
    program = (
        "from holdall.languages import load_catalog; print(load_catalog('en').gettext('failed'))"
    )
    done = subprocess.run(
        [sys.executable, "-c", program],
        env={"LANGUAGE": "de", "LANG": "de_DE.UTF-8"},
        capture_output=True,
        text=True,
        check=True,
    )

    assert done.stdout == "failed\n"
