"""Units made from the records of a resource job.

A record that the template's filter lets pass makes one unit: every field of
the template but `template-...` ones, filled in from the record. The default
engine is Python's format (`{name}`, with `{{` for a brace), without attributes
and without indexes; `template-engine: jinja2` is Jinja2's sandbox. `__index__`
counts the records that make units, from 1.

A name that the record lacks costs the unit its existence with the default
engine, unless only people and the environment would have read it (`_LENIENT`);
Jinja2 renders nothing in its place.
"""

from __future__ import annotations

import json
import re
import shlex
from contextlib import suppress
from string import Formatter
from types import MappingProxyType
from typing import TYPE_CHECKING, Any, Final

from holdall.errors import HoldallError, TemplateInstanceError
from holdall.session.resources import (
    expression_lines,
    parse_expression,
    parse_imports,
    requirements,
)
from holdall.units import Job, make_unit, qualified

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence

    from holdall.units import Template, Unit

    Fill = Callable[[str, Mapping[str, Any]], str]

_KEPT: Final = frozenset({"template-engine", "template_engine"})


def template_resource(template: Template) -> str:
    """Return the qualified id of the resource job, by the template's imports if it has some.

    Raises:
        ExpressionError: The imports can't be read.
    """
    name = template.get("template_resource")
    imports = parse_imports(template.get("template_imports"))
    return imports.get(name) or qualified(name, template.namespace)


def instances(
    template: Template,
    records: Sequence[Mapping[str, str]],
    environ: Mapping[str, str] = MappingProxyType({}),
) -> Iterator[Unit | TemplateInstanceError]:
    """Yield the unit that each accepted record makes, or why it makes none.

    What is wrong with one record costs its own unit only.

    Args:
        environ: The environment of jobs, for templates that name a variable of it.
    """
    try:
        accepts = _filter(template)
        fill = _engine(template, environ)
    except (HoldallError, ImportError) as error:
        yield TemplateInstanceError(template.id, template.where, 0, str(error))
        return
    accepted = [record for record in records if record and accepts(record)]
    for number, record in enumerate(accepted, start=1):
        try:
            yield _instance(template, {**record, "__index__": str(number)}, fill)
        except Exception as error:  # noqa: BLE001 - a template is a program of its author
            reason = f"{type(error).__name__}: {error}"
            yield TemplateInstanceError(template.id, template.where, number, reason)


def named_variables(units: Iterable[Unit]) -> set[str]:
    """Return the names of the variables of the environment that templates and Jinja jobs name."""
    return {
        name
        for unit in units
        if unit.get("template_engine") == "jinja2"
        for value in unit.fields.values()
        for name in _VARIABLE.findall(value)
    }


_VARIABLE: Final = re.compile(r"""__(?:system|checkbox)_env__(?:\.get\(|\[)\s*["'](\w+)""")


def is_jinja_job(unit: Unit) -> bool:
    """Whether *unit* is a job that no template made and whose fields are to be rendered."""
    return (
        isinstance(unit, Job) and not unit.template_id and unit.get("template_engine") == "jinja2"
    )


def rendered_job(job: Unit, environ: Mapping[str, str]) -> Unit:
    """Return a job with every field rendered, its id included; nothing stands for what is unset.

    It is written in no engine any more, so that what jobs make of it is not rendered again.

    Raises:
        TemplateInstanceError: A field can't be rendered, or makes no job.
    """
    try:
        fill = _jinja_fill(environ)
        fields = {
            name: _filled(name, value, {}, fill)
            for name, value in job.fields.items()
            if name not in _KEPT
        }
        return make_unit(fields, namespace=job.namespace, origin=job.origin)
    except Exception as error:  # the fields are programs of their author
        reason = f"{type(error).__name__}: {error}"
        raise TemplateInstanceError(job.id, job.where, 0, reason) from error


def _filter(template: Template) -> Callable[[Mapping[str, str]], bool]:
    """Return a function that tells whether a record passes, which is looked at by itself.

    The template's resource goes by its partial id, whatever its namespace; of any
    other resource there is no record, so what asks for one does not hold.
    """
    resource_id = template_resource(template)
    names = {resource_id.rpartition("::")[2]: resource_id, **_imports(template)}
    expressions = [
        parse_expression(line, number, template.namespace, names)
        for number, line in expression_lines(template.get("template_filter"))
    ]
    return lambda record: all(
        expression.holds({resource_id: (record,)}) for expression in expressions
    )


