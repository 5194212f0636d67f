"""`.provider` files and `manage.py`: the name of a provider, and the folders of its parts."""

from __future__ import annotations

import os
import re
from configparser import ConfigParser, Error, MissingSectionHeaderError
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Final, NoReturn

from holdall.errors import ProviderLoadError
from holdall.units import ProviderProblem

if TYPE_CHECKING:
    from collections.abc import Mapping

_SECTION: Final = "PlainBox Provider"

_WORD: Final = r"[A-Za-z0-9_-]+"
_NAMESPACE: Final = re.compile(rf"{_WORD}(\.{_WORD})*")
_SHORT_NAME: Final = re.compile(r"[A-Za-z0-9][A-Za-z0-9._-]*")
_LONG_NAME: Final = re.compile(rf"(?P<namespace>{_WORD}(\.{_WORD})+):{_SHORT_NAME.pattern}")
_VERSION: Final = re.compile(r"v?[0-9].*")  # Checkbox looks at the beginning alone


@dataclass(frozen=True, slots=True, kw_only=True)
class Definition:
    """What a provider says about itself, checked; folders that are None are not there.

    Attributes:
        gettext_domain: The catalogs of its translations are called that.
        locale: Folder of compiled catalogs, one folder in it for each language.
        po: Folder of catalogs in a source tree, one file for each language.
        problems: What is odd about the definition.
    """

    name: str
    namespace: str
    version: str
    description: str
    folder: Path
    units: Path | None
    jobs: Path | None
    data: Path | None
    bin: Path | None
    gettext_domain: str = ""
    locale: Path | None = None
    po: Path | None = None
    problems: tuple[ProviderProblem, ...] = ()

    @property
    def identity(self) -> str:
        """Namespace and short name, by which Checkbox tells providers apart."""
        return f"{self.namespace}:{self.name.rpartition(':')[2]}"


def read_definition(path: Path) -> Definition:
    """Return what the file says, every part of it usable.

    Raises:
        ProviderLoadError: It is no such file, or has an invalid field.
    """
    file = _File(path)
    name = file.required("name", "name = my-provider")
    try:
        namespace = namespace_of(name, file.get("namespace"))
    except ValueError as error:
        field, reason = error.args
        file.refuse(field, reason)
    version = file.required("version", "version = 1.0")
    if not _VERSION.fullmatch(version):
        file.refuse("version", f"{version!r} is no version; write one like '1.0'")
    return Definition(
        name=name,
        namespace=namespace,
        version=version,
        description=file.get("description"),
        folder=file.location or path.parent,
        units=file.folder("units"),
        jobs=file.folder("jobs"),
        data=file.folder("data"),
        bin=file.folder("bin"),
        gettext_domain=file.get("gettext_domain"),
        locale=file.locale(),
        problems=tuple(file.problems),
    )


def namespace_of(name: str, namespace: str) -> str:
    """Return the namespace of a provider of that name, which may give it too.

    Raises:
        ValueError: Of field and reason; one of them can't be used, or nothing says it.
    """
    long_name = _LONG_NAME.fullmatch(name)
    if not long_name and not _SHORT_NAME.fullmatch(name):
        reason = f"{name!r} is neither like 'my-provider' nor like 'com.example:disks'"
        raise ValueError("name", reason)
    namespace = namespace or (long_name["namespace"] if long_name else "")
    if not namespace:
        raise ValueError("namespace", f"it is missing; write it, or call it 'com.example:{name}'")
    if not _NAMESPACE.fullmatch(namespace):
        reason = f"{namespace!r} is no dotted name; write one like 'com.example'"
        raise ValueError("namespace", reason)
    return namespace


