"""Lists the members of what plugins have and are given, with their types, from the code."""

from __future__ import annotations

import ast
import re
import textwrap
from pathlib import Path
from typing import TYPE_CHECKING, Final, NamedTuple

if TYPE_CHECKING:
    from collections.abc import Iterator

CORE: Final = Path(__file__).parents[2] / "core" / "holdall"


class Section(NamedTuple):
    """What is said of some classes together, and the classes."""

    heading: str
    introduction: str
    classes: tuple[str, ...]


SECTIONS: Final = (
    Section(
        "The session",
        "`jobs()`, `groups()`, `devices` and the others can be read any number of times. Jobs "
        "come in the order of the run list, the jobs of one device after those of another.",
        ("view.session.SessionView",),
    ),
    Section(
        "Jobs and attempts",
        "A job is one job on one device: two devices that ran a job are two `JobView`s of one "
        "`id`. What a job and an attempt have in common is, of the job, that of its last attempt.",
        (
            "view.job.JobView",
            "view.job.AttemptView",
            "view.group.JobGroup",
            "view.labels.Tally",
        ),
    ),
    Section(
        "Outcomes",
        "An outcome is a text too: `job.outcome == 'pass'`. Branch on `counts_as`, which knows of "
        "jobs that are expected to fail, and show `label`.",
        ("results.Outcome",),
    ),
    Section(
        "Output and attachments",
        "A log may be larger than memory: take `io_log()` piece by piece. `data` is what the job "
        "wrote, in any encoding; `holdall.writing.log_text` makes text of it.",
        (
            "results.IOLogRecord",
            "results.Attachment",
        ),
    ),
    Section(
        "Subtests and measurements",
        "A job's outcome stays what it is, whatever its parts came to. Show them below the job, "
        "or call `holdall.writing.count_parts_left_out(job, context)`.",
        (
            "results.Subtest",
            "results.Measurement",
        ),
    ),
    Section(
        "Devices, plans and providers",
        "All of it is in the session: nothing is looked up while a report is made.",
        (
            "view.folded.DeviceView",
            "journal.events.PlanRecord",
            "journal.events.ProviderAdded",
            "journal.events.PluginUsed",
        ),
    ),
    Section(
        "The verdict",
        "`holdall.view.verdict(view)` is the word that every report and the exit code have.",
        (
            "view.verdict.Verdict",
            "view.verdict.Reason",
        ),
    ),
    Section(
        "The context",
        "What an exporter is given besides the session. It knows no other clock, language or "
        "folder.",
        (
            "contracts.exporters.ExportContext",
            "contracts.exporters.ReportKind",
        ),
    ),
    Section(
        "Sinks",
        "An `Exporter` gets a `Sink`, a `SplitExporter` a `SplitSink`, a `FolderExporter` a "
        "`FolderSink`: [the contract](exporter-contract.md).",
        (
            "contracts.exporters.Sink",
            "contracts.exporters.SplitSink",
            "contracts.exporters.FolderSink",
        ),
    ),
    Section(
        "What came of it",
        "`holdall.export` returns it, the hook `export_finished` is given it, and `holdall export "
        "--json` prints it.",
        (
            "contracts.exporters.ExportReport",
            "contracts.exporters.ExportWarning",
        ),
    ),
)

