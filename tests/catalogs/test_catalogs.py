"""The catalogs hold every message of the code, and what they say of it can be shown."""

from __future__ import annotations

import ast
import re
import shutil
import subprocess
from gettext import GNUTranslations
from string import Formatter
from typing import TYPE_CHECKING, Any, NamedTuple

import pytest

pytest.importorskip("babel", reason="catalogs are read with Babel, of the extra 'test'")

from tests.catalogs import tool

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

CATALOGS = [
    pytest.param(package, path, id=f"{package.name}-{language}")
    for package in tool.PACKAGES
    for language, path in tool.catalogs(package).items()
]
CALLS = {name for name in tool.KEYWORDS if not name.endswith("pgettext")}
each_catalog = pytest.mark.parametrize(("package", "path"), CATALOGS)


class Entry(NamedTuple):
    """A message of a catalog, in English and translated; of a plural, every form."""

    context: str | None
    english: tuple[str, ...]
    translated: tuple[str, ...]


def entries(path: Path) -> list[Entry]:
    return [
        Entry(each.context, texts(each.id), texts(each.string))
        for each in tool.read(path)
        if each.id
    ]


def texts(value: Any) -> tuple[str, ...]:
    return (value,) if isinstance(value, str) else tuple(value or ())


def fields(text: str) -> frozenset[tuple[str, str]]:
    """Return the placeholders of a message, with how they are to be converted."""
    parts = Formatter().parse(text)
    return frozenset((name, how or "") for _text, name, _as, how in parts if name is not None)


def called_with(path: Path) -> Iterator[str]:
    """Yield the texts that a file hands to be translated, as Python itself reads it."""
    for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
        if not isinstance(node, ast.Call):
            continue
        name = getattr(node.func, "attr", None) or getattr(node.func, "id", None)
        for given in node.args if name in CALLS else node.args[1:] if name == "pgettext" else ():
            if isinstance(given, ast.Constant) and isinstance(given.value, str):
                yield given.value


def test_german_is_there_for_every_package() -> None:
    assert [list(tool.catalogs(package)) for package in tool.PACKAGES] == [["de"], ["de"]]


def test_catalogs_are_in_step_with_the_code(capsys: pytest.CaptureFixture[str]) -> None:
    assert tool.main(["--check"]) == 0, capsys.readouterr().out


@pytest.mark.parametrize("package", tool.PACKAGES, ids=lambda package: package.name)
def test_every_text_that_the_code_has_translated_was_found(package: tool.Package) -> None:
    known = {text for each in tool.template(package) for text in texts(each.id)}
    called = {text for path in package.place.rglob("*.py") for text in called_with(path) if text}

    assert called
    assert called - known == set()


@each_catalog
def test_every_message_is_translated_and_none_is_a_guess(
    package: tool.Package, path: Path
) -> None:
    catalog = tool.read(path)

    assert [each.id for each in catalog if each.id and each.fuzzy] == []
    assert [each.english for each in entries(path) if not all(each.translated)] == []
    assert list(catalog.obsolete) == []
    assert catalog.project == package.name
    assert str(catalog.locale) == path.parents[1].name


@each_catalog
def test_a_translation_has_the_placeholders_and_plurals_of_its_message(
    package: tool.Package, path: Path
) -> None:
    plurals = tool.read(path).num_plurals
    found = [
        each
        for each in entries(path)
        if set(map(fields, each.translated)) != set(map(fields, each.english))
        or len(each.translated) != (plurals if len(each.english) > 1 else 1)
    ]

    assert found == [], package.name


@each_catalog
def test_babel_has_nothing_against_a_catalog(package: tool.Package, path: Path) -> None:
    catalog = tool.read(path)
    errors = [(each.id, str(error)) for each in catalog for error in each.check(catalog)]

    assert errors == [], package.name


@each_catalog
def test_msgfmt_has_nothing_against_a_catalog(
    package: tool.Package, path: Path, tmp_path: Path
) -> None:
    program = shutil.which("msgfmt")
    if program is None:
        pytest.skip("there is no msgfmt: apt-get install gettext")
    compiled = tmp_path / f"{package.name}.mo"

    done = subprocess.run(
        [program, "--check", "-o", compiled, path], capture_output=True, text=True, check=False
    )

    assert (done.returncode, done.stderr) == (0, "")
    assert said(compiled) == said(path.with_suffix(".mo"))