class _File:
    """One `.provider` file; it is refused with the line of the field at fault."""

    def __init__(self, path: Path) -> None:
        self._path = path
        self.problems: list[ProviderProblem] = []
        self._text = self._read()
        self._fields = self._parsed()
        relocatable = self._flag("relocatable")
        written = {"location", "units_dir", "jobs_dir", "data_dir", "bin_dir"} & {*self._fields}
        self._explicit = not relocatable and bool(written)
        self.location = self._folder_at("location") if self._explicit else path.parent

    def _read(self) -> str:
        try:
            return self._path.read_bytes().decode("utf-8-sig")
        except OSError as exc:
            raise self._error(f"it can't be read: {exc.strerror}") from exc
        except UnicodeDecodeError as exc:
            line = exc.object.count(b"\n", 0, exc.start) + 1
            raise self._error(f"line {line}: it is not UTF-8; save it as UTF-8") from exc

    def _parsed(self) -> Mapping[str, str]:
        parser = ConfigParser(interpolation=None)
        try:
            parser.read_string(self._text, str(self._path))
        except MissingSectionHeaderError as exc:
            raise self._error(
                f"line {exc.lineno}: there is no section yet; begin with [{_SECTION}]"
            ) from exc
        except Error as exc:
            reason = " ".join(exc.message.split())
            raise self._error(f"it is no INI file: {reason}") from exc
        if not parser.has_section(_SECTION):
            raise self._error(f"the section [{_SECTION}] is missing; begin with it")
        return parser[_SECTION]

    def get(self, field: str) -> str:
        return self._fields.get(field, "").strip()

    def required(self, field: str, example: str) -> str:
        value = self.get(field)
        if not value:
            self.refuse(field, f"it is missing; add a line like {example!r}")
        return value

    def folder(self, name: str) -> Path | None:
        """Return the folder *name*: the one that is written, or the usual one if it is there."""
        written = self._folder_at(f"{name}_dir") if self._explicit else None
        usual = self.location / name if self.location else None
        return written or (usual if usual and usual.is_dir() else None)

    def locale(self) -> Path | None:
        """Return the folder of translations; one that is not there costs translations alone."""
        written = self.get("locale_dir") if self._explicit else ""
        if not written:
            usual = self.location / "locale" if self.location else None
            return usual if usual and usual.is_dir() else None
        if Path(written).is_dir():
            return Path(written)
        reason = f"field 'locale_dir': there is no folder {written!r}; texts are not translated"
        line = self._line("locale_dir")
        self.problems.append(ProviderProblem(shown(self._path), line, "warning", reason))
        return None

    def _folder_at(self, field: str) -> Path | None:
        value = self.get(field)
        if not value:
            return None
        path = Path(value)
        if not path.is_absolute():
            self.refuse(
                field, f"{value!r} is not absolute; write the whole path, or 'relocatable = yes'"
            )
        if not path.is_dir():
            self.refuse(field, f"there is no folder {value!r}; make it, or remove the line")
        return path

    def _flag(self, field: str) -> bool:
        value = self.get(field).lower()
        if value and value not in ConfigParser.BOOLEAN_STATES:
            self.refuse(field, f"{value!r} is neither yes nor no")
        return ConfigParser.BOOLEAN_STATES.get(value, False)

    def refuse(self, field: str, reason: str) -> NoReturn:
        number = self._line(field)
        line = f"line {number}, " if number else ""
        raise self._error(f"{line}field {field!r}: {reason}")

    def _line(self, field: str) -> int:
        match = re.search(rf"^{field}\s*[=:]", self._text, re.IGNORECASE | re.MULTILINE)
        return self._text.count("\n", 0, match.start()) + 1 if match else 0

    def _error(self, reason: str) -> ProviderLoadError:
        return ProviderLoadError(str(self._path), reason)


def shown(path: str | Path) -> str:
    """Return the path for people, whatever bytes it is made of."""
    return os.fsencode(path).decode(errors="backslashreplace")


def name_of(word: str) -> str:
    """Return *word* with all that can't stand in a namespace replaced."""
    parts = re.sub(r"[^A-Za-z0-9_.-]+", "_", word).split(".")
    return ".".join(filter(None, parts)) or "local"