INTRODUCTION: Final = """\
## What an exporter sees

`export(view, sink, context)` of an exporter is given a `SessionView`, a sink and an
`ExportContext`; [the contract](exporter-contract.md) says what it must do with them. Everything
that it can reach from there is listed here.

- A text may hold anything that somebody typed or a program printed: control characters, escape
  sequences, markup, names of a thousand characters. `holdall.writing`, [below](#holdallwriting),
  makes each safe for a cell, a page or a terminal.
- What is not known is None for numbers and an empty text for texts. Seconds are floats, moments
  seconds since 1970 in UTC.
- Filters, redaction and [the options of all exporters](exporters.md#of-all-exporters) are in the
  view already. What an exporter [takes as options](exporters.md#types-of-options) itself is an
  instance of its `Options`, in `context.options`.

```python
import io
from dataclasses import dataclass

from holdall import Recorder, Registry, SessionView, export


@dataclass(frozen=True)
class Options:
    limit: int = 80


class Slowest:
    summary = "The jobs that took longest"
    suffix = ".txt"
    media_type = "text/plain; charset=utf-8"
    Options = Options

    def export(self, view, sink, context):
        for job in sorted(view.jobs(), key=lambda job: -(job.duration or 0)):
            line = f"{job.duration or 0:.1f} s {job.label} {job.id} ({job.attempt_count})"
            sink.write(line[: context.options.limit].encode() + b"\\n")
            for part in job.measurements:
                sink.write(f"  {part.name} = {part.value} {part.unit}\\n".encode())


registry = Registry.discover()
registry.register("exporters", "lab.slowest", Slowest)

with Recorder.create("memory://slow") as recorder:
    recorder.record("disk", outcome="pass", duration=2.5)
    with recorder.attempt("wifi") as attempt:
        attempt.measurement("speed", 80.5, unit="MB/s", lower=50)
        attempt.finish("pass", duration=61)
    recorder.checkpoint()
    report = io.BytesIO()
    view = SessionView.of(recorder.storage)
    export(view, "lab.slowest", report, options=["limit=40"], registry=registry)

assert report.getvalue().decode().splitlines() == [
    "61.0 s passed wifi (1)",
    "  speed = 80.5 MB/s",
    "2.5 s passed disk (1)",
]
```
"""


class Member(NamedTuple):
    """An attribute or method of a class, as a row of a table."""

    name: str
    kind: str
    meaning: str


OTHERS: Final = """\
## What other plugins have and are given

The Protocols of the other kinds, with every member, and the values that cross them. [Entry
points](entry-points.md) says how each is declared; [exporters](exporter-contract.md) and
[stores](stores.md) have pages of their own.
"""

OTHER_SECTIONS: Final = (
    Section(
        "Runners",
        "A runner is given a `Task` for each attempt, and calls `started` before anything else. "
        "`ChecksAccounts` is optional.",
        (
            "contracts.runners.Runner",
            "contracts.runners.Task",
            "contracts.runners.ProcessMark",
            "contracts.runners.ChecksAccounts",
        ),
    ),
    Section(
        "Provider loaders",
        "`Translates` and `FindsProviders` are optional.",
        (
            "contracts.providers.ProviderLoader",
            "contracts.providers.Translates",
            "contracts.providers.FindsProviders",
            "contracts.providers.InstalledProvider",
        ),
    ),
    Section(
        "Importers",
        "What an importer records with is a [Recorder](recorder.md).",
        ("contracts.importers.Importer", "contracts.importers.FolderImporter"),
    ),
    Section(
        "People",
        "Whoever performs manual jobs: no plugin, but what an application gives a run, as "
        "`RunSettings.person`.",
        (
            "contracts.people.Person",
            "contracts.people.Question",
            "contracts.people.Reply",
            "contracts.people.Move",
        ),
    ),
)


def part() -> str:
    """Return the part of the page that has the members."""
    return "\n".join(
        [*_section_parts(INTRODUCTION, SECTIONS), *_section_parts(OTHERS, OTHER_SECTIONS)]
    )


def _section_parts(beginning: str, sections: tuple[Section, ...]) -> list[str]:
    parts = [beginning]
    for section in sections:
        introduction = textwrap.fill(section.introduction, 100, break_on_hyphens=False)
        parts.append(f"### {section.heading}\n\n{introduction}\n")
        parts += map(_table, section.classes)
    return parts


def _table(path: str) -> str:
    *module, name = path.split(".")
    text = CORE.joinpath(*module).with_suffix(".py").read_text(encoding="utf-8")
    classes = {node.name: node for node in ast.parse(text).body if isinstance(node, ast.ClassDef)}
    definition = classes[name]
    rows = [
        f"| `{member.name}` | {member.kind} | {member.meaning} |"
        for each in _lineage(definition, classes)
        for member in members(each, described_in=definition)
    ]
    summary = _first(ast.get_docstring(definition) or "")
    head = ["| member | type | is |", "|---|---|---|"]
    return "\n".join([f"#### `{name}`", "", summary, "", *head, *rows, ""])


