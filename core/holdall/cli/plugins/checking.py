"""`holdall plugins check`: the promises of an exporter, or of a store, which takes pytest."""

from __future__ import annotations

import json
import sys
from gettext import gettext as _
from importlib.util import find_spec
from typing import TYPE_CHECKING, Any

import click

from holdall.cli.configuration import installed
from holdall.cli.exits import PLUGIN
from holdall.cli.options import Seconds, json_option
from holdall.cli.output import print_json, print_line, print_table
from holdall.cli.plugins.children import run_child
from holdall.cli.plugins.storing import url_for

if TYPE_CHECKING:
    from collections.abc import Mapping

    from holdall.registry import Candidate


@click.command()
@click.argument("name", metavar="ID")
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
    help="Check a store at new places of this URL; {folder} stands for a new folder.",
)
@json_option
def check(name: str, *, timeout: float, url: str | None, as_json: bool) -> int:
    """Check that an exporter or a store keeps its promises, in a process of its own.

    Exits with 4 if it breaks one.
    """
    registry = installed(strict=False)
    alone = {"HOLDALL_NO_PLUGINS": "1"} if registry.policy.only_own else {}
    stores = {candidate.id: candidate for candidate in registry.candidates("repositories")}
    if name in stores:
        candidate = registry.resolve("repositories", name)
        if find_spec("pytest") is None:
            raise click.ClickException(
                _("the checks of a store are tests of pytest; run: pip install pytest")
            )
        from holdall.testing.checks.stores import URL

        chosen = {URL: url_for(candidate, registry, url)}
        program = ["-m", "holdall.cli.plugins.storing"]
        rows = _checked(program, timeout, {**alone, **chosen})
    else:
        candidate = registry.resolve("exporters", name)
        program = ["-m", "holdall.cli.plugins.checking", candidate.id]
        rows = _checked(program, timeout, alone)
    return _reported(candidate, rows, as_json=as_json)


def _reported(candidate: Candidate, rows: list[dict[str, Any]], *, as_json: bool) -> int:
    """Print what came of the checks, and return the exit code."""
    guarantees = [row for row in rows if "guarantee" in row]
    rows = [row for row in rows if "guarantee" not in row]
    broken = [row for row in rows if row["outcome"] == "fail"]
    if as_json:
        document = {"id": candidate.id, "origin": candidate.origin, "checks": rows}
        print_json({**document, "guarantees": guarantees} if guarantees else document)
    else:
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
        passed = sum(row["outcome"] == "pass" for row in rows)
        message = _("{id} of {origin}: {passed} of {count} checks passed")
        print_line(
            message.format(
                id=candidate.id, origin=candidate.origin, passed=passed, count=len(rows)
            )
        )
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
    elif ended.code or not done:
        last = (ended.err.strip().splitlines() or [f"exit code {ended.code}"])[-1]
        message = f"the process ended: {last}"
    else:
        return done
    return [*done, {"check": running, "promise": "", "outcome": "fail", "words": message}]


def main(name: str) -> None:
    """Make the checks in this process, and print a line before and after each."""
    from holdall.testing.checks import EXPORTER_CHECKS, ExporterSubject, made

    def emit_row(check: str, promise: str = "", outcome: str = "", message: str = "") -> None:
        row = {"check": check, "promise": promise, "outcome": outcome, "words": message}
        print(f"\x1e{json.dumps(row)}", flush=True)

    emit_row("its import")
    subject = ExporterSubject.installed(name, installed(strict=False))
    for promise_check in EXPORTER_CHECKS:
        emit_row(promise_check.__name__)
        emit_row(*made(promise_check, subject))


if __name__ == "__main__":
    main(sys.argv[1])
