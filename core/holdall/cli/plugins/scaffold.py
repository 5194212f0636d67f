"""`holdall plugins new`: a complete package of a third party's, ready to install and to test."""

from __future__ import annotations

import re
from gettext import gettext as _
from importlib.resources import files
from pathlib import Path
from typing import Final

import click

from holdall.cli.output import note
from holdall.registry import EXPORTER_ID, LEGACY, SHORT
from holdall.version import __version__

_FILES: Final = {
    "pyproject.toml": "pyproject.toml.txt",
    "README.md": "README.md.txt",
    "src/@package@/__init__.py": "init.py.txt",
    "src/@package@/py.typed": "",
    "tests/test_@package@.py": "test.py.txt",
    ".gitignore": "gitignore.txt",
}


@click.command()
@click.argument("kind", type=click.Choice(["exporter"]))
@click.argument("name")
@click.option(
    "--directory",
    type=click.Path(path_type=Path, file_okay=False),
    help="The folder to write to; it must not exist, or be empty. [default: one of the "
    "package's name, in the current folder]",
)
def new(kind: str, name: str, directory: Path | None) -> None:  # noqa: ARG001 - there is one kind
    """Write a complete package with a new exporter.

    NAME is its id, such as acme.markdown: yours first, then what it is.
    """
    values = _placeholders(name)
    folder = directory or Path(values["distribution"])
    if folder.exists() and any(folder.iterdir()):
        raise click.UsageError(_("the folder {name!r} is not empty").format(name=str(folder)))
    templates = files("holdall.cli.plugins") / "templates"
    for path, template in _FILES.items():
        target = folder / _filled(path, values)
        target.parent.mkdir(parents=True, exist_ok=True)
        text = (templates / template).read_text(encoding="utf-8") if template else ""
        target.write_text(_filled(text, values), encoding="utf-8")
    command = f"pip install -e {folder}"
    note(_("wrote {folder}; go on with: {command}").format(folder=folder, command=command))


def _placeholders(name: str) -> dict[str, str]:
    """Return the values of the templates' placeholders, all derived from the id."""
    if not EXPORTER_ID.fullmatch(name):
        message = _("{name!r} is no exporter's id; it looks like 'acme.markdown'")
        raise click.UsageError(message.format(name=name))
    if name.startswith("holdall."):
        message = _("ids that begin with 'holdall.' are reserved; put yours first")
        raise click.UsageError(message)
    parts = [part for part in re.split(r"[._]", name) if part]
    short = name.rpartition(".")[2]
    taken = short in {**SHORT, **LEGACY} or not re.fullmatch(r"[a-z][a-z0-9_]*", short)
    major, minor, *_patch = __version__.split(".")
    high = f"{int(major) + 1}" if int(major) else f"0.{int(minor) + 1}"
    return {
        "id": name,
        "name": short,
        "alias": "-".join(parts) if taken else short,
        "distribution": f"holdall-exporter-{'-'.join(parts)}",
        "package": "_".join(parts) if parts[0].isidentifier() else f"holdall_{'_'.join(parts)}",
        "class": "".join(part.capitalize() for part in parts) + "Exporter",
        "low": f"{major}.{minor}",
        "high": high,
    }


def _filled(text: str, values: dict[str, str]) -> str:
    return re.sub(r"@(\w+)@", lambda match: values[match[1]], text)