def _lineage(definition: ast.ClassDef, classes: dict[str, ast.ClassDef]) -> Iterator[ast.ClassDef]:
    """Yield the classes of the same file that a class is made of, itself last."""
    for base in map(ast.unparse, definition.bases):
        if base in classes:
            yield from _lineage(classes[base], classes)
    yield definition


def members(definition: ast.ClassDef, *, described_in: ast.ClassDef) -> Iterator[Member]:
    """Yield the public attributes of a class, and then its properties and methods."""
    described = _described(ast.get_docstring(described_in) or "")
    types = _types(definition)
    for name in dict.fromkeys([*types, *described]):
        is_set = name in types and (name in described or _is_declared(definition, name))
        if is_set and not name.startswith("_"):
            meaning = _said(definition, name, described.get(name))
            yield Member(name, _code(types.get(name, "")), meaning)
    for node in definition.body:
        if isinstance(node, ast.Assign) and isinstance(node.value, ast.Constant):  # of an enum
            text = str(node.value.value)
            yield Member(ast.unparse(node.targets[0]), _code(definition.name), _code(text))
        if isinstance(node, ast.FunctionDef) and not node.name.startswith("_"):
            decorators = [ast.unparse(each) for each in node.decorator_list]
            signature = "" if "property" in decorators else f"({_arguments(node.args)})"
            kind = ast.unparse(node.returns) if node.returns else ""
            meaning = _first(ast.get_docstring(node) or "")
            yield Member(node.name + signature, _code(kind), _said(definition, node.name, meaning))


def _said(definition: ast.ClassDef, name: str, meaning: str | None) -> str:
    if not meaning:
        raise SystemExit(f"nothing says what {definition.name}.{name} is")
    return meaning


def _is_declared(definition: ast.ClassDef, name: str) -> bool:
    return any(
        isinstance(node, ast.AnnAssign) and ast.unparse(node.target) == name
        for node in definition.body
    )


def _types(definition: ast.ClassDef) -> dict[str, str]:
    """Return the types of attributes: fields, and what `__init__` sets."""
    found = {
        ast.unparse(node.target): ast.unparse(node.annotation)
        for node in definition.body
        if isinstance(node, ast.AnnAssign)
    }
    for start in definition.body:
        if isinstance(start, ast.FunctionDef) and start.name == "__init__":
            given = {
                each.arg: ast.unparse(each.annotation)
                for each in (*start.args.args, *start.args.kwonlyargs)
                if each.annotation
            }
            for node in ast.walk(start):
                if isinstance(node, ast.Attribute) and node.attr in given:
                    found[node.attr] = given[node.attr]
                if isinstance(node, ast.AnnAssign) and isinstance(node.target, ast.Attribute):
                    found[node.target.attr] = ast.unparse(node.annotation)
    return found


def _described(docstring: str) -> dict[str, str]:
    """Return what the section `Attributes` of a docstring says of each."""
    section = docstring.partition("Attributes:\n")[2].split("\n\n")[0]
    found = re.findall(r"^ {4}(\w+): (.*(?:\n {6,}.*)*)", section, re.MULTILINE)
    return {name: _line(text) for name, text in found}


def _arguments(arguments: ast.arguments) -> str:
    for each in (*arguments.posonlyargs, *arguments.args, *arguments.kwonlyargs):
        each.annotation = None
    text = ast.unparse(arguments).removesuffix(", /")
    return re.sub(r"^(self|cls)(, )?", "", text).replace("'", '"')


def _first(docstring: str) -> str:
    return _line(docstring.strip().partition("\n\n")[0])


def _line(text: str) -> str:
    return " ".join(text.split()).replace("|", "\\|")


def _code(kind: str) -> str:
    return f"`{_line(kind)}`" if kind else ""