def said(path: Path) -> dict[Any, str]:
    """Return what a compiled catalog says, as the standard library reads it; its head aside."""
    with path.open("rb") as file:
        words: dict[Any, str] = vars(GNUTranslations(file))["_catalog"]
    return {message: text for message, text in words.items() if message}


@each_catalog
def test_a_compiled_catalog_says_what_its_source_says(package: tool.Package, path: Path) -> None:
    wanted: dict[Any, str] = {}
    for each in entries(path):
        key = each.english[0] if each.context is None else f"{each.context}\x04{each.english[0]}"
        if len(each.english) > 1:
            wanted |= {(key, number): text for number, text in enumerate(each.translated)}
        else:
            wanted[key] = each.translated[0]

    assert said(path.with_suffix(".mo")) == wanted, package.name


@pytest.mark.parametrize("language", ["de"])
def test_what_two_packages_say_is_translated_alike(language: str) -> None:
    paths = (tool.catalogs(package)[language] for package in tool.PACKAGES)
    core, exporters = ({each[:2]: each.translated for each in entries(path)} for path in paths)
    shared = core.keys() & exporters.keys()

    assert len(shared) > 4
    assert {each: core[each] for each in shared} == {each: exporters[each] for each in shared}


@each_catalog
def test_names_of_sheets_are_names_that_sheets_can_have(package: tool.Package, path: Path) -> None:
    names = [each.translated[0] for each in entries(path) if each.context == "sheet"]

    assert bool(names) == (package.name == "holdall_exporters")
    assert len({name.casefold() for name in names}) == len(names)
    for name in names:
        assert len(name) <= 26, f"no room for a number behind {name!r}"
        assert not re.search(r"[][:*?/\\]|^'|'$", name)
        assert name.casefold() != "history"


def own_package(folder: Path, code: str) -> tool.Package:
    folder.mkdir(exist_ok=True)
    (folder / "words.py").write_text(code, encoding="utf-8")
    return tool.Package("acme", folder)


def test_a_new_language_begins_with_every_message(tmp_path: Path) -> None:
    package = own_package(tmp_path, 'ngettext("{n} bolt", "{n} bolts", 2)\npgettext("a", "b")\n')

    tool.update(package, ["pl"])

    path = tool.catalogs(package)["pl"]
    assert tool.problems(package) == []
    assert [each[:2] for each in entries(path)] == [
        ("a", ("b",)),
        (None, ("{n} bolt", "{n} bolts")),
    ]
    assert tool.read(path).num_plurals == 3
    with path.with_suffix(".mo").open("rb") as file:
        words = GNUTranslations(file)
    assert [words.ngettext("{n} bolt", "{n} bolts", n) for n in (1, 5)] == [
        "{n} bolt",
        "{n} bolts",
    ]


def test_an_update_that_changes_nothing_writes_the_same_bytes(tmp_path: Path) -> None:
    package = own_package(tmp_path, '_("bolt")\n_("nut")\n_("bolt")\n')
    tool.update(package, ["de"])
    files = [each for each in (tmp_path / "locale").rglob("*.*") if each.is_file()]
    before = {each: each.read_bytes() for each in files}
    for each in files:
        text = each.read_bytes().replace(b"POT-Creation-Date: 2", b"POT-Creation-Date: 1")
        before[each] = text
        each.write_bytes(text)

    tool.update(package)

    assert len(files) == 3
    assert {each: each.read_bytes() for each in files} == before


def test_a_translation_outlives_an_update_and_what_is_useless_does_not(tmp_path: Path) -> None:
    package = own_package(tmp_path, '_("bolt")\n_("nut")\n')
    tool.update(package, ["de"])
    path = tool.catalogs(package)["de"]
    text = path.read_text(encoding="utf-8")
    for english, german in (("bolt", "Bolzen"), ("nut", "Mutter")):
        empty = f'msgid "{english}"\nmsgstr '
        text = text.replace(f'{empty}""', f'{empty}"{german}"')
    path.write_text(text, encoding="utf-8")
    own_package(tmp_path, '_("bolt")\n_("screw")\n')

    assert [each.partition(" ")[2] for each in tool.problems(package)[2:]] == [
        "lacks (None, 'screw')",
        "wants no (None, 'nut')",
    ]
    tool.update(package)

    assert [each[1:] for each in entries(path)] == [(("bolt",), ("Bolzen",)), (("screw",), ("",))]
    assert said(path.with_suffix(".mo")) == {"bolt": "Bolzen"}
    assert tool.problems(package) == []
