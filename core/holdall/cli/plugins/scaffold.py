"""`holdall plugins new`: a complete package of a third party's, ready to install and to test.

A package is the files of `templates/common` and of `templates/KIND`. The name of each is its path
in the package, with `.txt` behind it, so that no tool takes a template for what it is to become.
"""

from __future__ import annotations

import re
import shlex
from contextlib import suppress
from datetime import UTC, datetime
from gettext import gettext as _
from importlib.resources import files
from pathlib import Path
from typing import TYPE_CHECKING, Final, NamedTuple

import click

from holdall.cli.configuration import installed
from holdall.cli.exits import USAGE
from holdall.cli.output import note
from holdall.registry import EXPORTER_ID, LEGACY, NAME, OWN_DISTRIBUTION, SHORT
from holdall.version import __version__

if TYPE_CHECKING:
    from collections.abc import Iterator
    from importlib.resources.abc import Traversable


class _UnwritableError(click.ClickException):
    """The package can't be written to where it should be; not how the command is used."""

    exit_code = USAGE


class _Kind(NamedTuple):
    """What is scaffolded.

    Attributes:
        plugins: The kind that the registry knows it as.
        description: One line, for the package's metadata.
        class_suffix: What the name of its class ends with; empty if it is no class.
        entry_points: How the package declares it.
        check: What `plugins check` is given besides the id.
    """

    plugins: str
    description: str
    class_suffix: str = ""
    entry_points: str = """\
[project.entry-points."holdall.@group@"]
@id@ = "@package@:@class@"
"""
    check: str = ""


_KINDS: Final = {
    "exporter": _Kind(
        "exporters",
        "Sessions of holdall as @name@",
        "Exporter",
        """\
[project.entry-points."holdall.exporters"]
"@id@" = "@package@:@class@"

[project.entry-points."holdall.aliases"]
@alias@ = "@id@"
""",
    ),
    "provider_loader": _Kind(
        "provider_loaders",
        "Providers in files of @name@, for holdall",
        "Loader",
        check=" --source tests/samples/sample.@name@",
    ),
    "provider": _Kind(
        "providers",
        "Jobs of @name@ for holdall",
        "Provider",
        """\
[project.entry-points."holdall.providers"]
@id@ = "@package@"
""",
    ),
    "importer": _Kind(
        "importers",
        "Results of @name@ in sessions of holdall",
        "Importer",
        check=" --source tests/samples/results.jsonl",
    ),
    "hooks": _Kind(
        "hooks",
        "Results of holdall as lines of JSON, as soon as they are durable",
        "Listener",
        """\
[project.entry-points."holdall.hooks"]
@id@ = "@package@:listener"
""",
    ),
    "runner": _Kind("runners", "Jobs of holdall performed behind a command", "Runner"),
    "repository": _Kind(
        "repositories", "Sessions of holdall in folders, a file for each batch", "Repository"
    ),
    "wrapper": _Kind(
        "repositories", "Stores of holdall, with a warning of each slow step", "Repository"
    ),
}


_LINE_LENGTH: Final = 99
_LONGEST: Final = 320
"""The longest line that ruff may be told of."""


@click.command()
@click.argument("kind", metavar="KIND", type=click.Choice(list(_KINDS)))
@click.argument("name")
@click.option(
    "--directory",
    type=click.Path(path_type=Path, file_okay=False),
    help="The folder to write to; it must not exist, or be empty. [default: one of the "
    "package's name, in the current folder]",
)
def new(kind: str, name: str, directory: Path | None) -> None:
    """Write a complete package with a new plugin of a KIND.

    KIND is exporter, repository, wrapper, provider_loader, provider, runner,
    hooks or importer.

    NAME is its id. An exporter's has your name first, such as acme.markdown;
    all others are one word, such as redis.
    """
    values = _placeholders(kind, name)
    folder = directory or Path(values["distribution"])
    templates = files("holdall.cli.plugins") / "templates"
    texts = {
        path.removesuffix(".txt"): template.read_text(encoding="utf-8")
        for part in ("common", kind)
        for path, template in _files_in(templates / part)
    }
    values["line_length"] = _line_length(texts, values)
    try:
        if folder.exists() and any(folder.iterdir()):
            raise click.UsageError(_("the folder {name!r} is not empty").format(name=str(folder)))
        _write({folder / _filled(path, values): _filled(texts[path], values) for path in texts})
    except OSError as error:
        message = _("cannot write the package to {name!r}: {reason}; take another by --directory")
        raise _UnwritableError(message.format(name=str(folder), reason=error)) from error
    command = shlex.join(["pip", "install", "-e", str(folder)])
    note(_("wrote {folder}; go on with: {command}").format(folder=folder, command=command))


