"""What people read of a provider, in the language that was asked for."""

from __future__ import annotations

from io import BytesIO
from typing import TYPE_CHECKING

import pytest
from babel.messages.catalog import Catalog
from babel.messages.mofile import write_mo
from tests.unit.test_installed_providers import definition, load, write

from holdall.units import Category, Job

if TYPE_CHECKING:
    from pathlib import Path

UNITS = """\
id: a
plugin: shell
_summary: Check the disk
_description:
 Two
 lines
command: Check the disk

unit: category
id: c
_name: Disks
"""
PO = """\
# A comment
msgid ""
msgstr ""
"Language: de\\n"

msgid "Check the disk"
msgstr ""
"Die "
"Platte prüfen"

#: a.pxu:5
msgid "Two\\nlines"
msgstr "Zwei\\nZeilen"

#, fuzzy
msgid "Disks"
msgstr "Disketten"

msgctxt "x"
msgid "Disks"
msgstr "Nein"

msgid "one"
msgid_plural "many"
msgstr[0] "eins"
"""


def source_tree(folder: Path) -> Path:
    write(folder / "manage.py", "setup(name='org.x:a', version='1', gettext_domain='x')")
    write(folder / "units/a.pxu", UNITS)
    return folder


def texts(folder: Path, lang: str) -> tuple[str, str, str]:
    job, category = load(folder, lang=lang).unit_list
    assert isinstance(job, Job)
    assert isinstance(category, Category)
    assert job.command == "Check the disk"
    return job.summary, job.description, category.name


@pytest.mark.parametrize("lang", ["de", "de-AT", "de_AT", "DE"])
def test_the_catalog_of_a_source_tree_is_read_as_it_is(tmp_path: Path, lang: str) -> None:
    write(source_tree(tmp_path) / "po/de.po", PO)

    assert texts(tmp_path, lang) == ("Die Platte prüfen", "Zwei\nZeilen", "Disks")


@pytest.mark.parametrize("lang", ["", "fr", "../de"])
def test_a_language_without_a_catalog_leaves_the_texts_as_they_are(
    tmp_path: Path, lang: str
) -> None:
    write(source_tree(tmp_path) / "po/de.po", PO)

    assert texts(tmp_path, lang) == ("Check the disk", "Two\nlines", "Disks")


@pytest.mark.parametrize("data", [None, b"no catalog"])
def test_compiled_catalogs_are_read_and_broken_ones_are_none(
    tmp_path: Path, data: bytes | None
) -> None:
    catalog = Catalog(locale="de")
    catalog.add("Disks", "Platten")
    compiled = BytesIO()
    write_mo(compiled, catalog)
    file = tmp_path / "locale/de/LC_MESSAGES/x.mo"
    file.parent.mkdir(parents=True)
    file.write_bytes(compiled.getvalue() if data is None else data)
    write(tmp_path / "units/a.pxu", UNITS)
    write(tmp_path / "a.provider", definition(gettext_domain="x", relocatable="yes"))

    expected = "Platten" if data is None else "Disks"
    assert texts(tmp_path, "de") == ("Check the disk", "Two\nlines", expected)


def test_the_source_of_a_provider_keeps_its_language(tmp_path: Path) -> None:
    write(source_tree(tmp_path) / "po/de.po", PO)
    provider = load(tmp_path, lang="de")

    again = load(provider.source)

    assert provider.source == f"pxu:{tmp_path}?lang=de"
    assert again == provider
    assert [unit.checksum for unit in again.unit_list] == [
        unit.checksum for unit in provider.unit_list
    ]


def test_a_path_that_ends_like_a_language_is_a_path(tmp_path: Path) -> None:
    folder = source_tree(tmp_path / "x?lang=de")

    assert load(folder).source == f"pxu:{folder}"
