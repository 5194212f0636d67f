"""Jobs: what is run, or done by hand."""

from __future__ import annotations

import json
import re
from functools import cached_property
from types import MappingProxyType
from typing import TYPE_CHECKING, ClassVar, Final

from holdall.units.builtin import BUILTIN_JOBS
from holdall.units.lists import list_words
from holdall.units.siblings import sibling_entries
from holdall.units.unit import Finding, Unit, ineffective_spellings

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

UNCATEGORISED: Final = "com.canonical.plainbox::uncategorised"
"""The category of jobs that name none."""

AUTOMATED: Final = frozenset({"shell", "resource", "attachment"})
"""The values of the field `plugin` of jobs that need no person."""
PLUGINS: Final = AUTOMATED | {"manual", "user-interact", "user-verify", "user-interact-verify"}
"""The values that the field `plugin` of a job may have."""


SUSPENDS: Final[Mapping[str, str]] = {
    "also-after-suspend": "com.canonical.certification::suspend/suspend_advanced_auto",
    "also-after-suspend-manual": "com.canonical.certification::suspend/suspend_advanced",
}
"""The job that suspends the machine, by the flag that asks to run before and behind it."""

TWIN_PREFIXES: Final[Mapping[str, str]] = {
    "also-after-suspend": "after-suspend-",
    "also-after-suspend-manual": "after-suspend-manual-",
}
"""What the id of the edition that runs behind the suspend begins with, by the same flag."""


JOB_FIELDS: Final = frozenset(
    {
        *("unit", "id", "name", "plugin", "summary", "description"),
        *("purpose", "steps", "verification", "command", "shell", "user", "environ"),
        *("requires", "imports", "depends", "after", "before", "salvages", "group"),
        *("estimated_duration", "flags", "category_id", "certification_status", "xfail"),
        *("siblings", "setup_include", "auto_retry", "template_id", "template_engine"),
        *("timeout", "output_format", "qml_file"),
    }
)
"""The fields that a job may have, with `_` for every `-`."""

_NO_FLAGS: Final[frozenset[str]] = frozenset()


class Job(Unit, frozen=True, dict=True, eq=False, kw_only=True):
    """Something to run, or to do by hand."""

    known = JOB_FIELDS
    needs_plugin: ClassVar[bool] = True

    def faults(self) -> Iterator[Finding]:
        """Yield what makes the definition unusable."""
        yield from super().faults()
        if not self.partial_id:
            yield Finding("id", "the field 'id' is missing")
        if self.needs_plugin and not self.get("plugin") and "simple" not in self.flags:
            yield Finding("plugin", "the field 'plugin' is missing")
        elif self.plugin not in PLUGINS:
            known = ", ".join(sorted(PLUGINS))
            yield Finding("plugin", f"the plugin {self.plugin!r} is none of {known}")

    def doubts(self) -> Iterator[Finding]:
        """Yield what is wrong with the definition, but leaves the rest of it usable."""
        yield from super().doubts()
        yield from doubts_of_job_fields(self)
        if not self.get("id"):
            yield Finding("name", "a job's id belongs into the field 'id', not 'name'")
        if self.plugin in AUTOMATED and not self.command:
            yield Finding("command", f"a job with plugin {self.plugin!r} needs a command")

    @cached_property
    def fault(self) -> str:
        """Why the job can't be performed as it is defined; empty if it can."""
        return "; ".join(finding.text for finding in self.faults())

    @cached_property
    def plugin(self) -> str:
        """How the job is done: shell, resource, attachment, manual, user-..."""
        return self.get("plugin") or "shell"

    @property
    def automated(self) -> bool:
        """Whether the job needs no person."""
        return self.plugin in AUTOMATED

    @property
    def command(self) -> str:
        """The shell command, as written."""
        return self.get("command")

    @property
    def shell(self) -> str:
        """The program that runs the command."""
        return self.get("shell") or "bash"

    @property
    def user(self) -> str:
        """The account the command needs, or nothing for one's own."""
        return self.get("user")

    @cached_property
    def environ(self) -> tuple[str, ...]:
        """Names of variables that the command may see of holdall's own environment."""
        return self.words("environ")

    @cached_property
    def flags(self) -> frozenset[str]:
        """The job's flags: `simple`, `noreturn`, `autorestart`..."""
        return frozenset(self.words("flags")) if self.get("flags") else _NO_FLAGS

    @cached_property
    def depends(self) -> tuple[str, ...]:
        """Jobs that must have passed before this one starts."""
        return self._jobs_to_wait_for("depends")

    @cached_property
    def after(self) -> tuple[str, ...]:
        """Jobs that must have ended, however, before this one starts."""
        return self._jobs_to_wait_for("after")

    def _jobs_to_wait_for(self, name: str) -> tuple[str, ...]:
        # What Checkbox has jobs for, and holdall does itself, is done before any job runs.
        return tuple(job_id for job_id in self.ids(name) if job_id not in BUILTIN_JOBS)

    @cached_property
    def before(self) -> tuple[str, ...]:
        """Jobs that may start only after this one, if both run.

        A job of which another edition runs behind a suspend runs before that.
        """
        own = self.ids("before")
        placed = {*own, *self.depends, *self.after}
        return own + tuple(name for name in self._suspends() if name not in placed)

    def _suspends(self) -> tuple[str, ...]:
        """Return the jobs that suspend the machine, as far as a sibling of the job needs them."""
        needed = [SUSPENDS[flag] for flag in sorted(self.flags & SUSPENDS.keys())]
        for entry in sibling_entries(self.get("siblings")):
            for name in ("depends", "after"):
                ids = map(self.qualify, list_words(entry.changes.get(name) or ""))
                needed.extend(job_id for job_id in ids if job_id in SUSPENDS.values())
        return tuple(dict.fromkeys(needed))

    @cached_property
    def salvages(self) -> tuple[str, ...]:
        """Jobs of which one must have failed for this one to start."""
        return self.ids("salvages")

    @property
    def group(self) -> str:
        """Jobs of one group run one after another, without others in between."""
        return self.get("group")

    @property
    def requires(self) -> str:
        """Resource expressions, one a line, all of which must hold."""
        return self.get("requires")

    @property
    def imports(self) -> str:
        """Names of resources of other namespaces: `from NS import ID [as NAME]` lines."""
        return self.get("imports")

    @cached_property
    def category_id(self) -> str:
        """Qualified id of the category."""
        category = self.get("category_id")
        return self.qualify(category) if category else UNCATEGORISED

    @property
    def certification_status(self) -> str:
        """`blocker` or `non-blocker`, from the field `certification-status`, written so."""
        return self.fields.get("certification-status") or "non-blocker"

    @cached_property
    def timeout(self) -> float | None:
        """Seconds that one attempt may take, None for any time."""
        return duration(self.get("timeout")) or None

    @property
    def output_format(self) -> str:
        """The importer that reads what the command writes to standard output; empty for none."""
        return self.get("output_format")

    @property
    def auto_retry(self) -> str:
        """`yes` or `no`, from the field `auto-retry`, written so; empty where it says neither."""
        return self.fields.get("auto-retry", "")

    @property
    def xfail(self) -> bool:
        """Whether the job is expected to fail, so that a pass is what nobody expects."""
        return _BOOLEANS.get(self.get("xfail").lower(), False)

    @property
    def template_id(self) -> str:
        """Qualified id of the template the job was made from, or nothing."""
        return self.qualify(self.get("template_id")) if self.get("template_id") else ""

    @cached_property
    def estimated_duration(self) -> float | None:
        """Seconds the author expects, None if unknown."""
        return duration(self.get("estimated_duration"))

    @property
    def description(self) -> str:
        """The description, or purpose, steps and verification in its place."""
        parts = (self.get(name) for name in ("purpose", "steps", "verification"))
        return self.get("description") or "\n\n".join(filter(None, parts))


