"""What is wrong with one definition, whatever else there is."""

from __future__ import annotations

import re
from itertools import chain
from typing import TYPE_CHECKING, Final

from holdall.errors import ExpressionError, near
from holdall.session import expression_lines, parse_expression, parse_imports
from holdall.units import (
    Job,
    ManifestEntry,
    SetupJob,
    Template,
    TestPlan,
    duration,
    sibling_entries,
)
from holdall.validation.issue import Remark

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

    from holdall.units import PlanOverride, Unit

FLAGS: Final = frozenset(
    {
        *("simple", "noreturn", "autorestart", "reset-locale", "preserve-locale", "preserve-cwd"),
        *("has-leftovers", "fail-on-resource", "suppress-output", "use-chunked-io", "cachable"),
        *("also-after-suspend", "also-after-suspend-manual", "win32", "explicit-fail"),
        "deprecated",
    }
)
"""The flags that a job may have; some of them have no effect, as in Checkbox."""

_LONGEST_SUMMARY: Final = 80
_STATUSES: Final = frozenset(
    {"unspecified", "not-part-of-certification", "non-blocker", "blocker"}
)
_MADE: Final = frozenset({"job", "category"})
PLACEHOLDER: Final = re.compile(r"\{\{.*?\}\}|\{%.*?%\}|\{[^{}]*\}")
"""What a template fills in."""


def remarks(unit: Unit) -> Iterator[Remark]:
    """Yield what is wrong with *unit* in itself."""
    match unit:
        case Job():
            yield from _of_job(unit)
        case Template():
            yield from _of_template(unit)
        case TestPlan():
            yield from _of_plan(unit)
        case ManifestEntry():
            yield from _of_manifest_entry(unit)
        case _:
            pass


def _of_job(job: Job) -> Iterator[Remark]:
    if job.plugin != "manual" and not job.command:
        yield Remark("error", "command", f"a job with plugin {job.plugin!r} needs a command")
    if job.plugin == "manual" and job.command:
        yield Remark("warning", "command", "nobody runs the command of a manual job; remove it")
    if isinstance(job, SetupJob) and job.plugin != "shell":
        yield Remark("error", "plugin", f"a setup job has plugin 'shell', not {job.plugin!r}")
    yield from _instructions(job)
    yield from _texts(job)
    yield from _expressions(job)


def _instructions(unit: Unit) -> Iterator[Remark]:
    """Yield what a person who performs the job would miss."""
    plugin = unit.get("plugin")
    instructions = [name for name in ("description", "purpose", "steps") if unit.get(name)]
    if plugin == "manual" and not instructions:
        reason = "a manual job without steps: nobody knows what to do; write 'steps'"
        yield Remark("error", "plugin", f"{reason} and 'verification'")
    elif plugin.startswith("user-") and not instructions:
        reason = f"a job with plugin {plugin!r} tells its person nothing; write 'purpose'"
        yield Remark("warning", "plugin", f"{reason} and 'steps'")


def _texts(unit: Unit) -> Iterator[Remark]:
    """Yield what is wrong with fields that only certain texts fit."""
    yield from _summary(unit)
    for flag in unit.words("flags"):
        if flag not in FLAGS:
            yield Remark(
                "warning", "flags", f"no flag is called {flag!r}{near(flag, FLAGS)}", flag
            )
    for field in ("certification-status", "auto-retry"):
        value = unit.fields.get(field, "")
        fault = _value_fault(field.replace("-", "_"), value) if value else ""
        if fault and not PLACEHOLDER.search(value):
            yield Remark("error", field.replace("-", "_"), fault)
    user = unit.get("user")
    if user and user != "root" and not PLACEHOLDER.search(user):
        yield Remark("warning", "user", f"Checkbox takes 'root' alone, not {user!r}")


def _value_fault(field: str, value: str) -> str:
    """Return what is wrong with the value of a field that knows a few only."""
    if field == "certification_status" and value not in _STATUSES:
        return f"{value!r} is none of {', '.join(sorted(_STATUSES))}{near(value, _STATUSES)}"
    if field == "auto_retry" and value not in {"yes", "no"}:
        return f"{value!r} is neither yes nor no"
    return ""


