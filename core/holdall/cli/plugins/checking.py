"""`holdall plugins check`: the promises of a plugin; those of a store take pytest."""

from __future__ import annotations

import json
import sys
from collections import Counter
from gettext import gettext as _
from importlib.util import find_spec
from typing import TYPE_CHECKING, Any

import click

from holdall.cli.configuration import installed
from holdall.cli.exits import PLUGIN
from holdall.cli.options import Seconds, json_option
from holdall.cli.output import note_lines, print_json, print_line, print_table
from holdall.cli.plugins.children import run_child
from holdall.cli.plugins.showing import kind_option, meant
from holdall.cli.plugins.storing import url_for
from holdall.cli.tried import PLUGIN_FILES, tried_files

if TYPE_CHECKING:
    from collections.abc import Mapping

    from holdall.registry import Candidate, Registry


@click.command()
@click.argument("name", metavar="ID")
@kind_option
@click.option(
    "--timeout",
    type=Seconds(),
    default=300.0,
    show_default=True,
    metavar="SECONDS",
    help="End checks that take longer, all together.",
)
@click.option(
    "--url",
    metavar="URL",
    help="Check a store at new places of this URL, where {folder} stands for a new folder; or a "
    "runner on the device of this URL.",
)
@click.option(
    "--source",
    "sources",
    multiple=True,
    metavar="SOURCE",
    help="What a loader or an importer is to read; may be repeated.",
)
@click.option(
    "--allow-memory",
    type=click.FloatRange(min=0, min_open=True),
    default=5.0,
    show_default=True,
    metavar="MIB",
    help="How much memory an export may take beside the session, or an import.",
)
@click.option(
    "--configured",
    is_flag=True,
    help="Check a hooks plugin with what holdall.toml sets for it; its servers get invented "
    "results.",
)
@json_option
def check(
    name: str,
    *,
    kind: str | None,
    timeout: float,
    url: str | None,
    sources: tuple[str, ...],
    allow_memory: float,
    configured: bool,
    as_json: bool,
) -> int:
    """Check that a plugin keeps its promises, in a process of its own.

    Exits with 4 if it breaks one.
    """
    registry = installed(strict=False)
    resolution = meant(registry, name, kind)
    candidate = registry.resolve(resolution.kind, name)
    alone = {"HOLDALL_NO_PLUGINS": "1"} if registry.policy.only_own else {}
    alone[PLUGIN_FILES] = "\n".join(tried_files())
    if candidate.kind == "repositories":
        registry.load(candidate.kind, candidate.id)  # what is none has no URL to be tried at
        rows = _checked_store(candidate, registry, url, timeout, alone)
    else:
        from holdall.testing.checks import Given

        given = Given(sources, url or "", allow_memory, configured=configured)
        words = json.dumps(given._asdict())
        program = ["-m", "holdall.cli.plugins.checking", candidate.kind, candidate.id, words]
        rows = _checked(program, timeout, alone)
    return _reported(candidate, rows, as_json=as_json)


def _checked_store(
    candidate: Candidate,
    registry: Registry,
    url: str | None,
    timeout_s: float,
    variables: Mapping[str, str],
) -> list[dict[str, Any]]:
    if find_spec("pytest") is None:
        raise click.ClickException(
            _("the checks of a store are tests of pytest; run: pip install pytest")
        )
    from holdall.testing.checks.repositories.promises import URL

    chosen = {URL: url_for(candidate, registry, url)}
    return _checked(["-m", "holdall.cli.plugins.storing"], timeout_s, {**variables, **chosen})


def _reported(candidate: Candidate, rows: list[dict[str, Any]], *, as_json: bool) -> int:
    """Print what came of the checks, and return the exit code."""
    guarantees = [row for row in rows if "guarantee" in row]
    rows = [row for row in rows if "guarantee" not in row]
    broken = [row for row in rows if row["outcome"] == "fail"]
    if as_json:
        document = {"id": candidate.id, "origin": candidate.origin, "checks": rows}
        print_json({**document, "guarantees": guarantees} if guarantees else document)
        return PLUGIN if broken else 0
    if guarantees:
        print_table(
            (_("GUARANTEE"), _("TESTED BY"), _("OUTCOME")),
            [(row["guarantee"], row["how"], row["outcome"]) for row in guarantees],
        )
    shown = [row for row in rows if not guarantees or row["outcome"] != "pass"]
    print_table(
        (_("CHECK"), _("OUTCOME"), _("WORDS")),
        [(row["check"], row["outcome"], row["words"] or row["promise"]) for row in shown],
    )
    outcomes = Counter(row["outcome"] for row in rows)
    message = _("{id} of {origin}: {passed} of {count} checks passed")
    if outcomes["skip"]:
        message = _("{id} of {origin}: {passed} of {count} checks passed, {skipped} left out")
    told = {"passed": outcomes["pass"], "count": len(rows), "skipped": outcomes["skip"]}
    print_line(message.format(id=candidate.id, origin=candidate.origin, **told))
    for row in broken:
        if row["traceback"]:
            note_lines(f"\n{row['check']}\n{row['traceback'].rstrip()}")
    return PLUGIN if broken else 0


def _checked(
    program: list[str], timeout_s: float, variables: Mapping[str, str]
) -> list[dict[str, Any]]:
    """Return a row for each check; the last one may say that the time was up."""
    ended = run_child(program, "", timeout_s=timeout_s, **variables)
    rows = [json.loads(line[1:]) for line in ended.out.split("\n") if line.startswith("\x1e")]
    done = [row for row in rows if row["outcome"]]
    running = rows[-1].get("check", "") if rows and not rows[-1]["outcome"] else "its import"
    if ended.code is None:
        message = f"it did not end within {timeout_s:g} s"
    elif ended.code or not done or not rows[-1]["outcome"]:  # a plugin may end it with any code
        last = (ended.err.strip().splitlines() or [f"exit code {ended.code}"])[-1]
        message = f"the process ended: {last}"
    else:
        return done
    row = {"check": running, "promise": "", "outcome": "fail", "words": message}
    return [*done, {**row, "traceback": ended.err}]


def main(kind: str, name: str, given: str) -> None:
    """Make the checks in this process, and print a line before and after each."""
    from holdall.testing.checks import Finding, Given, made, suite_of

    def emit_row(finding: Finding) -> None:
        row = finding._asdict()
        print(f"\x1e{json.dumps({**row, 'words': finding.message})}", flush=True)

    emit_row(Finding("its import", "", ""))
    suite = suite_of(kind)
    subject = suite.installed(name, installed(strict=False), Given(**json.loads(given)))
    for promise_check in suite.checks:
        emit_row(Finding(promise_check.__name__, "", ""))
        emit_row(made(promise_check, subject))


if __name__ == "__main__":
    main(*sys.argv[1:])
