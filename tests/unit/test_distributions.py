from __future__ import annotations

import sys
import zipfile
from typing import TYPE_CHECKING

import importlib_metadata
import pytest
from tests.unit.plugin_worlds import exporter, found_in, install

from holdall.errors import PluginUnavailableError
from holdall.registry.candidates import ALIASES, KINDS, State
from holdall.registry.discovery import scan

if TYPE_CHECKING:
    from pathlib import Path

    from holdall.registry.registry import Registry

POINTS = "[holdall.exporters]\nacme.md = acme_md:Exporter\n"


def reasons(registry: Registry) -> list[str]:
    return [problem.reason for problem in registry.problems()]


def test_the_scan_finds_what_the_metadata_library_finds() -> None:
    library = {
        (point.group, point.name, point.value.partition("[")[0].strip(), tuple(point.extras))
        for kind in (*KINDS, ALIASES)
        for point in importlib_metadata.entry_points(group=f"holdall.{kind}")
    }

    found = {(f"holdall.{e.kind}", e.name, e.value, e.extras) for e in scan().declared}

    assert found == library


def test_a_declaration_comes_with_distribution_version_and_place(tmp_path: Path) -> None:
    info = install(tmp_path, "acme-md", version="1.2", points=POINTS)

    (found,) = found_in(tmp_path).candidates("exporters")

    assert (found.distribution, found.version, found.location) == ("acme-md", "1.2", str(info))


def test_metadata_that_is_missing_is_reported_and_the_plugin_is_there(tmp_path: Path) -> None:
    (install(tmp_path, "acme-md", points=POINTS) / "METADATA").unlink()

    registry = found_in(tmp_path)

    assert [each.origin for each in registry.candidates("exporters")] == ["acme-md 1.0"]
    assert "its METADATA is missing" in reasons(registry)[0]


def test_metadata_that_is_a_folder_is_reported(tmp_path: Path) -> None:
    info = install(tmp_path, "acme-md", points=POINTS)
    (info / "METADATA").unlink()
    (info / "METADATA").mkdir()

    assert "its METADATA can't be read: Is a directory" in reasons(found_in(tmp_path))[0]


@pytest.mark.parametrize("file", ["METADATA", "entry_points.txt"])
def test_metadata_that_is_not_utf_8_is_reported_and_hinders_nobody(
    tmp_path: Path, file: str
) -> None:
    info = install(tmp_path, "bad", points="[holdall.exporters]\nbad.md = bad:X\n")
    (info / file).write_bytes(b"Name: bad\nVersion: 1.0\n[holdall.exporters]\n\xff\xfe = x\n")
    install(tmp_path, "acme-md", points=POINTS)

    registry = found_in(tmp_path)

    assert registry.resolve("exporters", "acme.md").distribution == "acme-md"
    assert f"its {file} can't be read: it is not UTF-8" in reasons(registry)[0]


def test_entry_points_that_cannot_be_read_are_reported_and_hinder_nobody(tmp_path: Path) -> None:
    info = install(tmp_path, "bad")
    (info / "entry_points.txt").unlink()
    (info / "entry_points.txt").symlink_to("entry_points.txt")
    install(tmp_path, "acme-md", points=POINTS)

    registry = found_in(tmp_path)

    assert registry.resolve("exporters", "acme.md").distribution == "acme-md"
    assert "its entry_points.txt can't be read: Too many levels" in reasons(registry)[0]


def test_a_file_where_a_folder_of_metadata_should_be_hinders_nobody(tmp_path: Path) -> None:
    (tmp_path / "odd-1.0.dist-info").write_text("a file")
    install(tmp_path, "acme-md", points=POINTS)

    assert [each.id for each in found_in(tmp_path).candidates("exporters")] == ["acme.md"]


def test_lines_that_are_no_entry_points_hinder_nobody(tmp_path: Path) -> None:
    points = f"no group = x\n[holdall.exporters\n{POINTS}# words\n\nhalf a line\n = nothing\n"
    install(tmp_path, "acme-md", points=points)

    states = {each.id: each.state for each in found_in(tmp_path).candidates("exporters")}

    assert states["acme.md"] is State.READY
    assert set(states.values()) <= {State.READY, State.INCOMPATIBLE}