def _summary(unit: Unit) -> Iterator[Remark]:
    summary = unit.get("summary")
    if not summary:
        yield Remark("advice", "summary", "the field 'summary' is missing; reports show the id")
    elif "\n" in summary.strip():
        yield Remark("warning", "summary", "a summary is one line; move the rest to 'description'")
    elif len(summary) > _LONGEST_SUMMARY:
        reason = f"a summary of {len(summary)} characters is cut in reports"
        yield Remark("warning", "summary", f"{reason}; write at most {_LONGEST_SUMMARY}")


def _of_template(template: Template) -> Iterator[Remark]:
    if template.makes not in _MADE:
        reason = f"no template makes units of the kind {template.makes!r}"
        yield Remark("error", "template_unit", f"{reason}{near(template.makes, _MADE)}")
    engine = template.get("template_engine")
    if engine not in {"", "default", "jinja2"}:
        yield Remark("error", "template_engine", f"{engine!r} is neither 'default' nor 'jinja2'")
    if not PLACEHOLDER.search(template.get("id")):
        reason = "all units that it makes have one id; name a field of the resource in it"
        yield Remark("error", "id", f"{reason}, such as '{{name}}'")
    if template.makes == "job":
        text = template.get("siblings")
        for entry in sibling_entries(text):
            if entry.fault and "{{" not in text and "{%" not in text:
                yield Remark("error", "siblings", entry.fault)
        yield from _instructions(template)
        yield from _texts(template)
        yield from _expressions(template)
    yield from _lines(template, "template_filter", "template_imports")


def _of_plan(plan: TestPlan) -> Iterator[Remark]:
    if not any(written.replace("-", "_") == "include" for written in plan.fields):
        yield Remark("error", "id", "a test plan has a field 'include', which may be empty")
    for fault in plan.lists.faults:
        yield Remark("error", fault.field, fault.text, _quoted_line(fault.text))
    for doubt in plan.lists.doubts:
        yield Remark("warning", doubt.field, doubt.text, _quoted_line(doubt.text))
    for override in (*plan.lists.overrides, *chain.from_iterable(plan.lists.blocks.values())):
        reason = _value_fault(override.field, override.value)
        if reason:
            yield Remark("error", overriding_field(plan, override), reason, override.value)
    expected = plan.get("estimated_duration")
    if expected and duration(expected) is None:
        yield Remark("warning", "estimated_duration", f"{expected!r} is no duration")


def overriding_field(plan: TestPlan, override: PlanOverride) -> str:
    """Return the field of *plan* in which an override stands."""
    for block, overrides in plan.lists.blocks.items():
        if override in overrides:
            return block
    names = ("include", "mandatory_include", "bootstrap_include")
    value = re.compile(rf"=\s*\"?{re.escape(override.value)}(?![\w-])")
    return next((name for name in names if value.search(plan.get(name))), "include")


def _quoted_line(text: str) -> str:
    """Return the line of a plan that a finding quotes."""
    match = re.match(r"\w+: '(.*?)'(?:: | is not )", text)
    return match[1] if match else ""


def _of_manifest_entry(entry: ManifestEntry) -> Iterator[Remark]:
    value_type = entry.get("value_type")
    if value_type not in {"bool", "natural"}:
        yield Remark("error", "value_type", f"{value_type!r} is neither 'bool' nor 'natural'")
    if entry.partial_id.startswith("_") and not entry.get("hidden_reason"):
        reason = "nobody is asked for an entry whose id begins with '_'"
        yield Remark("error", "id", f"{reason}; say why in 'hidden-reason'")
    if not entry.get("name"):
        yield Remark("warning", "id", "the field 'name' is missing")


def _expressions(unit: Unit) -> Iterator[Remark]:
    yield from _lines(unit, "requires", "imports")


def _lines(unit: Unit, field: str, imports_field: str) -> Iterator[Remark]:
    """Yield the lines of *field* that are no expressions, and what is wrong with the imports."""
    imports: Mapping[str, str] = {}
    try:
        imports = parse_imports(unit.get(imports_field))
    except ExpressionError as error:
        yield Remark("error", imports_field, str(error), error.text.strip())
    for number, line in expression_lines(unit.get(field)):
        try:
            parse_expression(PLACEHOLDER.sub("x", line), number, unit.namespace, imports)
        except ExpressionError as error:
            yield Remark("error", field, str(error), line.strip())
