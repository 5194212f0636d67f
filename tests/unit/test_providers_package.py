"""The package loader: providers in installed packages, found without importing them."""

from __future__ import annotations

import sys
from typing import TYPE_CHECKING

import pytest

from holdall.errors import ProviderLoadError
from holdall_plugins.providers.package import PackageLoader

if TYPE_CHECKING:
    from pathlib import Path

TRAP = "raise SystemExit('this package was imported')"
DEFINITION = "[PlainBox Provider]\nname = acme.lab:disks\nversion = 2.1\n"


@pytest.fixture
def site(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """Return a folder that packages are imported from."""
    monkeypatch.syspath_prepend(tmp_path)
    return tmp_path


def package(folder: Path) -> Path:
    (folder / "units").mkdir(parents=True)
    (folder / "disks.provider").write_text(DEFINITION)
    (folder / "units/a.pxu").write_text("id: a\nplugin: shell\ncommand: true\n")
    return folder


def test_a_package_is_read_without_being_imported(site: Path) -> None:
    folder = package(site / "acme_one")
    (folder / "__init__.py").write_text(TRAP)

    provider = PackageLoader().load("acme_one")

    assert [unit.id for unit in provider.unit_list] == ["acme.lab::a"]
    assert (provider.folder, provider.source) == (folder, "acme_one")
    assert "acme_one" not in sys.modules


def test_a_package_inside_packages_is_read_without_importing_these(site: Path) -> None:
    folder = package(site / "acme_two/lab/disks")
    (site / "acme_two/__init__.py").write_text(TRAP)
    (site / "acme_two/lab/__init__.py").write_text(TRAP)

    assert PackageLoader().load("acme_two.lab.disks").folder == folder
    assert not [name for name in sys.modules if name.startswith("acme_two")]


def test_a_namespace_package_is_looked_for_in_all_its_folders(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (tmp_path / "first/acme_three/other").mkdir(parents=True)
    folder = package(tmp_path / "second/acme_three/disks")
    for place in ("second", "first"):
        monkeypatch.syspath_prepend(tmp_path / place)

    assert PackageLoader().load("acme_three.disks").folder == folder


def test_a_package_without_a_definition_is_read_as_a_bare_folder(site: Path) -> None:
    folder = package(site / "acme_four/disks")
    (folder / "disks.provider").unlink()

    provider = PackageLoader().load("acme_four.disks")

    assert [unit.id for unit in provider.unit_list] == ["disks::a"]


@pytest.mark.parametrize(
    "source",
    [
        pytest.param("acme_absent", id="not installed"),
        pytest.param("acme_five.absent", id="no such folder in it"),
        pytest.param("acme_module", id="a module and no package"),
        pytest.param("acme_five/disks", id="a path"),
        pytest.param("", id="nothing"),
    ],
)
def test_what_is_no_package_is_refused(site: Path, source: str) -> None:
    package(site / "acme_five/disks")
    (site / "acme_module.py").write_text(TRAP)

    with pytest.raises(ProviderLoadError, match="no folder of an installed package"):
        PackageLoader().load(source)

    assert not PackageLoader().accepts(source)


def test_a_dotted_name_is_accepted_if_its_folder_is_there(site: Path) -> None:
    package(site / "acme_six/disks")

    assert PackageLoader().accepts("acme_six.disks")


def test_a_package_without_units_is_refused(site: Path) -> None:
    (site / "acme_seven").mkdir()

    with pytest.raises(ProviderLoadError, match=r"neither a \.provider file nor \.pxu files"):
        PackageLoader().load("acme_seven")


def test_a_package_with_a_provider_in_toml_is_one_by_its_own_name(site: Path) -> None:
    folder = site / "acme_toml"
    folder.mkdir()
    (folder / "__init__.py").write_text(TRAP)
    (folder / "provider.toml").write_text('[provider]\nname = "disks"\n[job.a]\ncommand = "true"')

    provider = PackageLoader().load("acme_toml")

    assert [unit.id for unit in provider.unit_list] == ["disks::a"]
    assert (provider.folder, provider.source) == (folder, "acme_toml")
