"""A warning of something deprecated points at the line of the caller, however deep it is."""

from __future__ import annotations

import io
import sys
import warnings
from typing import TYPE_CHECKING

import pytest

from holdall import Registry, SessionManager, export
from holdall.exports import BoundExporter
from holdall.testing.sessions import empty_session
from holdall_plugins.stores.memory import MemoryRepository

if TYPE_CHECKING:
    from collections.abc import Callable

LEGACY = "com.canonical.plainbox::json"


def line_above() -> int:
    """Return the line above that of the caller."""
    return sys._getframe(1).f_lineno - 1


def resolved() -> int:
    Registry.discover().resolve("exporters", LEGACY)
    return line_above()


def loaded() -> int:
    Registry.discover().load("exporters", LEGACY)
    return line_above()


def exported() -> int:
    export(empty_session(), LEGACY, io.BytesIO())
    return line_above()


def exported_with_an_option() -> int:
    export(empty_session(), "json", io.BytesIO(), options=["with-io-log"])
    return line_above()


def bound() -> int:
    BoundExporter(empty_session(), LEGACY)
    return line_above()


def created_by_a_manager() -> int:
    manager = SessionManager.create(MemoryRepository())
    manager.create_exporter(LEGACY)
    return line_above()


def looked_up_in_a_map() -> int:
    manager = SessionManager.create(MemoryRepository())
    assert LEGACY in manager.exporter_map
    return line_above()


@pytest.mark.parametrize(
    "use",
    [
        resolved,
        loaded,
        exported,
        exported_with_an_option,
        bound,
        created_by_a_manager,
        looked_up_in_a_map,
    ],
    ids=lambda use: use.__name__,
)
def test_a_warning_points_at_the_callers_own_line(use: Callable[[], int]) -> None:
    with warnings.catch_warnings(record=True) as caught:
        warnings.simplefilter("always")
        where = use()

    (warning,) = caught
    assert issubclass(warning.category, DeprecationWarning)
    assert (warning.filename, warning.lineno) == (__file__, where)