def test_a_distribution_in_a_zip_on_the_path_is_found(tmp_path: Path) -> None:
    install(tmp_path / "site", "acme-md", points=POINTS)
    archive = tmp_path / "site.zip"
    with zipfile.ZipFile(archive, "w") as target:
        for path in (tmp_path / "site").rglob("*"):
            target.write(path, path.relative_to(tmp_path / "site"))

    (found,) = found_in(archive).candidates("exporters")

    assert (found.origin, found.state) == ("acme-md 1.0", State.READY)


def test_a_file_on_the_path_that_is_no_archive_hinders_nobody(tmp_path: Path) -> None:
    (tmp_path / "site.zip").write_text("no zip")
    install(tmp_path / "site", "acme-md", points=POINTS)

    assert found_in(tmp_path / "site.zip", tmp_path / "site", tmp_path / "gone").candidates(
        "exporters"
    )


def test_a_second_dist_info_of_one_distribution_is_reported_and_does_no_harm(
    tmp_path: Path,
) -> None:
    install(tmp_path, "acme-md", version="1.10", points=POINTS)
    install(tmp_path, "acme-md", version="1.9", points=POINTS.replace(":Exporter", ":Old"))

    registry = found_in(tmp_path)

    assert registry.resolve("exporters", "acme.md").version == "1.10"
    states = {each.version: each.state for each in registry.candidates("exporters")}
    assert states == {"1.10": State.READY, "1.9": State.SHADOWED}
    assert any("a second installation of acme-md" in reason for reason in reasons(registry))


def test_the_first_on_the_path_counts_as_it_does_for_imports(tmp_path: Path) -> None:
    install(tmp_path / "a", "acme-md", version="1.0", points=POINTS)
    install(tmp_path / "b", "Acme_MD", version="2.0", points=POINTS)

    registry = found_in(tmp_path / "a", tmp_path / "b")

    assert registry.resolve("exporters", "acme.md").version == "1.0"


def test_a_folder_that_is_on_the_path_twice_is_read_once(tmp_path: Path) -> None:
    install(tmp_path / "a", "acme-md", points=POINTS)
    (tmp_path / "b").symlink_to(tmp_path / "a")

    registry = found_in(tmp_path / "a", tmp_path / "b")

    assert registry.problems() == []
    assert len(registry.candidates("exporters")) == 1


def test_a_group_of_a_later_contract_is_seen_and_explained(tmp_path: Path) -> None:
    install(tmp_path, "acme-md", points=POINTS.replace("exporters]", "exporters.v2]"))

    registry = found_in(tmp_path)

    with pytest.raises(PluginUnavailableError, match="written for plugin contract 2; this hold"):
        registry.load("exporters", "acme.md")
    assert registry.candidates("exporters")[0].state is State.INCOMPATIBLE


def test_a_plugin_for_both_contracts_is_used_by_the_one_that_is_spoken(tmp_path: Path) -> None:
    later = POINTS.replace("exporters]", "exporters.v2]").replace(":Exporter", ":Later")
    install(tmp_path, "acme-md", points=POINTS + later)

    (found,) = found_in(tmp_path).candidates("exporters")

    assert (found.state, found.target) == (State.READY, "acme_md:Exporter")


def test_a_misspelt_group_is_reported_with_the_near_one(tmp_path: Path) -> None:
    install(tmp_path, "acme-md", points=POINTS.replace("exporters]", "exporter]"))

    assert "did you mean 'holdall.exporters'?" in reasons(found_in(tmp_path))[0]


@pytest.mark.parametrize(
    ("requires", "reason"),
    [
        ("holdall>=99", "it needs holdall>=99, and this is holdall"),
        ("holdall >= 99 ; python_version > '3'", "it needs holdall>=99"),
        ("holdall ~~ 3", "can't be read"),
    ],
)
def test_a_distribution_for_another_holdall_is_not_used(
    tmp_path: Path, requires: str, reason: str
) -> None:
    install(tmp_path, "acme-md", points=POINTS, requires=requires)

    with pytest.raises(PluginUnavailableError, match=reason):
        found_in(tmp_path).load("exporters", "acme.md")