def _imports(template: Template) -> dict[str, str]:
    return parse_imports(template.get("template_imports"))


def _engine(template: Template, environ: Mapping[str, str]) -> Fill:
    engine = template.get("template_engine") or "format"
    if engine == "jinja2":
        return _jinja_fill(environ)
    if engine not in {"format", "default"}:
        raise TemplateInstanceError(
            template.id, template.where, 0, f"no template engine is called {engine!r}"
        )
    return _FORMAT.vformat_map


def _instance(template: Template, values: Mapping[str, Any], fill: Fill) -> Unit:
    fields = {
        name: _filled(name, value, values, fill)
        for name, value in template.fields.items()
        if name != "unit" and (name in _KEPT or not name.startswith(_OF_TEMPLATES))
    }
    fields["unit"] = template.makes
    fields["template-id"] = template.partial_id
    unit = make_unit(fields, namespace=template.namespace, origin=template.origin)
    # An instance that asks for what can't be read, or opens a quote, is none, as in Checkbox.
    requirements(unit)
    command = unit.get("command")
    if command.count("'") % 2 or command.count('"') % 2:
        shlex.split(command, comments=True)  # which alone is too slow for thousands of jobs
    return unit


def _filled(name: str, value: str, values: Mapping[str, Any], fill: Fill) -> str:
    if name.lstrip("_") == "siblings":
        with suppress(ValueError, RecursionError):  # a text that is JSON only when it is filled in
            listed = json.loads(value)
            filled = _filled_values(name, listed, values, fill)
            return value if filled == listed else json.dumps(filled, ensure_ascii=False)
    return _filled_text(name, value, values, fill)


def _filled_values(name: str, listed: Any, values: Mapping[str, Any], fill: Fill) -> Any:
    """Return what JSON says with its texts filled in, which its braces are no part of."""
    match listed:
        case str():
            return _filled(name, listed, values, fill)
        case list():
            return [_filled_values(name, item, values, fill) for item in listed]
        case dict():
            return {key: _filled_values(key, item, values, fill) for key, item in listed.items()}
    return listed


def _filled_text(name: str, value: str, values: Mapping[str, Any], fill: Fill) -> str:
    try:
        return fill(value, values)
    except KeyError:
        if name.lstrip("_") not in _LENIENT:
            raise
        return value


_OF_TEMPLATES: Final = ("template-", "template_", "_template-", "_template_")
_LENIENT: Final = frozenset({"environ", "purpose", "steps", "verification"})


class _PlainFormatter(Formatter):
    """`str.format` with names only: no attribute, no index, no missing name, no huge width."""

    def vformat_map(self, text: str, values: Mapping[str, Any]) -> str:
        return self.vformat(text, (), values) if "{" in text or "}" in text else text

    def get_field(
        self, field_name: str, _args: Sequence[Any], kwargs: Mapping[str, Any]
    ) -> tuple[Any, str]:
        if field_name not in kwargs:
            known = ", ".join(sorted(kwargs))
            raise KeyError(f"the record has no {field_name!r} (it has: {known})")
        return kwargs[field_name], field_name

    def format_field(self, value: Any, format_spec: str) -> str:
        if any(int(number) > _WIDEST for number in _NUMBERS.findall(format_spec)):
            raise ValueError(f"{format_spec!r} asks for more than {_WIDEST} characters")
        return str(super().format_field(value, format_spec))


_WIDEST: Final = 1000
_NUMBERS: Final = re.compile(r"\d{1,9}")
_FORMAT: Final = _PlainFormatter()


def _jinja_fill(environ: Mapping[str, str]) -> Fill:
    try:
        from jinja2.sandbox import ImmutableSandboxedEnvironment
    except ModuleNotFoundError as error:
        raise ImportError('it needs Jinja2; pip install "holdall[html]"') from error
    environment = ImmutableSandboxedEnvironment(autoescape=False, keep_trailing_newline=True)
    around = {
        "__checkbox_env__": environ,
        "__system_env__": environ,
        "__on_ubuntucore__": environ.get("CHECKBOX_OS_IS_UBUNTUCORE") == "1",
    }

    def fill(text: str, values: Mapping[str, Any]) -> str:
        if "{" not in text:
            return text
        return environment.from_string(text).render({**around, **values})

    return fill
