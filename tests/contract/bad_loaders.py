"""Provider loaders that break one promise each; `test_bad_loaders_fail` checks that it is seen."""

from __future__ import annotations

import json
import os
import subprocess
import sys
import time
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING, Any, ClassVar

from holdall.contracts import InstalledProvider
from holdall.errors import ProviderLoadError
from holdall.units import Origin, Provider, ProviderProblem, make_unit

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

    from holdall.units import Unit

SUFFIX = ".units"


def written(folder: Path, *, damaged: bool = False) -> str:
    """Write a source that all loaders here load: a folder with a file of units and a program."""
    lab = folder / "lab"
    lab.mkdir(exist_ok=True)
    rows: list[Any] = [
        {"id": f"job-{number}", "plugin": "shell", "summary": "A job", "command": "true"}
        for number in range(3)
    ]
    if damaged:
        rows.insert(1, {"id": "bad", "plugin": "nothing"})
    (lab / f"a{SUFFIX}").write_text("".join(f"{json.dumps(row)}\n" for row in rows))
    (lab / "setup_lab.py").write_text("'a program of the provider'\n")
    return str(lab)


class Good:
    """A folder with files of units, in JSON on each line; the others differ in one thing."""

    def accepts(self, source: str) -> bool:
        return os.path.isdir(source) and any(Path(source).glob(f"*{SUFFIX}"))  # noqa: PTH112

    def load(self, source: str) -> Provider:
        if not self.accepts(source):
            raise ProviderLoadError(source, "it is no folder of units")
        path = Path(source).absolute()
        return Provider(
            path.name,
            namespace="lab",
            version="1",
            source=str(path),
            read=partial(self.units, path),
            folder=path,
        )

    def load_in(self, source: str, lang: str) -> Provider:
        del lang
        return self.load(source)

    def find(self, environ: Mapping[str, str]) -> Iterator[InstalledProvider]:
        del environ
        yield InstalledProvider("gone", "lab:gone", "1", "/gone", "broken", "it was removed")

    def units(self, folder: Path) -> Iterator[Unit | ProviderProblem]:
        for path in sorted(folder.glob(f"*{SUFFIX}")):
            for number, line in enumerate(path.read_bytes().splitlines(), start=1):
                try:
                    yield self.unit(json.loads(line), Origin(str(path), number))
                except (AttributeError, TypeError, ValueError) as error:
                    yield self.problem(path, number, str(error))

    def unit(self, fields: Any, origin: Origin) -> Unit:
        return make_unit(fields, namespace="lab", origin=origin)

    def problem(self, path: Path, line: int, message: str) -> ProviderProblem:
        return ProviderProblem(str(path), line, "error", message)


class TakesEverything(Good):
    def accepts(self, source: str) -> bool:
        return bool(source)


class Stumbles(Good):
    def accepts(self, source: str) -> bool:
        return Path(source).expanduser().is_dir() and super().accepts(source)


class AnswersWithText(Good):
    def accepts(self, source: str) -> Any:
        return source if super().accepts(source) else ""


class AsksAProgram(Good):
    def accepts(self, source: str) -> bool:
        return super().accepts(source) and not subprocess.run(["true"], check=False).returncode  # noqa: S607


class Ponders(Good):
    def accepts(self, source: str) -> bool:
        end = time.process_time() + 0.6
        while super().accepts(source) and time.process_time() < end:
            continue
        return super().accepts(source)


class RefusesAll(Good):
    def accepts(self, source: str) -> bool:
        del source
        return False

    def load(self, source: str) -> Provider:
        return Good().load(source)


class Empty(Good):
    def units(self, folder: Path) -> Iterator[Unit | ProviderProblem]:
        del folder
        yield from ()


class ReturnsNothing(Good):
    def load(self, source: str) -> Any:
        super().load(source)


class FromNowhere(Good):
    def unit(self, fields: Any, origin: Origin) -> Unit:
        del origin
        return make_unit(fields, namespace="lab")


class NamesAnother(Good):
    def load(self, source: str) -> Provider:
        provider = super().load(source)
        provider.source = "/somewhere/else"
        return provider


class OtherError(Good):
    def load(self, source: str) -> Provider:
        if not self.accepts(source):
            raise FileNotFoundError(source)
        return super().load(source)


class LoadsNonsense(Good):
    def load(self, source: str) -> Provider:
        return Provider("x", namespace="x", version="1", source=source, read=tuple)


class Calls(Good):
    def units(self, folder: Path) -> Iterator[Unit | ProviderProblem]:
        subprocess.run(["true"], check=True)  # noqa: S607
        yield from super().units(folder)


class Executes(Good):
    def units(self, folder: Path) -> Iterator[Unit | ProviderProblem]:
        exec((folder / "setup_lab.py").read_text(), {})  # noqa: S102
        yield from super().units(folder)


class Compiles(Good):
    def units(self, folder: Path) -> Iterator[Unit | ProviderProblem]:
        path = folder / "setup_lab.py"
        exec(compile(path.read_text(), str(path), "exec"), {})  # noqa: S102
        yield from super().units(folder)


class Caches(Good):
    def units(self, folder: Path) -> Iterator[Unit | ProviderProblem]:
        (folder / "cache").touch()
        yield from super().units(folder)


class Prints(Good):
    def load(self, source: str) -> Provider:
        print("loading", file=sys.stderr)  # noqa: T201
        return super().load(source)


class Counts(Good):
    loads: ClassVar[list[str]] = []

    def unit(self, fields: Any, origin: Origin) -> Unit:
        self.loads.append(origin.file)
        return super().unit({**fields, "description": str(len(self.loads))}, origin)


class SharesState(Good):
    found: ClassVar[list[Unit]] = []

    def units(self, folder: Path) -> Iterator[Unit | ProviderProblem]:
        for unit in super().units(folder):
            self.found.append(unit)  # type: ignore[arg-type]
            time.sleep(0.005)
        found = list(self.found)
        self.found.clear()
        yield from found


class Careless(Good):
    def units(self, folder: Path) -> Iterator[Unit | ProviderProblem]:
        for path in sorted(folder.glob(f"*{SUFFIX}")):
            for number, line in enumerate(path.read_bytes().splitlines(), start=1):
                yield self.unit(json.loads(line), Origin(str(path), number))


class NamesNoFile(Good):
    def problem(self, path: Path, line: int, message: str) -> ProviderProblem:
        del path
        return super().problem(Path(), line, message).__class__("", line, "error", message)


class NamesNoLine(Good):
    def problem(self, path: Path, line: int, message: str) -> ProviderProblem:
        return super().problem(path, line * 0, message)


class Swallows(Good):
    def units(self, folder: Path) -> Iterator[Unit | ProviderProblem]:
        return (unit for unit in super().units(folder) if not isinstance(unit, ProviderProblem))


class TranslatesIds(Good):
    def load_in(self, source: str, lang: str) -> Provider:
        provider = self.load(source)
        units = [make_unit({"id": f"{lang}-a", "plugin": "manual", "summary": "A"})]
        return (
            provider
            if not lang
            else Provider("lab", namespace="lab", version="1", source=source, read=lambda: units)
        )


class FindsWithoutReason(Good):
    def find(self, environ: Mapping[str, str]) -> Iterator[InstalledProvider]:
        del environ
        yield InstalledProvider("gone", "lab:gone", "1", "/gone", "broken")


class FindsWhatIsGone(Good):
    def find(self, environ: Mapping[str, str]) -> Iterator[InstalledProvider]:
        del environ
        yield InstalledProvider("gone", "lab:gone", "1", "/gone")
