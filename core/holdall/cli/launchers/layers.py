"""A launcher and the configuration files below it, as one."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Final, cast

from holdall.cli.launchers.parsing import FREE, Problem, parse_file, typed

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

    from holdall.cli.launchers.parsing import Parsed, Value

_DEFAULT_NAME: Final = "checkbox.conf"


class Layers:
    """What a launcher says, and what files below it say where it says nothing.

    Attributes:
        problems: What does not count of any of them.
        files: The files, the strongest first.
    """

    def __init__(self, files: Mapping[str, Parsed]) -> None:
        self.files = list(files)
        self.problems = [problem for parsed in files.values() for problem in parsed.problems]
        self._values: dict[tuple[str, str], Value] = {}
        for parsed in reversed(list(files.values())):
            self._values |= parsed.values

    def value(self, section: str, key: str) -> Value | None:
        """Return a value as it was written, None if no file has it."""
        return self._values.get((section, key))

    def text(self, section: str, key: str, default: str = "") -> str:
        """Return a text."""
        value = self.value(section, key)
        return default if value is None else value.text

    def words(self, section: str, key: str, default: tuple[str, ...] = ()) -> tuple[str, ...]:
        """Return the words of a list, which stands in place of those of weaker files."""
        value = self.value(section, key)
        return default if value is None else tuple(cast("list[str]", typed("list", value.text)))

    def truth(self, section: str, key: str) -> bool:
        """Whether it says yes."""
        value = self.value(section, key)
        return value is not None and bool(typed("truth", value.text))

    def number(self, section: str, key: str, default: int) -> int:
        """Return a number."""
        value = self.value(section, key)
        return default if value is None else cast("int", typed("number", value.text))

    def free(self, section: str) -> dict[str, Value]:
        """Return the keys and values of `environment` or `manifest`."""
        assert section in FREE  # noqa: S101 - others have keys of their own
        return {key: value for (name, key), value in self._values.items() if name == section}

    def names(self, kind: str) -> list[str]:
        """Return the names of the sections `report:NAME` and so on, in order."""
        prefix = f"{kind}:"
        return sorted(
            {name[len(prefix) :] for name, _key in self._values if name.startswith(prefix)}
        )

    def location(self, section: str, key: str) -> str:
        """Return where a value stands, or the file that lacks it."""
        value = self.value(section, key)
        return value.location if value else f"{self.files[0]}, [{section}]"


def read_layers(launcher: Path, environ: Mapping[str, str]) -> Layers:
    """Return a launcher with the configuration files that Checkbox looks for.

    They are in `~/.config`, `/etc/xdg` and `$SNAP_DATA`, stronger ones first, under the name that
    `config_filename` says. One that names another itself is followed by that.

    Raises:
        ConfigurationError: A file can't be read.
    """
    own = parse_file(launcher)
    files = {str(launcher): own}
    for path, parsed in _configurations(_next_name(own) or _DEFAULT_NAME, environ, set()):
        files.setdefault(str(path), parsed)
    named = own.values.get(("config", "config_filename"))
    if named and len(files) == 1:
        message = f"no configuration file {named.text!r} is in {_listed(environ)}"
        own.problems.append(Problem(named.location, message))
    return Layers(files)


def _configurations(
    name: str, environ: Mapping[str, str], seen: set[str]
) -> Iterator[tuple[Path, Parsed]]:
    seen.add(name)
    for folder in _folders(environ):
        path = folder / name
        if path.is_file():
            parsed = parse_file(path)
            yield path, parsed
            following = _next_name(parsed)
            if following and following not in seen:
                yield from _configurations(following, environ, seen)


def _next_name(parsed: Parsed) -> str:
    value = parsed.values.get(("config", "config_filename"))
    return value.text if value else ""


def _folders(environ: Mapping[str, str]) -> Iterator[Path]:
    if environ.get("HOME"):
        yield Path(environ["HOME"]) / ".config"
    yield _SYSTEM
    if environ.get("SNAP_DATA"):
        yield Path(environ["SNAP_DATA"])


_SYSTEM: Final = Path("/etc/xdg")


def _listed(environ: Mapping[str, str]) -> str:
    return ", ".join(map(str, _folders(environ)))
