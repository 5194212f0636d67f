"""`holdall plugins check`: the promises of a plugin; those of a store take pytest."""

from __future__ import annotations

import json
import logging
import sys
from collections import Counter
from functools import partial
from gettext import gettext as _
from importlib.util import find_spec
from typing import TYPE_CHECKING, Any, Final

import click

from holdall.cli.configuration import installed
from holdall.cli.exits import PLUGIN
from holdall.cli.options import Seconds, json_option
from holdall.cli.output import note_lines, print_json, print_line, print_table
from holdall.cli.plugins.channel import LAST, PLANNED, Channel
from holdall.cli.plugins.children import run_child
from holdall.cli.plugins.showing import kind_option, meant
from holdall.cli.plugins.storing import url_for
from holdall.cli.tried import PLUGIN_FILES, tried_files
from holdall.errors import PluginError
from holdall.testing.checks.endings import ending

if TYPE_CHECKING:
    from collections.abc import Mapping

    from holdall.cli.plugins.children import Ended
    from holdall.registry import Candidate, Registry

_END: Final = "its end"
_REPORTS: Final = "its reports"


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
    """Return a row for each check; those that were not made say why."""
    ended = run_child(program, "", timeout_s=timeout_s, **variables)
    planned = [row for row in ended.rows if row.get("outcome") == PLANNED]
    rows = [row for row in ended.rows if row.get("outcome") != PLANNED and LAST not in row]
    done = [row for row in rows if row["outcome"]]
    is_last = any(LAST in row for row in ended.rows)
    running = rows[-1].get("check", "") if rows and not rows[-1]["outcome"] else "its import"
    broken = {"check": _END if is_last else running, "promise": "", "outcome": "fail"}
    if planned and (odd := _unplanned(done, planned)):
        words = f"it reported what was not planned, or twice: {odd}"
        done.append({**broken, "check": _REPORTS, "words": words, "traceback": ""})
    if ended.foreign:
        words = f"it wrote to the file that the checks report by: {ended.foreign[:60]!r}"
        done.append({**broken, "check": _REPORTS, "words": words, "traceback": ""})
    if words := _fault(ended, timeout_s, is_last=is_last):
        done.append({**broken, "words": words, "traceback": ended.err})
    named = {row.get("check", "").partition("[")[0] for row in done}
    return [*done, *(_left_out(row) for row in planned if row["check"] not in named)]


def _unplanned(done: list[dict[str, Any]], planned: list[dict[str, Any]]) -> str:
    """Return the checks that were reported and not planned, or several times."""
    known = {row["check"] for row in planned}
    counts = Counter(row["check"] for row in done if "guarantee" not in row)
    odd = (name for name, n in counts.items() if n > 1 or name.partition("[")[0] not in known)
    return ", ".join(sorted(odd))


def _fault(ended: Ended, timeout_s: float, *, is_last: bool) -> str:
    """Say what is wrong with how the process ended; nothing if it ended well."""
    if ended.code is None and is_last:
        return "all checks ran, but the process did not end: threads or children are left"
    if ended.code is None:
        return f"it did not end within {timeout_s:g} s"
    how = ending(ended.code, ended.err)
    if not is_last:  # a plugin may end it with any code
        return f"the process ended with {how}"
    return f"all checks ran, but then the process ended with {how}" if ended.code else ""


def _left_out(row: Mapping[str, Any]) -> dict[str, Any]:
    return {**row, "outcome": "skip", "words": "the process ended before"}


def main(kind: str, name: str, given: str) -> None:
    """Make the checks in this process, and send a row before and after each."""
    from holdall.hooks import installed_hooks
    from holdall.testing.checks import Finding, Given, made, promise_of, suite_of

    channel = Channel()
    logging.getLogger(installed_hooks.__module__).addFilter(partial(_is_about, name))

    suite = suite_of(kind)
    for check in suite.checks:
        channel.send_finding(Finding(check.__name__, promise_of(check), PLANNED))
    channel.send_finding(Finding("its import", "", ""))
    subject = suite.installed(name, installed(strict=False), Given(**json.loads(given)))
    for check in suite.checks:
        channel.send_finding(Finding(check.__name__, "", ""))
        finding = made(check, subject)
        if channel.fork_came_back():
            words = "a process that it forked came back from the call; end it by os._exit"
            finding = finding._replace(outcome="fail", message=words)
        channel.send_finding(finding)
    channel.send({LAST: True})


def _is_about(name: str, record: logging.LogRecord) -> bool:
    """Whether a record of the hooks is not about a plugin that isn't checked."""
    error = record.args[0] if isinstance(record.args, tuple) and record.args else None
    return not isinstance(error, PluginError) or getattr(error, "name", name) == name


if __name__ == "__main__":
    main(*sys.argv[1:])
