"""Exporter units: exporters with options and data under ids of providers."""

from __future__ import annotations

import io
import re
from typing import TYPE_CHECKING

import pytest

from holdall import load_provider
from holdall.errors import (
    OptionValueError,
    PluginLoadError,
    ProviderNotLoadedError,
    ReportTemplateError,
    UnitError,
    UnknownOptionError,
    UnknownPluginError,
)
from holdall.exports.naming import units_in
from holdall.exports.pipeline import ExportRequest, export, export_many
from holdall.registry.candidates import Declared
from holdall.registry.registry import Registry
from holdall.session.manager import SessionManager
from holdall.units import ExporterUnit, make_unit
from holdall.units.bound import BoundUnit
from holdall_exporters.text import TextExporter
from holdall_plugins.stores.memory import MemoryRepository

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    from holdall.units.provider import Provider

REGISTRY = Registry.discover()
UNITS = """
id: a
_summary: The first job
plugin: shell
command: true

unit: exporter
id: page
_summary: A summary that is a good deal longer than the eighty characters that plainbox had for it
entry_point: jinja2
file_extension: html
data: {"template": "page.html", "extra_paths": ["parts"], "colour": "teal"}

unit: exporter
id: lines
entry_point: text
file_extension: log.txt
options: logs=all; no-comments, width=70
 history=no

unit: exporter
id: bare
entry_point: jinja2
file_extension: txt

unit: exporter
id: lost
entry_point: nowhere
file_extension: txt
"""


@pytest.fixture
def provider(tmp_path: Path) -> Provider:
    folder = tmp_path / "lab"
    (folder / "units").mkdir(parents=True)
    (folder / "data" / "parts").mkdir(parents=True)
    (folder / "lab.provider").write_text(
        "[PlainBox Provider]\nname = com.example:lab\nversion = 1.2\n"
    )
    (folder / "units" / "all.pxu").write_text(UNITS)
    (folder / "data" / "page.html").write_text(
        "{% include 'head.html' %}{% for job in view.jobs() %}{{ job.summary }}{% endfor %}"
    )
    (folder / "data" / "parts" / "head.html").write_text("<i>{{ data.colour }}</i>")
    return load_provider(folder, registry=REGISTRY)


@pytest.fixture
def manager(provider: Provider) -> Iterator[SessionManager]:
    with SessionManager.create(MemoryRepository(), registry=REGISTRY) as manager:
        context = manager.add_local_device_context()
        context.add_provider(provider)
        context.state.update_desired_job_list(context.state.job_list)
        manager.checkpoint()
        yield manager


def written(manager: SessionManager, name: str, *options: str) -> str:
    stream = io.BytesIO()
    manager.create_exporter(name, options).export_to(stream)
    return stream.getvalue().decode()


def test_the_map_has_exporters_then_units_whose_exporter_is_installed(
    manager: SessionManager,
) -> None:
    found = list(manager.exporter_map)

    assert found[-3:] == ["com.example::page", "com.example::lines", "com.example::bare"]
    assert "holdall.text" in found
    assert len(manager.exporter_map) == len(found)


def test_trap_a_unit_with_a_warning_is_there_all_the_same(manager: SessionManager) -> None:
    assert "com.example::page" in manager.exporter_map


def test_a_unit_is_the_same_object_each_time_and_loads_its_exporters_class(
    manager: SessionManager,
) -> None:
    known = manager.exporter_map["com.example::lines"]

    assert known is manager.exporter_map["com.example::lines"]
    assert known.id == "com.example::lines"
    assert known.load() is TextExporter
    assert isinstance(known.unit, BoundUnit)


def test_a_unit_whose_exporter_is_not_installed_is_told_with_its_place(
    manager: SessionManager,
) -> None:
    assert "com.example::lost" not in manager.exporter_map
    with pytest.raises(UnknownPluginError, match="'nowhere'") as caught:
        manager.create_exporter("com.example::lost")

    (note,) = caught.value.__notes__
    assert note.startswith("the exporter unit 'com.example::lost' at ")
    assert note.endswith("all.pxu:26 wants it")


def test_a_unit_whose_exporter_is_broken_fails_only_who_asks(provider: Provider) -> None:
    text = "holdall_exporters.text:TextExporter"
    registry = Registry.of(
        Declared("exporters", "acme.broken", "no_such_module:X", "acme", "1.0"),
        Declared("exporters", "holdall.text", text, "holdall", "1"),
    )
    broken = make_unit({"unit": "exporter", "id": "broken", "entry_point": "acme.broken"})
    with SessionManager.create(MemoryRepository(), registry=registry) as manager:
        context = manager.add_local_device_context()
        context.add_provider(provider)
        context.add_unit(broken)

        assert "broken" in manager.exporter_map
        with pytest.raises(PluginLoadError, match=r"acme 1\.0"):
            manager.create_exporter("broken")
        assert written(manager, "com.example::lines").startswith("holdall-")


