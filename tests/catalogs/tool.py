"""Keeps the catalogs of messages in step with the code; needs Babel, which the extra `test` has.

python tests/catalogs/tool.py           # after a message was added, changed or translated
python tests/catalogs/tool.py fr        # the same, and begins a catalog in French
python tests/catalogs/tool.py --check   # changes nothing, and tells what is not in step
"""

from __future__ import annotations

import sys
from pathlib import Path
from typing import TYPE_CHECKING, Any, NamedTuple

import click
from babel.messages import extract
from babel.messages.catalog import Catalog
from babel.messages.mofile import write_mo
from babel.messages.pofile import read_po, write_po
from jinja2.ext import babel_extract

from holdall.cli import cli
from holdall.cli.translation import messages

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator

    from babel.messages.catalog import Message

ROOT = Path(__file__).parents[2]


class Found(NamedTuple):
    """A message, and where it was found; with its plural, if it has one."""

    file: str
    message: str | tuple[str, ...]
    comments: list[str] = []  # noqa: RUF012 - never changed
    context: str | None = None


class Package(NamedTuple):
    """A package that has words for people, and the folder it is in."""

    name: str
    place: Path


CORE = Package("holdall", ROOT / "core" / "holdall")
PACKAGES = (CORE, Package("holdall_exporters", ROOT / "exporters" / "holdall_exporters"))

KEYWORDS: dict[str, Any] = {
    "N_": None,
    "NN_": (1, 2),
    "_": None,
    "gettext": None,
    "ngettext": (1, 2),
    "npgettext": ((1, "c"), 2, 3),
    "pgettext": ((1, "c"), 2),
}
COMMENTS = ("Translators:",)

# What click says to users of holdall; it asks the catalog of the application for it. The list
# is ours, so that another version of click does not make the catalogs incomplete.
CLICK = (
    "Aborted!",
    "Commands",
    "Error: invalid input",
    "Error: {message}",
    "Invalid value for {param_hint}: {message}",
    "Invalid value: {message}",
    "Missing command.",
    "Missing argument",
    "No such command {name!r}.",
    "No such option {name!r}.",
    "Option {name!r} does not take a value.",
    "Options",
    "Show the version and exit.",
    "Show this message and exit.",
    "Try '{command} {option}' for help.",
    "Usage:",
    "default: {default}",
    "directory",
    "{name} {filename!r} is a file.",
    "{value!r} is not a valid {number_type}.",
    "{value} is not in the range {range}.",
    ("Did you mean {possibility}?", "(Did you mean one of: {possibilities}?)"),
    ("Got unexpected extra argument ({args})", "Got unexpected extra arguments ({args})"),
    (
        "Option {name!r} requires an argument.",
        "Option {name!r} requires {nargs} arguments.",
    ),
    ("{value!r} is not {choice}.", "{value!r} is not one of {choices}."),
)


def template(package: Package) -> Catalog:
    """Return every message of the sources of *package*."""
    found = Catalog(project=package.name, fuzzy=False)
    for file, message, comments, context in _messages(package):
        found.add(message, locations=[(file, 0)], auto_comments=comments, context=context)
    return found


def _messages(package: Package) -> Iterator[Found]:
    for path in sorted(package.place.rglob("*.py")):
        yield from _of_file(path, "python", package.place)
    for path in sorted(package.place.rglob("*.html")):
        yield from _of_file(path, babel_extract, package.place)
    if package == CORE:
        yield from (Found("cli/help", words) for words in _helps(cli, "holdall"))
        yield from (Found("click", said) for said in CLICK)


def _of_file(path: Path, how: Any, place: Path) -> Iterator[Found]:
    with path.open("rb") as file:
        for _line, message, comments, context in extract.extract(
            how, file, KEYWORDS, COMMENTS, {"encoding": "utf-8"}, strip_comment_tags=True
        ):
            yield Found(path.relative_to(place).as_posix(), message, comments, context)


def _helps(command: click.Command, path: str) -> Iterator[str]:
    """Yield the paragraphs of the help of *command*, its options, and the commands below it."""
    yield from messages(command.help)
    for parameter in command.params:
        if isinstance(parameter, click.Option):
            yield from messages(parameter.help)
    if isinstance(command, click.Group):
        context = click.Context(command, info_name=path)
        for name in command.list_commands(context):
            below = command.get_command(context, name)
            assert below is not None
            yield from _helps(below, f"{path} {name}")


def catalogs(package: Package) -> dict[str, Path]:
    """Return the catalogs of *package*, by their language."""
    found = (package.place / "locale").glob(f"*/LC_MESSAGES/{package.name}.po")
    return {path.parents[1].name: path for path in sorted(found)}


def read(path: Path) -> Catalog:
    """Return the catalog in a file; it says itself which language it is in."""
    with path.open("rb") as file:
        return read_po(file)


def keys(catalog: Iterable[Message]) -> set[tuple[str | None, Any]]:
    """Return what tells the messages of a catalog apart, and their plurals."""
    return {(each.context, each.id) for each in catalog if each.id}


def problems(package: Package) -> list[str]:
    """Return what of the files of *package* is not in step with its sources."""
    wanted = keys(template(package))
    found = []
    for path in (_template_of(package), *catalogs(package).values()):
        if not path.exists():
            found.append(f"{path.name} is missing")
            continue
        there = keys(read(path))
        found += [f"{path.name} lacks {each!r}" for each in sorted(wanted - there, key=repr)]
        found += [f"{path.name} wants no {each!r}" for each in sorted(there - wanted, key=repr)]
    return found


def update(package: Package, languages: Iterable[str] = ()) -> None:
    """Write the template, bring the catalogs in step with it, and compile them."""
    fresh = template(package)
    path = _template_of(package)
    if not path.exists() or _shown(read(path)) != _shown(fresh):
        _write(path, fresh)
    known = catalogs(package)
    for language in {**known, **dict.fromkeys(languages)}:
        path = package.place / "locale" / language / "LC_MESSAGES" / f"{package.name}.po"
        catalog = read(path) if path.exists() else Catalog(language, None, project=package.name)
        before = _shown(catalog)
        catalog.update(fresh, no_fuzzy_matching=True, update_creation_date=False)
        catalog.obsolete.clear()
        if not path.exists() or before != _shown(catalog):
            _write(path, catalog)
        with path.with_suffix(".mo").open("wb") as file:
            write_mo(file, catalog)


def _shown(catalog: Catalog) -> dict[tuple[str | None, Any], set[str]]:
    """Return the messages of a catalog with the files they are in; lines would change often."""
    return {(each.context, each.id): {file for file, _ in each.locations} for each in catalog}


def _template_of(package: Package) -> Path:
    return package.place / "locale" / f"{package.name}.pot"


def _write(path: Path, catalog: Catalog) -> None:
    path.parent.mkdir(parents=True, exist_ok=True)
    with path.open("wb") as file:
        write_po(file, catalog, width=99, sort_output=True, include_lineno=False)


def main(arguments: list[str]) -> int:
    """Bring everything in step, or tell what is not."""
    if arguments == ["--check"]:
        found = [each for package in PACKAGES for each in problems(package)]
        for each in found:
            click.echo(each)
        return 1 if found else 0
    for package in PACKAGES:
        update(package, arguments)
    return 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