class SetupJob(Job, frozen=True, dict=True, eq=False, kw_only=True):
    """A job that prepares the machine before jobs are selected, such as one that installs."""

    known = JOB_FIELDS | {"requires_manifest"}
    needs_plugin = False

    def faults(self) -> Iterator[Finding]:
        """Yield what makes the definition unusable."""
        yield from super().faults()
        try:
            self.requires_manifest  # noqa: B018 - parsing is the check
        except ValueError as error:
            yield Finding("requires_manifest", str(error))

    @cached_property
    def requires_manifest(self) -> Mapping[str, object]:
        """The answer that each manifest entry must have for the job to run, by qualified id.

        Raises:
            ValueError: The field is neither a JSON list of ids nor of `{id: answer}`.
        """
        text = self.get("requires_manifest")
        try:
            parsed = json.loads(text) if text.strip() else []
        except RecursionError as error:
            raise ValueError("the field 'requires-manifest' is nested too deep") from error
        except ValueError as error:
            raise ValueError(f"the field 'requires-manifest' must be JSON: {error}") from error
        answers: dict[str, object] = {}
        for item in parsed if isinstance(parsed, list) else [parsed]:
            match item:
                case str():
                    answers[self.qualify(item)] = True
                case dict() if all(isinstance(item[entry], bool | int | str) for entry in item):
                    answers.update((self.qualify(entry), item[entry]) for entry in item)
                case dict():
                    reason = "gives an id an answer that is neither yes or no, number nor text"
                    raise ValueError(f"the field 'requires-manifest' {reason}")
                case _:
                    reason = "must list ids, or ids with the answer each needs"
                    raise ValueError(f"the field 'requires-manifest' {reason}, not {_shown(item)}")
        return MappingProxyType(answers)


def doubts_of_job_fields(unit: Unit) -> Iterator[Finding]:
    """Yield what is wrong with fields of a job that a template may have too.

    What a template fills in is looked at in the jobs that it makes.
    """
    yield from ineffective_spellings(unit, ("certification-status", "auto-retry"))
    for name in ("estimated_duration", "timeout"):
        expected = unit.get(name)
        if expected and "{" not in expected and duration(expected) is None:
            yield Finding(name, f"{expected!r} is no duration")
    expected = unit.get("xfail")
    if "{" not in expected and expected.lower() not in _BOOLEANS:
        yield Finding("xfail", f"{expected!r} is neither true nor false")


def _shown(item: object) -> str:
    return json.dumps(item) if not isinstance(item, list) else "a list in it"


def duration(text: str) -> float | None:
    """Return the seconds of `1.5` or `1h 2m 3s`, None if *text* is neither."""
    text = text.strip()
    try:
        seconds = float(text)
    except ValueError:
        match = _HOURS_MINUTES_SECONDS.fullmatch(text)
        if not match or not any(match.groups()):
            return None
        hours, minutes, rest = (float(part or 0) for part in match.groups())
        seconds = hours * 3600 + minutes * 60 + rest
    return seconds if 0 <= seconds < float("inf") else None


_BOOLEANS: Final[Mapping[str, bool]] = {
    **dict.fromkeys(("true", "yes", "on", "1"), True),
    **dict.fromkeys(("", "false", "no", "off", "0"), False),
}
_HOURS_MINUTES_SECONDS: Final = re.compile(
    r"(?:(\d+)\s*h)?[\s:]*(?:(\d+)\s*m(?:in)?)?[\s:]*(?:(\d+(?:\.\d+)?)\s*s)?"
)
