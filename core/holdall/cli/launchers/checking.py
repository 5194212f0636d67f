"""What a run would refuse of a launcher, or make nothing of, found without a run."""

from __future__ import annotations

import os
from datetime import UTC, datetime
from gettext import gettext as _
from typing import TYPE_CHECKING, Final

import click

from holdall.cli.launchers.parsing import Problem
from holdall.cli.launchers.reports import configured_report, stock_names, stock_report
from holdall.cli.manifest import GivenAnswer, resolved_answers
from holdall.cli.starting import check_exporters
from holdall.errors import ConfigurationError, HoldallError, UnknownUnitError
from holdall.session import ReportRequest
from holdall.units import free

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Sequence

    from holdall.cli.launchers.layers import Layers
    from holdall.registry import Registry
    from holdall.units import Provider, Unit

_NOT_CARRIED: Final = (
    *(("launcher", key) for key in ("app_id", "session_desc", "local_submission")),
    *(("features", key) for key in ("strict_template_expansion", "systemd_based_job_runner")),
    ("ui", "verbosity"),
)
_NOT_SENT: Final = ("secure_id", "staging")


def problems_of(
    layers: Layers, registry: Registry, providers: Sequence[Provider] | None
) -> list[Problem]:
    """Return what does not count of a launcher or stops its run.

    Args:
        providers: Those of the run; None where nobody knows them, and what depends on them is
            not looked at.
    """
    found = [
        *plan_problems(layers),
        *_expressions(layers),
        *_reports(layers, registry, providers),
        *_without_effect(layers),
    ]
    if providers is not None:
        found += [*_answers(layers, providers), *unknown_answers(layers, providers)]
    parsed = {problem.location for problem in layers.problems}
    more = [problem for problem in dict.fromkeys(found) if problem.location not in parsed]
    return [*layers.problems, *more]


def plan_problems(layers: Layers, *, asks: bool | None = None) -> Iterator[Problem]:
    """Yield what lacks of the test plan and the selection of tests.

    Args:
        asks: Whether a person can be asked; None if the launcher says it.
    """
    if asks is None:
        asks = layers.text("ui", "type", "interactive") == "interactive"
    if layers.truth("test plan", "forced") and not layers.text("test plan", "unit"):
        reason = "the test plan is forced, and no unit = ID says which"
        yield Problem(layers.location("test plan", "forced"), reason)
    if asks:
        return
    for section, what in (("test plan", "test plan"), ("test selection", "selection of tests")):
        if not layers.truth(section, "forced"):
            reason = f"nobody can be asked for the {what}; write forced = yes"
            yield Problem(layers.location(section, "forced"), reason)


def _expressions(layers: Layers) -> Iterator[Problem]:
    for key in ("exclude", "match"):
        for text in layers.words("test selection", key):
            try:
                free(text)
            except ValueError as error:
                yield Problem(layers.location("test selection", key), str(error))


def _reports(
    layers: Layers, registry: Registry, providers: Sequence[Provider] | None
) -> Iterator[Problem]:
    """Yield what is wrong with each report by itself."""
    now = datetime.now(UTC)
    for name in stock_names(layers):
        said: list[str] = []
        location = layers.location("launcher", "stock_reports")
        try:
            stock_report(layers, name, os.environ, now, said.append)
        except ConfigurationError as error:
            yield Problem(error.location, error.reason)
        yield from (Problem(location, text.removeprefix(f"{location}: ")) for text in said)
    for name in layers.names("report"):
        yield from _configured(layers, name, registry, providers)


def _configured(
    layers: Layers, name: str, registry: Registry, providers: Sequence[Provider] | None
) -> Iterator[Problem]:
    said: list[str] = []
    section = f"report:{name}"
    exporter = f"exporter:{layers.text(section, 'exporter')}"
    has_unit = layers.value(exporter, "unit") is not None
    location = layers.location(*((exporter, "unit") if has_unit else (section, "exporter")))
    try:
        for report in configured_report(layers, name, os.environ, said.append):
            request = ReportRequest(
                exporter=report.target.name, options=report.options, strict=False
            )
            yield from _of_exporter(request, location, registry, providers)
    except ConfigurationError as error:
        yield Problem(error.location, error.reason)
    transport = layers.location(section, "transport")
    yield from (Problem(transport, text.removeprefix(f"{transport}: ")) for text in said)


def _of_exporter(
    report: ReportRequest, location: str, registry: Registry, providers: Sequence[Provider] | None
) -> Iterator[Problem]:
    if "::" in report.exporter and providers is None:
        return  # the unit of a provider
    try:
        check_exporters([report], providers or (), registry)
    except HoldallError as error:
        yield Problem(location, str(error))


def _without_effect(layers: Layers) -> Iterator[Problem]:
    for section, key in _NOT_CARRIED:
        if layers.value(section, key):
            text = _("{key} changes nothing: holdall does not carry it on")
            yield Problem(layers.location(section, key), text.format(key=key))
    for name in layers.names("transport"):
        for key in _NOT_SENT:
            if layers.value(f"transport:{name}", key):
                text = _("{key} changes nothing: nothing is uploaded anywhere")
                yield Problem(layers.location(f"transport:{name}", key), text.format(key=key))
        section = f"transport:{name}"
        if layers.text(section, "type") == "submission-service":
            text = _("nothing is uploaded anywhere")
            yield Problem(layers.location(section, "type"), text)


def _answers(layers: Layers, providers: Sequence[Provider]) -> Iterator[Problem]:
    """Yield the answers to the manifest that have another type than their entries."""
    for name, value in layers.free("manifest").items():
        given = GivenAnswer(name, value.text, value.location, strict=False)
        try:
            resolved_answers([given], _units_of(providers))
        except click.UsageError as error:
            yield Problem(value.location, error.message.removeprefix(f"{value.location}: "))


def unknown_answers(layers: Layers, providers: Sequence[Provider]) -> Iterator[Problem]:
    """Yield the answers to manifest entries that no provider has, nor a template could make."""
    units = _units_of(providers)
    for name, value in layers.free("manifest").items():
        try:
            resolved_answers([GivenAnswer(name, True, value.location)], units)  # noqa: FBT003 - an answer
        except click.UsageError as error:
            if isinstance(error.__cause__, UnknownUnitError):
                yield Problem(value.location, f"{error.__cause__}; it does not count")


def _units_of(providers: Iterable[Provider]) -> list[Unit]:
    return [unit for provider in providers for unit in provider.unit_list]
