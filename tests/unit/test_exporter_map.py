from __future__ import annotations

import sys
from collections.abc import Mapping
from typing import TYPE_CHECKING, Any

import pytest

from holdall.errors import PluginLoadError, UnknownOptionError, UnknownPluginError
from holdall.registry.candidates import Declared
from holdall.registry.registry import Registry
from holdall.session.exporters import ExporterMap
from holdall.session.manager import SessionManager
from holdall_exporters.text import TextExporter
from holdall_plugins.stores.memory import MemoryRepository

if TYPE_CHECKING:
    from pathlib import Path


def exporter(name: str, value: str, *, of: str = "holdall") -> Declared:
    return Declared("exporters", name, value, of, "1.0")


TEXT = exporter("holdall.text", "holdall_exporters.text:TextExporter")
BROKEN = exporter("acme.broken", "no_such_module:Exporter", of="acme")


@pytest.fixture
def manager() -> SessionManager:
    registry = Registry.of(TEXT, BROKEN)
    return SessionManager.create(MemoryRepository(), registry=registry)


def test_iterating_yields_each_canonical_id_once(manager: SessionManager) -> None:
    assert list(manager.exporter_map) == ["acme.broken", "holdall.text"]
    assert len(manager.exporter_map) == 2


def test_everything_installed_is_there_without_an_import() -> None:
    before = set(sys.modules)

    found = list(ExporterMap(Registry.discover()))

    assert {"holdall.html", "holdall.json", "holdall.junit", "holdall.verdict"} <= set(found)
    new = set(sys.modules) - before
    assert not [name for name in new if name.startswith("holdall_exporters.")]


@pytest.mark.parametrize("alias", ["text", "holdall.text"])
def test_an_alias_gives_the_same_object_as_the_id(manager: SessionManager, alias: str) -> None:
    found = manager.exporter_map

    assert alias in found
    assert found[alias] is found["holdall.text"]
    assert found.get(alias) is found["holdall.text"]
    assert found[alias].id == "holdall.text"


def test_a_legacy_id_gives_the_same_object(manager: SessionManager) -> None:
    with pytest.warns(DeprecationWarning, match="text"):
        found = manager.exporter_map["com.canonical.plainbox::text"]

    assert found is manager.exporter_map["text"]


def test_load_gives_the_class(manager: SessionManager) -> None:
    assert manager.exporter_map["text"].load() is TextExporter


def test_an_alias_is_there_only_with_its_exporter(manager: SessionManager) -> None:
    assert "xlsx" not in manager.exporter_map
    assert manager.exporter_map.get("xlsx") is None


def test_an_unknown_id_is_a_key_error_with_near_names(manager: SessionManager) -> None:
    with pytest.raises(KeyError, match="did you mean 'text'"):
        manager.exporter_map["txet"]


def test_the_map_is_always_the_same_and_up_to_date(manager: SessionManager) -> None:
    found = manager.exporter_map

    manager.registry.register("exporters", "app.mine", TextExporter)

    assert manager.exporter_map is found
    assert "app.mine" in found


def test_the_map_cannot_be_changed(manager: SessionManager) -> None:
    found: Any = manager.exporter_map

    assert issubclass(ExporterMap, Mapping)
    with pytest.raises(TypeError):
        found["x"] = TextExporter
    with pytest.raises(AttributeError):
        manager.exporter_map = {}  # type: ignore[misc, assignment]


def test_a_broken_exporter_fails_only_who_loads_it(manager: SessionManager) -> None:
    known = manager.exporter_map["acme.broken"]

    with pytest.raises(PluginLoadError, match=r"acme 1\.0"):
        known.load()
    assert manager.exporter_map["text"].load() is TextExporter


def test_create_exporter_refuses_an_unknown_id_with_a_lookup_error(
    manager: SessionManager,
) -> None:
    with pytest.raises(UnknownPluginError) as caught:
        manager.create_exporter("txet")

    assert isinstance(caught.value, LookupError)


def test_an_unknown_option_is_refused_if_strict_and_left_out_otherwise(
    manager: SessionManager, tmp_path: Path
) -> None:
    with pytest.raises(UnknownOptionError) as caught:
        manager.create_exporter("text", ["shape=round"])
    report = manager.create_exporter("text", ["shape=round"], strict=False).export_to(
        tmp_path / "report.txt"
    )

    assert isinstance(caught.value, ValueError)
    assert "shape" in str(report.as_dict())
