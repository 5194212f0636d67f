"""The wheel that is published, built and looked into."""

from __future__ import annotations

import importlib.util
import subprocess
import sys
import tomllib
from configparser import ConfigParser
from email import message_from_string
from functools import cached_property
from pathlib import Path, PurePosixPath
from zipfile import ZipFile

import pytest

from holdall.version import __version__

ROOT = Path(__file__).parents[1]
PROJECT = tomllib.loads((ROOT / "pyproject.toml").read_text())["project"]
PACKAGES = {"holdall", "holdall_plugins", "holdall_exporters"}
ROOMS = {"core": "holdall", "plugins": "holdall_plugins", "exporters": "holdall_exporters"}

pytestmark = pytest.mark.skipif(
    importlib.util.find_spec("hatchling") is None,
    reason="the wheel is built without network, and hatchling is in the extra 'test'",
)


class Wheel:
    """A built wheel."""

    def __init__(self, path: Path) -> None:
        with ZipFile(path) as archive:
            self.names = {name for name in archive.namelist() if not name.endswith("/")}
            self._texts = {
                PurePosixPath(name).name: archive.read(name).decode()
                for name in self.names
                if ".dist-info/" in name
            }

    @cached_property
    def metadata(self) -> dict[str, list[str]]:
        message = message_from_string(self._texts["METADATA"])
        return {key: message.get_all(key, []) for key in message}

    @cached_property
    def entry_points(self) -> dict[str, dict[str, str]]:
        parser = ConfigParser(delimiters=("=",))
        parser.optionxform = str  # type: ignore[assignment, method-assign]
        parser.read_string(self._texts["entry_points.txt"])
        return {section: dict(parser[section]) for section in parser.sections()}

    def holds(self, module: str) -> bool:
        """Whether the dotted name is a module, or a folder of data, of the wheel."""
        path = module.replace(".", "/")
        files = {f"{path}.py", f"{path}/__init__.py"}
        return bool(files & self.names) or any(name.startswith(f"{path}/") for name in self.names)


@pytest.fixture(scope="session")
def wheel(tmp_path_factory: pytest.TempPathFactory) -> Wheel:
    folder = tmp_path_factory.mktemp("wheel")
    command = [sys.executable, "-m", "hatchling", "build", "-t", "wheel", "-d", str(folder)]
    subprocess.run(command, cwd=ROOT, check=True, capture_output=True)
    (path,) = folder.glob("*.whl")
    return Wheel(path)


def test_the_wheel_holds_three_packages_and_nothing_else(wheel: Wheel) -> None:
    tops = {PurePosixPath(name).parts[0] for name in wheel.names}

    assert tops == {*PACKAGES, f"holdall-{__version__}.dist-info"}


def test_the_wheel_holds_every_file_of_the_three_rooms(wheel: Wheel) -> None:
    expected = {
        path.relative_to(ROOT / room).as_posix()
        for room in ROOMS
        for path in (ROOT / room).rglob("*")
        if path.is_file() and path.suffix != ".pyc"
    }

    assert {name for name in wheel.names if ".dist-info/" not in name} == expected


def test_each_package_is_typed(wheel: Wheel) -> None:
    assert {name for name in wheel.names if name.endswith("/py.typed")} == {
        f"{package}/py.typed" for package in PACKAGES
    }


def test_the_smoke_provider_travels_with_its_units_and_programs(wheel: Wheel) -> None:
    place = "holdall_plugins/providers/smoke"

    assert f"{place}/smoke.provider" in wheel.names
    assert any(name.startswith(f"{place}/units/") for name in wheel.names)
    assert any(name.startswith(f"{place}/data/") for name in wheel.names)


def test_the_templates_of_reports_travel_with_the_exporters(wheel: Wheel) -> None:
    assert "holdall_exporters/templates/report.html" in wheel.names


def test_the_catalogs_travel_with_their_packages(wheel: Wheel) -> None:
    for package in ("holdall", "holdall_exporters"):
        folder = f"{package}/locale"
        assert f"{folder}/{package}.pot" in wheel.names
        assert f"{folder}/de/LC_MESSAGES/{package}.po" in wheel.names
        assert f"{folder}/de/LC_MESSAGES/{package}.mo" in wheel.names


def test_every_entry_point_leads_to_a_file_of_the_wheel(wheel: Wheel) -> None:
    targets = {
        f"{group} {name}": value.partition("[")[0].partition(":")[0].strip()
        for group, points in wheel.entry_points.items()
        for name, value in points.items()
    }

    assert set(wheel.entry_points) >= {
        "console_scripts",
        "holdall.exporters",
        "holdall.provider_loaders",
        "holdall.providers",
        "holdall.repositories",
        "holdall.runners",
    }
    assert {point: target for point, target in targets.items() if not wheel.holds(target)} == {}


def test_the_wheel_tells_its_version_licence_and_python(wheel: Wheel) -> None:
    assert wheel.metadata["Version"] == [__version__]
    assert wheel.metadata["License-Expression"] == ["Apache-2.0"]
    assert wheel.metadata["Requires-Python"] == [">=3.11"]
    assert f"holdall-{__version__}.dist-info/licenses/LICENSE" in wheel.names


def test_each_extra_that_an_entry_point_names_is_declared(wheel: Wheel) -> None:
    named = {
        value.partition("[")[2].rstrip("]")
        for points in wheel.entry_points.values()
        for value in points.values()
        if "[" in value
    }

    assert named <= set(wheel.metadata["Provides-Extra"])
    assert set(PROJECT["optional-dependencies"]) == set(wheel.metadata["Provides-Extra"])


def test_nothing_that_runs_needs_an_extra(wheel: Wheel) -> None:
    required = {line for line in wheel.metadata["Requires-Dist"] if "extra ==" not in line}

    assert len(required) == len(PROJECT["dependencies"])