def test_a_template_of_a_unit_is_found_in_its_providers_data(manager: SessionManager) -> None:
    exporter = manager.create_exporter("com.example::page")

    assert (exporter.id, exporter.suffix, exporter.media_type) == (
        "com.example::page",
        ".html",
        "text/html",
    )
    assert written(manager, "com.example::page") == "<i>teal</i>The first job"


def test_trap_options_of_the_caller_win_over_those_of_the_unit(manager: SessionManager) -> None:
    preset = manager.create_exporter("com.example::lines").options
    given = manager.create_exporter("com.example::lines", ["width=30", "comments"]).options

    assert (preset.logs, preset.comments, preset.width, preset.history) == (
        "all",
        False,
        70,
        False,
    )
    assert (given.logs, given.comments, given.width, given.history) == ("all", True, 30, False)


def test_an_option_that_nobody_has_is_the_callers_error_and_the_units_is_listed() -> None:
    odd = make_unit(
        {"unit": "exporter", "id": "odd", "entry_point": "text", "options": "no-such width=9"},
        namespace="com.example",
    )
    with SessionManager.create(MemoryRepository(), registry=REGISTRY) as manager:
        manager.add_local_device_context().add_unit(odd)

        exporter = manager.create_exporter("com.example::odd")
        assert (exporter.ignored_options, exporter.options.width) == (("no-such",), 9)
        with pytest.raises(UnknownOptionError):
            manager.create_exporter("com.example::odd", ["no-such"])
        with pytest.raises(OptionValueError, match="given twice"):
            manager.create_exporter("com.example::odd", ["width=1", "width=2"])


def test_a_unit_whose_data_names_no_template_is_told_with_its_place(
    manager: SessionManager,
) -> None:
    with pytest.raises(ReportTemplateError, match=r"'com.example::bare' at .*names no template"):
        written(manager, "com.example::bare")


def test_a_unit_without_a_provider_has_no_folder_for_a_template() -> None:
    loose = make_unit(
        {"unit": "exporter", "id": "x", "entry_point": "jinja2", "data": '{"template": "a.txt"}'},
        namespace="com.example",
    )
    with SessionManager.create(MemoryRepository(), registry=REGISTRY) as manager:
        manager.add_local_device_context().add_unit(loose)

        with pytest.raises(ReportTemplateError, match="no data folder"):
            written(manager, "com.example::x")


def test_a_stored_session_needs_the_provider_and_says_which(
    manager: SessionManager, provider: Provider
) -> None:
    storage = manager.storage

    with pytest.raises(ProviderNotLoadedError) as caught:
        export(storage, "com.example::page", io.BytesIO(), registry=REGISTRY)
    stream = io.BytesIO()
    export(storage, "com.example::page", stream, registry=REGISTRY, providers=[provider])

    error = caught.value
    assert isinstance(error, LookupError)
    assert (error.unit_id, error.provider, error.version, error.source) == (
        "com.example::page",
        "com.example:lab",
        "1.2",
        provider.source,
    )
    assert stream.getvalue() == b"<i>teal</i>The first job"


def test_an_id_of_a_namespace_that_nobody_had_is_an_unknown_exporter(
    manager: SessionManager,
) -> None:
    with pytest.raises(UnknownPluginError):
        export(manager.storage, "org.other::page", io.BytesIO(), registry=REGISTRY)


def test_a_unit_is_one_of_many_reports_and_fails_alone(
    manager: SessionManager, tmp_path: Path
) -> None:
    names = ("com.example::page", "com.example::bare", "json")
    requests = [ExportRequest(name, tmp_path / f"{n}") for n, name in enumerate(names)]

    page, bare, document = export_many(manager, requests, registry=REGISTRY)

    assert (page.exporter, page.media_type, page.distribution) == (
        "com.example::page",
        "text/html",
        "holdall",
    )
    assert isinstance(bare.exception, ReportTemplateError)
    assert document.exception is None


def test_units_of_a_provider_are_found_by_id(provider: Provider) -> None:
    found = units_in([provider, provider])

    assert [each.rpartition("::")[2] for each in found] == ["page", "lines", "bare", "lost"]
    assert found["com.example::page"].folder == provider.data_folder


@pytest.mark.parametrize(
    ("fields", "words"),
    [
        pytest.param({"id": ""}, "'id' is missing", id="no id"),
        pytest.param({"entry_point": ""}, "'entry_point' is missing", id="no entry point"),
        pytest.param({"file_extension": "a/b"}, "'file_extension' must be like", id="extension"),
        pytest.param({"data": "{"}, "'data' must be a JSON object: Expecting", id="bad JSON"),
        pytest.param({"data": "[1]"}, "'data' must be a JSON object, not [1]", id="no object"),
    ],
)
def test_a_definition_that_makes_no_sense_is_refused(fields: dict[str, str], words: str) -> None:
    whole = {"unit": "exporter", "id": "x", "entry_point": "text", "file_extension": "txt"}

    with pytest.raises(UnitError) as caught:
        make_unit({**whole, **fields})

    assert words.replace("entry_point", "entry-point") in str(caught.value).replace(
        "entry_point", "entry-point"
    )