@pytest.mark.parametrize("requires", ["holdall", "holdall>=0", "holdall>=99; extra == 'x'"])
def test_a_requirement_that_is_met_or_not_asked_for_hinders_nothing(
    tmp_path: Path, requires: str
) -> None:
    install(tmp_path, "acme-md", points=POINTS, requires=requires)

    assert found_in(tmp_path).resolve("exporters", "acme.md").state is State.READY


def test_a_thousand_distributions_are_listed_each_with_its_origin(tmp_path: Path) -> None:
    for number in range(1000):
        points = f"[holdall.exporters]\nacme.e{number} = acme_{number}:Exporter\n"
        install(tmp_path, f"acme-{number}", points=points)

    found = found_in(tmp_path).candidates("exporters")

    assert len({each.origin for each in found}) == 1000


def test_finders_of_other_makers_are_asked(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    install(tmp_path, "acme-md", points=POINTS)

    class Finder:
        @staticmethod
        def find_spec(*_args: object) -> None: ...

        @staticmethod
        def find_distributions(_context: object) -> object:
            context = importlib_metadata.DistributionFinder.Context(path=[str(tmp_path)])  # type: ignore[no-untyped-call]
            return importlib_metadata.MetadataPathFinder().find_distributions(context)

    class Broken(Finder):
        @staticmethod
        def find_distributions(_context: object) -> object:
            raise RuntimeError("out of order")

    monkeypatch.setattr(sys, "meta_path", [*sys.meta_path, Broken, Finder])

    found = scan()

    assert "acme.md" in {each.name for each in found.declared}
    assert any("RuntimeError: out of order" in each.reason for each in found.problems)


def test_conflicts_are_found_in_any_order_of_declaration() -> None:
    # The shape that a grouping of neighbours alone would miss: a, b, a.
    from holdall.registry.registry import Registry

    registry = Registry.of(exporter("acme.a"), exporter("acme.b"), exporter("acme.a", of="rival"))

    states = [(each.id, each.state) for each in registry.candidates("exporters")]
    assert states == [
        ("acme.a", State.AMBIGUOUS),
        ("acme.a", State.AMBIGUOUS),
        ("acme.b", State.READY),
    ]


def test_a_build_in_the_source_tree_is_the_same_distribution_as_what_is_installed(
    tmp_path: Path,
) -> None:
    """As `pip install -e` of a src layout by setuptools leaves it: dist-info, and egg-info beside.

    The folder of the egg-info has no version in its name.
    """
    info = install(tmp_path / "src", "acme-md", points=POINTS)
    info.rename(tmp_path / "src" / "acme_md.egg-info")
    (tmp_path / "src" / "acme_md.egg-info" / "METADATA").rename(
        tmp_path / "src" / "acme_md.egg-info" / "PKG-INFO"
    )
    install(tmp_path / "site", "acme-md", points=POINTS)

    for path in (("site", "src"), ("src", "site")):
        registry = found_in(*(tmp_path / name for name in path))
        assert registry.explain("exporters", "acme.md").candidate is not None
        states = [candidate.state for candidate in registry.candidates("exporters")]
        assert (states, reasons(registry)) == ([State.READY], [])


@pytest.mark.parametrize(
    "folder",
    ["acme_md-1.0-py3.11.egg-info", "acme.md-1.0.dist-info", "Acme_MD.egg-info"],
)
def test_a_distribution_is_known_by_any_name_of_its_folder(folder: str, tmp_path: Path) -> None:
    install(tmp_path / "a", "acme-md", points=POINTS)
    other = install(tmp_path / "b", "acme-md", version="1.1", points=POINTS)
    other.rename(tmp_path / "b" / folder)

    states = [
        each.state for each in found_in(tmp_path / "a", tmp_path / "b").candidates("exporters")
    ]
    assert states == [State.READY, State.SHADOWED]
