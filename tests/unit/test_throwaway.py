from __future__ import annotations

import tempfile
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

from holdall import SessionManager, load_provider
from holdall.errors import DependencyDuplicateError
from holdall.registry.candidates import Declared
from holdall.registry.registry import Registry
from holdall.units import make_unit
from holdall.units.provider import Provider

if TYPE_CHECKING:
    from holdall.units import Unit


@pytest.fixture(autouse=True)
def place(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """Let temporary folders be made where the test can look."""
    monkeypatch.setattr(tempfile, "tempdir", str(tmp_path))
    return tmp_path


def job(job_id: str, **fields: str) -> Unit:
    return make_unit({"id": job_id, "plugin": "shell", "command": "true", **fields})


def provider(name: str, *units: Unit) -> Provider:
    return Provider(name, namespace="", version="1", source=name, read=lambda: units)


def test_the_session_is_there_inside_and_gone_afterwards(place: Path) -> None:
    with SessionManager.get_throwaway_manager([provider("lab", job("a"))]) as manager:
        manager.checkpoint()
        folder = Path(manager.storage.where)
        inside = list(place.rglob("journal-*"))
        repository = manager.storage.repository

    assert inside
    assert folder.is_relative_to(place)
    assert list(place.iterdir()) == []
    assert list(repository.ids()) == []


def test_it_is_gone_although_the_body_raises(place: Path) -> None:
    with pytest.raises(RuntimeError, match="body"), SessionManager.get_throwaway_manager([]):
        raise RuntimeError("body")

    assert list(place.iterdir()) == []


def test_it_is_gone_although_its_creation_fails_half_way(place: Path) -> None:
    clashing = [provider("one", job("a")), provider("two", job("a", summary="another"))]

    with (
        pytest.raises(DependencyDuplicateError),
        SessionManager.get_throwaway_manager(clashing),
    ):
        pytest.fail("the body must not run")

    assert list(place.iterdir()) == []


def test_it_may_be_destroyed_inside(place: Path) -> None:
    with SessionManager.get_throwaway_manager([]) as manager:
        manager.destroy()

    assert list(place.iterdir()) == []


def test_the_units_of_its_providers_are_there_on_a_local_device() -> None:
    with SessionManager.get_throwaway_manager([provider("lab", job("a"))]) as manager:
        context = manager.default_device_context
        assert context is not None

        assert context.device.id == "local"
        assert [each.id for each in context.unit_list] == ["a"]


def test_no_providers_at_all_give_an_empty_context_and_none_the_installed_ones() -> None:
    """TRAP 0: upstream takes the one for the other once either was asked for."""

    def units(providers: list[Provider] | None) -> int:
        with SessionManager.get_throwaway_manager(providers) as manager:
            assert manager.default_device_context is not None
            return len(manager.default_device_context.unit_list)

    assert [units([]), units(None), units([]), units(None)] == [
        0,
        len(load_provider("smoke").unit_list),
        0,
        len(load_provider("smoke").unit_list),
    ]


def test_two_at_once_are_two_sessions() -> None:
    with (
        SessionManager.get_throwaway_manager([]) as one,
        SessionManager.get_throwaway_manager([]) as two,
    ):
        assert one is not two
        assert one.storage.id != two.storage.id


def test_an_installed_provider_that_cannot_be_had_is_left_out() -> None:
    registry = Registry.of(
        Declared("repositories", "file", "holdall_plugins.stores.file:FileRepository", "holdall"),
        Declared("providers", "lost", "no_such_package", "acme", "1.0"),
    )

    with SessionManager.get_throwaway_manager(registry=registry) as manager:
        assert manager.default_device_context is not None
        assert manager.default_device_context.unit_list == []