def test_options_are_split_at_blanks_commas_and_semicolons() -> None:
    unit = make_unit(
        {"unit": "exporter", "id": "x", "entry_point": "t", "options": "a; b=1,c\n d ;"}
    )

    assert isinstance(unit, ExporterUnit)
    assert unit.option_list == ("a", "b=1", "c", "d")


def test_an_ending_that_is_missing_is_a_doubt_and_the_exporters_own_is_used() -> None:
    unit = make_unit({"unit": "exporter", "id": "x", "entry_point": "text"})

    assert isinstance(unit, ExporterUnit)
    assert [finding.field for finding in unit.doubts()] == ["file_extension"]
    assert BoundUnit(unit).suffix(TextExporter.suffix) == ".txt"


SECRET = "of the machine, and of no provider"  # noqa: S105 - a file outside


def refused(folder: Path, fields: str, page: str = "{{ include_file('inner.html') }}") -> str:
    """Return why the report of an exporter unit with *fields* is refused."""
    (folder.parent / "outside").mkdir()
    (folder.parent / "outside" / "inner.html").write_text(SECRET)
    (folder / "units").mkdir(parents=True)
    (folder / "data").mkdir()
    (folder / "data" / "page.html").write_text(page)
    (folder / "data" / "inner.html").symlink_to(folder.parent / "outside" / "inner.html")
    (folder / "lab.provider").write_text(
        "[PlainBox Provider]\nname = com.example:lab\nversion = 1.2\n"
    )
    outside = str(folder.parent / "outside")
    (folder / "units" / "all.pxu").write_text(
        f"unit: exporter\nid: page\nfile_extension: html\n{fields.replace('OUTSIDE', outside)}\n"
    )
    stream = io.BytesIO()
    with SessionManager.create(MemoryRepository(), registry=REGISTRY) as manager:
        context = manager.add_local_device_context()
        context.add_provider(load_provider(folder, registry=REGISTRY))
        with pytest.raises((ReportTemplateError, OptionValueError)) as caught:
            manager.create_exporter("com.example::page").export_to(stream)
    assert stream.getvalue() == b""
    return str(caught.value)


@pytest.mark.parametrize("template", ["inner.html", "page.html"])
@pytest.mark.parametrize(
    "fields",
    [
        'entry_point: jinja2\ndata: {"template": "TEMPLATE"}',
        "entry_point: jinja2\noptions: template=TEMPLATE",
        "entry_point: html\noptions: template=TEMPLATE",
    ],
)
def test_a_providers_template_does_not_follow_a_link_out_of_its_folder(
    fields: str, template: str, tmp_path: Path
) -> None:
    message = refused(tmp_path / "lab", fields.replace("TEMPLATE", template))

    assert "inner.html" in message
    assert re.search(r"leads out of|only files in its provider's data folder", message)


@pytest.mark.parametrize("inner", ["../outside/inner.html", "OUTSIDE/inner.html"])
@pytest.mark.parametrize(
    "use", ["{% include 'X' %}", "{% import 'X' as x %}", "{% extends 'X' %}"]
)
def test_a_providers_template_names_no_file_outside_its_folder(
    use: str, inner: str, tmp_path: Path
) -> None:
    page = use.replace("X", inner.replace("OUTSIDE", str(tmp_path / "outside")))

    message = refused(
        tmp_path / "lab", 'entry_point: jinja2\ndata: {"template": "page.html"}', page
    )

    assert "there is no template" in message


@pytest.mark.parametrize(
    ("fields", "reason"),
    [
        (
            'entry_point: jinja2\ndata: {"template": "page.html", "extra_paths": ["OUTSIDE"]}',
            "of its extra_paths is not in",
        ),
        (
            'entry_point: jinja2\ndata: {"template": "page.html", "extra_paths": ["../.."]}',
            "of its extra_paths is not in",
        ),
        (
            "entry_point: jinja2\noptions: template=page.html extra-paths=OUTSIDE",
            "only files in its provider's data folder",
        ),
        (
            "entry_point: jinja2\noptions: template=OUTSIDE/inner.html",
            "only files in its provider's data folder",
        ),
        (
            "entry_point: html\noptions: template=../../outside/inner.html",
            "only files in its provider's data folder",
        ),
    ],
)
def test_a_unit_names_no_folder_outside_its_providers_data(
    fields: str, reason: str, tmp_path: Path
) -> None:
    assert reason in refused(tmp_path / "lab", fields)
