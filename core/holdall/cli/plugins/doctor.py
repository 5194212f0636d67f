"""`holdall plugins doctor`: import each plugin in a process of its own, and examine it."""

from __future__ import annotations

import json
from dataclasses import asdict
from gettext import gettext as _
from typing import TYPE_CHECKING, Any

import click

from holdall.cli.configuration import installed
from holdall.cli.exits import PLUGIN
from holdall.cli.options import json_option
from holdall.cli.output import print_json, print_line, print_table
from holdall.cli.plugins.children import run_child
from holdall.cli.plugins.showing import claims, kind_option, meant
from holdall.registry import KINDS, State, stranger
from holdall.testing.checks.endings import ending

if TYPE_CHECKING:
    from holdall.registry import Candidate, Registry

_FINE = {State.READY, State.LOADED, State.BLOCKED}


@click.command()
@click.argument("ids", nargs=-1, metavar="[ID]...")
@kind_option
@click.option(
    "--timeout",
    type=click.FloatRange(min=0, min_open=True),
    default=10.0,
    show_default=True,
    metavar="SECONDS",
    help="End an import that takes longer.",
)
@json_option
def doctor(ids: tuple[str, ...], *, kind: str | None, timeout: float, as_json: bool) -> int:
    """Import each plugin in a process of its own, and report what is wrong.

    A provider is read instead. With IDs only these are looked at. A plugin
    that changes what belongs to others is a problem; warnings and milliseconds
    are only shown, and so is an optional extra that is not installed, unless
    its plugin is one of the IDs. Exits with 4 if there is a problem.
    """
    registry = installed(strict=False)
    findings = [
        examined(candidate, timeout_s=timeout, is_wanted=bool(ids))
        for candidate in _meant(registry, ids, kind)
    ]
    general = [
        str(problem)
        for problem in registry.problems()
        if problem.what in {"alias", "distribution", "rule"} and not ids
    ]
    sick = any(finding["problems"] for finding in findings) or bool(general)
    if as_json:
        print_json({"plugins": findings, "problems": general})
    else:
        _print(findings, general)
    return PLUGIN if sick else 0


def _meant(registry: Registry, ids: tuple[str, ...], kind: str | None) -> list[Candidate]:
    """Return every claim to one of the ids, or all candidates if there are none.

    Raises:
        UnknownPluginError: Nothing is called so.
    """
    kinds = [kind] if kind else list(KINDS)
    if not ids:
        return [candidate for each in kinds for candidate in registry.candidates(each)]
    return [
        candidate for name in ids for candidate in claims(registry, meant(registry, name, kind))
    ]


def examined(candidate: Candidate, *, timeout_s: float, is_wanted: bool = False) -> dict[str, Any]:
    """Return what is known of a plugin once it was imported in a process of its own.

    Args:
        is_wanted: Whether the user asked for this very plugin.
    """
    finding: dict[str, Any] = {
        "kind": candidate.kind,
        "id": candidate.id,
        "distribution": candidate.distribution,
        "version": candidate.version,
        "state": str(candidate.state),
        "reason": candidate.reason,
        "ms": None,
        "modules": 0,
        "packages": [],
        "warnings": [],
        "changes": [],
    }
    if candidate.state in {State.READY, State.LOADED}:
        finding.update(_probed(candidate, timeout_s))
    is_optional = finding["state"] == State.MISSING_DEPENDENCY and bool(candidate.extras)
    is_fine = finding["state"] in _FINE or (is_optional and not is_wanted)
    problems = [] if is_fine else [f"{finding['state']}: {finding['reason']}"]
    problems += finding["changes"]
    foreign = stranger(candidate)
    if foreign and foreign not in finding["reason"]:
        problems.append(foreign)
    return {**finding, "problems": problems}


def _probed(candidate: Candidate, timeout_s: float) -> dict[str, Any]:
    given = asdict(candidate)
    del given["error"], given["aliases"]
    ended = run_child(["-m", "holdall.cli.plugins.probe"], json.dumps(given), timeout_s=timeout_s)
    broken = {"state": str(State.BROKEN)}
    if ended.code is None:
        return {**broken, "reason": f"its import did not end within {timeout_s:g} s"}
    if ended.foreign:
        written = f"{ended.foreign[:60]!r}"
        return {**broken, "reason": f"its import wrote to the doctor's own file: {written}"}
    if not ended.rows:
        how = ending(ended.code, ended.err)
        return {**broken, "reason": f"its import ended the process ({how})"}
    return ended.rows[-1]


def _print(findings: list[dict[str, Any]], general: list[str]) -> None:
    rows = [
        (
            finding["kind"],
            finding["id"],
            finding["state"],
            "" if finding["ms"] is None else f"{finding['ms']:.0f} ms",
            str(finding["modules"] or ""),
            ", ".join(finding["packages"]),
            f"{finding['distribution']} {finding['version']}".strip(),
        )
        for finding in findings
    ]
    heads = (_("KIND"), _("ID"), _("STATE"), _("IMPORT"), _("MODULES"), _("PULLS IN"), _("FROM"))
    print_table(heads, rows)
    for finding in findings:
        origin = f"{finding['distribution']} {finding['version']}"
        for problem in finding["problems"]:
            message = _("{id} of {origin}: {problem}")
            print_line(message.format(id=finding["id"], origin=origin, problem=problem))
        for warning in finding["warnings"]:
            print_line(_("{id} warns: {warning}").format(id=finding["id"], warning=warning))
    for problem in general:
        print_line(problem)