def _line_length(texts: dict[str, str], values: dict[str, str]) -> str:
    """Return how long the lines of a package may be: those that hold a long name are longer."""
    modules = [_filled(text, values) for path, text in texts.items() if path.endswith(".py")]
    longest = max(len(line) for text in modules for line in text.splitlines())
    return str(max(_LINE_LENGTH, min(longest, _LONGEST)))


def _write(texts: dict[Path, str]) -> None:
    """Write all files, or leave none of them and no new folder.

    Raises:
        OSError: The system refused one.
    """
    made: list[Path] = []
    try:
        for path, text in texts.items():
            for folder in reversed([path.parent, *path.parent.parents]):
                if not folder.is_dir():
                    folder.mkdir()
                    made.append(folder)
            made.append(path)
            path.write_text(text, encoding="utf-8")
    except OSError:
        for path in reversed(made):
            with suppress(OSError):
                path.rmdir() if path.is_dir() else path.unlink()
        raise


def _files_in(folder: Traversable, above: str = "") -> Iterator[tuple[str, Traversable]]:
    """Yield each file below *folder* with its path."""
    for item in folder.iterdir():
        path = f"{above}{item.name}"
        if item.is_dir():
            yield from _files_in(item, f"{path}/")
        else:
            yield path, item


def _placeholders(kind: str, name: str) -> dict[str, str]:
    """Return the values of the templates' placeholders, all derived from the id."""
    _check_name(kind, name)
    scaffolded = _KINDS[kind]
    parts = [part for part in re.split(r"[._]", name) if part]
    owned = kind == "exporter" and parts[0].isidentifier()
    major, minor, *_patch = __version__.split(".")
    values = {
        "id": name,
        "name": name.rpartition(".")[2],
        "kind": kind,
        "group": scaffolded.plugins,
        "alias": _alias(name, parts),
        "distribution": f"holdall-{kind.replace('_', '-')}-{'-'.join(parts)}",
        "package": "_".join(parts) if owned else f"holdall_{kind}_{'_'.join(parts)}",
        "class": _class_name(parts) + scaffolded.class_suffix,
        "low": f"{major}.{minor}",
        "year": str(datetime.now(UTC).year),
    }
    return {
        **values,
        "check": _filled(scaffolded.check, values),
        "description": _filled(scaffolded.description, values),
        "entry_points": _filled(scaffolded.entry_points, values),
    }


def _class_name(parts: list[str]) -> str:
    """Return the name of a class; pytest would collect one that begins with `Test`."""
    name = "".join(part.capitalize() for part in parts)
    return f"Holdall{name}" if name.startswith("Test") else name


def _check_name(kind: str, name: str) -> None:
    """Refuse a name that a plugin of the kind can't have.

    Raises:
        UsageError: It has another form, or is that of a built-in, or reads like that of another.
    """
    plain = re.sub(r"_+(?=[._]|$)|(?<=\.)_+", "", name)
    if plain != name:
        message = _("{name!r} gives the package of {plain!r}, which would overwrite it; take that")
        raise click.UsageError(message.format(name=name, plain=plain))
    if kind == "provider" and name.startswith("loader_"):
        message = _("{name!r} gives the package of a provider_loader; take another")
        raise click.UsageError(message.format(name=name))
    if kind == "exporter":
        if not EXPORTER_ID.fullmatch(name):
            message = _("{name!r} is no exporter's id; it looks like 'acme.markdown'")
            raise click.UsageError(message.format(name=name))
        if name.startswith("holdall."):
            message = _("ids that begin with 'holdall.' are reserved; put yours first")
            raise click.UsageError(message)
        return
    if not NAME.fullmatch(name):
        message = _(
            "{name!r} can't be the name of a plugin of this kind; it is one lower-case word, "
            "such as 'redis'"
        )
        raise click.UsageError(message.format(name=name))
    own = {
        candidate.id
        for candidate in installed(strict=False).candidates(_KINDS[kind].plugins)
        if candidate.distribution == OWN_DISTRIBUTION
    }
    if name in own:
        message = _("{name!r} is the name of a built-in; take another")
        raise click.UsageError(message.format(name=name))


def _alias(name: str, parts: list[str]) -> str:
    """Return a short name for an exporter that no built-in has."""
    short = name.rpartition(".")[2]
    taken = short in {**SHORT, **LEGACY} or not re.fullmatch(r"[a-z][a-z0-9_]*", short)
    return "-".join(parts) if taken else short


def _filled(text: str, values: dict[str, str]) -> str:
    return re.sub(r"@([a-z_]+)@", lambda match: values[match[1]], text)
