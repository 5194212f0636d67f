"""Options of exporters: typed by their class, given as strings, a mapping or an instance.

The strings are plainbox's: `name`, `no-name` and `key=value`, one option each.
In names `-` and `_` are the same.
"""

from __future__ import annotations

import inspect
import re
from collections.abc import Mapping
from functools import partial
from types import MappingProxyType, NoneType, UnionType
from typing import (
    TYPE_CHECKING,
    Annotated,
    Any,
    Final,
    Literal,
    NamedTuple,
    Union,
    get_args,
    get_origin,
    get_type_hints,
)

import msgspec
from msgspec import inspect as kinds

from holdall.contracts import HasOptions
from holdall.deprecation import warn_deprecated
from holdall.errors import ConfigurationError, OptionValueError, UnknownOptionError
from holdall.exports.view_options import ViewOptions
from holdall.registry import calling
from holdall.settings import NO_SETTINGS

if TYPE_CHECKING:
    from collections.abc import Container, Iterable, Iterator

    from holdall.contracts import AnyExporter
    from holdall.registry import Identity
    from holdall.settings import Settings

    Given = object | Mapping[str, Any] | Iterable[str]


_TRUTHS: Final = {"yes": True, "on": True, "true": True, "no": False, "off": False, "false": False}
_UNITS: Final = {"": 1, "k": 1 << 10, "m": 1 << 20, "g": 1 << 30, "t": 1 << 40}
_SIZE: Final = re.compile(r"(\d+(?:\.\d+)?)\s*([kmgt]?)(?:i?b)?", re.IGNORECASE)
_NONE: Final = "none"
_BARE: Final = object()  # the value of an option that was given by its name alone
_SEQUENCES: Final = (kinds.ListType, kinds.VarTupleType, kinds.SetType, kinds.FrozenSetType)


class Nothing(msgspec.Struct, frozen=True):
    """The options of an exporter without options."""


def options_class_of(exporter: type[AnyExporter]) -> type:
    """Return the class of an exporter's own options; one without fields if it has none."""
    return exporter.Options if isinstance(exporter, HasOptions) else Nothing


class OptionRow(msgspec.Struct, frozen=True):
    """One option, as a listing shows it."""

    name: str
    type: str
    default: str
    help: str


class Parsed(NamedTuple):
    """Options after parsing.

    Attributes:
        own: An instance of the exporter's `Options`.
        shared: An instance of the class of options that all exporters have in common.
        ignored: Names that neither of them has.
    """

    own: Any
    shared: Any
    ignored: tuple[str, ...]


def parse_options(
    exporter: Identity, options_class: type, given: Given, *, strict: bool
) -> tuple[Any, tuple[str, ...]]:
    """Return an instance of *options_class* made of *given*, and the names that were ignored.

    Args:
        given: An instance of the class, a mapping, or strings as plainbox takes them.
        strict: Refuse unknown names; otherwise they are ignored. A bad value is always refused.

    Raises:
        UnknownOptionError: The exporter has no option of that name.
        OptionValueError: The option does not take that value, or was given twice.
        PluginCallError: The class itself failed.
    """
    own, _shared, ignored = parse_both(exporter, options_class, Nothing, given, strict=strict)
    return own, ignored


def parse_both(
    exporter: Identity,
    options_class: type,
    shared_class: type,
    given: Given,
    *,
    strict: bool,
    preset: Iterable[str] = (),
    settings: Settings = NO_SETTINGS,
) -> Parsed:
    """Return instances of both classes; a name that both have is the exporter's own.

    Args:
        preset: Options of an exporter unit: those in *given* win over them, and
            those that the exporter does not have are ignored, as the caller can't help it.
        settings: What the integrator set, which both win over.

    Raises:
        UnknownOptionError, OptionValueError, PluginCallError: As `parse_options`.
        ConfigurationError: What the integrator set are no options of the exporter.
    """
    if isinstance(given, options_class):
        return Parsed(given, shared_class(), ())
    with calling(exporter, "describing its options"):
        own = {_plain(field.name): field for field in option_fields(options_class)}
    fields = {_plain(field.name): field for field in option_fields(shared_class)} | own
    build = partial(_built_both, exporter, (options_class, shared_class), fields, own)
    try:
        # By themselves first: their faults are the integrator's, and not the caller's.
        values, _none = _values(exporter.id, fields, settings.values, strict=True)
        build(values)
    except (UnknownOptionError, OptionValueError) as error:
        raise ConfigurationError(settings.location, str(error)) from error
    presets, ignored = _values(exporter.id, fields, preset, strict=False)
    values |= presets
    wanted, more = _values(exporter.id, fields, given, strict=strict)
    values |= wanted
    return Parsed(*build(values), (*ignored, *more))


def _built_both(
    exporter: Identity,
    classes: tuple[type, type],
    fields: Mapping[str, kinds.Field],
    own: Container[str],
    values: Mapping[str, Any],
) -> tuple[Any, Any]:
    """Return instances of both classes, from values by the plain names of their fields."""
    parts: tuple[dict[str, Any], dict[str, Any]] = ({}, {})
    for key, value in values.items():
        parts[0 if key in own else 1][fields[key].name] = value
    first, second = (_built(exporter, *pair) for pair in zip(classes, parts, strict=True))
    return first, second


def _values(
    exporter_id: str, fields: Mapping[str, kinds.Field], given: Given, *, strict: bool
) -> tuple[dict[str, Any], list[str]]:
    """Return values by the field that each is for, and the names that no field has."""
    values: dict[str, Any] = {}
    ignored = []
    for name, value in _pairs(given):
        key, wanted = _meant(name, value, fields)
        if key is None:
            if strict:
                raise UnknownOptionError(exporter_id, name, [_shown(known) for known in fields])
            ignored.append(name)
            continue
        if wanted is _BARE:
            raise OptionValueError(exporter_id, _shown(key), "", _needs_value(fields[key]))
        wanted = _normal(wanted, fields[key].type)
        # A name of plainbox may repeat what the present one says.
        legacy = _plain(name) not in fields
        if key in values and not (legacy and values[key] == wanted):
            raise OptionValueError(exporter_id, _shown(key), str(wanted), "it was given twice")
        values[key] = wanted
    return values, ignored


def describe_options(options_class: type) -> list[OptionRow]:
    """Return a row for each option; its help is in the docstring's `Attributes`."""
    help_texts: dict[str, str] = {}
    for ancestor in reversed(options_class.__mro__):  # an option may be inherited, with its help
        help_texts |= _attributes(inspect.cleandoc(vars(ancestor).get("__doc__") or ""))
    return [
        OptionRow(
            _shown(field.name),
            _type_text(field.type),
            _default(field),
            help_texts.get(field.name, ""),
        )
        for field in option_fields(options_class)
    ]


def option_fields(options_class: type) -> tuple[kinds.Field, ...]:
    """Return the fields of a class of options, as msgspec sees them."""
    described = kinds.type_info(options_class)
    if not isinstance(described, kinds.DataclassType | kinds.StructType):
        raise TypeError(
            f"options must be a dataclass, an attrs class or a msgspec Struct, not {options_class}"
        )
    hints = get_type_hints(options_class, include_extras=True)
    return tuple(_as_declared(field, hints[field.name]) for field in described.fields)


def _as_declared(field: kinds.Field, hint: Any) -> kinds.Field:
    """Return *field* with its words in the order of their author; msgspec sorts them."""
    declared = _words(hint)
    match field.type:
        case kinds.LiteralType():
            kind: kinds.Type = kinds.LiteralType(declared)
        case kinds.UnionType(types):
            members = (
                kinds.LiteralType(declared) if isinstance(part, kinds.LiteralType) else part
                for part in types
            )
            kind = kinds.UnionType(tuple(members))
        case _:
            return field
    return msgspec.structs.replace(field, type=kind)


def _words(hint: Any) -> tuple[Any, ...]:
    """Return the words of the `Literal` in a type."""
    if get_origin(hint) is Literal:
        return tuple(word for word in get_args(hint) if word is not None)
    return tuple(word for part in get_args(hint) for word in _words(part))


def _plain(name: str) -> str:
    return name.strip().replace("-", "_")


def _shown(name: str) -> str:
    return name.replace("_", "-")


def _pairs(given: Given) -> Iterator[tuple[str, Any]]:
    """Yield name and value of each option; the value is `_BARE` where there was none."""
    if isinstance(given, Mapping):
        yield from given.items()
        return
    if isinstance(given, str):
        given = (given,)
    if not hasattr(given, "__iter__"):
        raise TypeError(f"options are strings, a mapping or an instance, not {given!r}")
    for text in given:
        if not isinstance(text, str):
            raise TypeError(f"an option is a string like 'name' or 'key=value', not {text!r}")
        name, equals, value = text.partition("=")
        yield name.strip(), value.strip() if equals else _BARE


def _meant(name: str, value: Any, fields: Mapping[str, kinds.Field]) -> tuple[str | None, Any]:
    """Return the field that *name* stands for, None if none does, and its value."""
    key = _plain(name)
    if key in fields:
        return key, True if value is _BARE and _takes(fields[key].type, kinds.BoolType) else value
    if value is _BARE and key in LEGACY_OPTIONS:
        return _legacy(key, fields)
    positive = key.removeprefix("no_")
    if value is _BARE and positive in fields and _takes(fields[positive].type, kinds.BoolType):
        return positive, False
    return None, value


def _legacy(key: str, fields: Mapping[str, kinds.Field]) -> tuple[str | None, Any]:
    """Return what a name of plainbox stands for, and warn; None if nothing here."""
    field, value = LEGACY_OPTIONS[key]
    if field not in fields:
        return None, value
    now = f"{_shown(field)}={value}" if isinstance(value, str) else _shown(field)
    now = f"no-{now}" if value is False else now
    warn_deprecated(f"the exporter option {_shown(key)!r} is deprecated, write {now!r}")
    return field, value


def _takes(kind: kinds.Type, wanted: type | tuple[type, ...]) -> bool:
    if isinstance(kind, kinds.Metadata):
        return _takes(kind.type, wanted)
    if isinstance(kind, kinds.UnionType):
        return any(_takes(member, wanted) for member in kind.types)
    return isinstance(kind, wanted)


def _normal(value: Any, kind: kinds.Type) -> Any:
    """Return *value* as msgspec reads it: booleans, sizes, lists and None parsed from text."""
    if not isinstance(value, str):
        return value
    # `none` means None unless one of the option's own choices is called so.
    if value.lower() == _NONE and _takes(kind, kinds.NoneType) and _NONE not in _choices(kind):
        return None
    if _takes(kind, kinds.BoolType) and value.lower() in _TRUTHS:
        return _TRUTHS[value.lower()]
    size = _SIZE.fullmatch(value) if _takes(kind, kinds.IntType) else None
    if size and size[2]:
        return int(float(size[1]) * _UNITS[size[2].lower()])
    if _takes(kind, _SEQUENCES):
        return [_normal(word.strip(), _item(kind)) for word in value.split(",") if word.strip()]
    return value


def _item(kind: kinds.Type) -> kinds.Type:
    """Return what a list holds."""
    match kind:
        case kinds.Metadata():
            return _item(kind.type)
        case kinds.UnionType():
            return next(
                _item(member) for member in kind.types if not isinstance(member, kinds.NoneType)
            )
        case kinds.ListType() | kinds.VarTupleType() | kinds.SetType() | kinds.FrozenSetType():
            return kind.item_type
        case _:
            return kind


def _built(exporter: Identity, options_class: Any, values: dict[str, Any]) -> Any:
    """Return the instance that *values* make.

    What the class itself has against the values, by a ValueError or TypeError, is the
    user's to mend; whatever else it raises is the exporter's fault.
    """
    if values:  # most classes keep all their defaults, and describing one takes long
        hints = get_type_hints(options_class, include_extras=True)
        for field in option_fields(options_class):
            if field.name in values:
                value, hint = values[field.name], hints[field.name]
                values[field.name] = _converted(exporter.id, field, value, hint)
    with calling(exporter, "making its options"):
        try:
            return options_class(**values)
        except (ValueError, TypeError) as error:
            if not values:
                raise
            # The class does not say which of the values it refuses.
            refused = _refused_alone(options_class, values) or values
            names = ", ".join(map(_shown, refused))
            given = ", ".join(map(str, refused.values()))
            raise OptionValueError(exporter.id, names, given, str(error)) from error


def _refused_alone(options_class: Any, values: dict[str, Any]) -> dict[str, Any]:
    """Return the first of *values* that the class refuses by itself, None if it refuses none."""
    for name, value in values.items():
        try:
            options_class(**{name: value})
        except (ValueError, TypeError):
            return {name: value}
    return {}


def _converted(exporter_id: str, field: kinds.Field, value: Any, hint: Any) -> Any:
    """Return *value* as the option's type; `none` was dealt with, so no word means it any more."""
    if value is None and _takes(field.type, kinds.NoneType):
        return None
    try:
        return msgspec.convert(value, _without_none(hint), strict=False, dec_hook=_made)
    except msgspec.ValidationError as error:
        shown = "no value" if value is None else str(value)
        reason = _reason(field.type, error)
        raise OptionValueError(exporter_id, _shown(field.name), shown, reason) from error


def _without_none(hint: Any) -> Any:
    """Return a type without the None in it, which msgspec would read out of `null`."""
    origin, arguments = get_origin(hint), get_args(hint)
    if origin is Annotated:
        return Annotated[_without_none(arguments[0]), *arguments[1:]]
    if origin in {Union, UnionType}:
        return Union[tuple(argument for argument in arguments if argument is not NoneType)]  # noqa: UP007 - made of a tuple
    return hint


def _made(kind: type, value: Any) -> Any:
    """Make what msgspec does not know, a path say, out of what was given."""
    return value if isinstance(value, kind) else kind(value)


def _needs_value(field: kinds.Field) -> str:
    choices = _choices(field.type)
    hint = f"; choose one of {', '.join(choices)}" if choices else ""
    return f"it needs a value, {_shown(field.name)}=...{hint}"


def _reason(kind: kinds.Type, error: Exception) -> str:
    choices = _choices(kind)
    if choices:
        return f"choose one of {', '.join(choices)}"
    return str(error).partition(" - at `")[0]


def _choices(kind: kinds.Type) -> list[str]:
    match kind:
        case kinds.LiteralType():
            return [str(value) for value in kind.values]
        case kinds.EnumType():
            return [str(member.value) for member in kind.cls]
        case kinds.UnionType():
            return [choice for part in kind.types for choice in _choices(part)]
        case _:
            return []


_WORDS: Final[Mapping[type, str]] = {
    kinds.BoolType: "yes|no",
    kinds.IntType: "number",
    kinds.FloatType: "number",
    kinds.StrType: "text",
    kinds.NoneType: "none",
}


def _type_text(kind: kinds.Type) -> str:
    match kind:
        case kinds.LiteralType() | kinds.EnumType():
            return "|".join(_choices(kind))
        case kinds.UnionType():
            return "|".join(_type_text(member) for member in kind.types)
        case kinds.ListType() | kinds.VarTupleType() | kinds.SetType() | kinds.FrozenSetType():
            return f"{_type_text(kind.item_type)},..."
        case kinds.CustomType():
            return kind.cls.__name__.lower()
        case _:
            return _WORDS.get(type(kind), "text")


def default_of(field: kinds.Field) -> Any:
    """Return the value that an option has when nobody says anything."""
    if field.default_factory is not msgspec.NODEFAULT:
        return field.default_factory()
    return field.default


def _default(field: kinds.Field) -> str:
    match default_of(field):
        case bool() as value:
            return "yes" if value else "no"
        case list() | tuple() | set() | frozenset() as value:
            return ",".join(map(str, value))
        case None | msgspec.NODEFAULT:
            return ""
        case value:
            return str(getattr(value, "value", value))


def _attributes(docstring: str) -> dict[str, str]:
    """Return what the `Attributes` section says of each name, in one line each."""
    help_texts: dict[str, str] = {}
    name = ""
    _before, _head, section = docstring.partition("Attributes:\n")
    for line in section.splitlines():
        if line and not line[0].isspace():
            break
        entry = re.match(r"\s{4}(\w+):\s*(.*)", line)
        if entry:
            name = entry[1]
            help_texts[name] = entry[2]
        elif name and line.strip():
            help_texts[name] += " " + line.strip()
    return help_texts


LEGACY_OPTIONS: Final[Mapping[str, tuple[str, Any]]] = MappingProxyType(
    {
        "flatten_io_log": ("logs", "all"),
        "squash_io_log": ("logs", "all"),
        "with_io_log": ("logs", "all"),
        "with_attachments": ("attachments", True),
        "with_category_map": ("categories", True),
        "with_certification_status": ("certification_status", True),
        "with_comments": ("comments", True),
        "with_job_defs": ("definitions", True),
        "with_job_description": ("descriptions", True),
        "with_job_hash": ("checksums", True),
        "with_job_list": ("job_list", True),
        "with_job_via": ("job_via", True),
        "with_resource_map": ("resources", True),
        "with_run_list": ("run_list", True),
        "with_summary": ("summary", True),
        "with_sys_info": ("devices", True),
        "with_text_attachments": ("text_attachments", True),
        "with_unit_categories": ("categories", True),
        "machine_json": ("compact", True),
        "tp_export": ("test_plan", True),
        "without_session_desc": ("session_description", False),
    }
)
"""The field and value that each name stands for, `-` written as `_`.

A name means something to an exporter that has the field, or that shares it with
all others; to the rest it is an option that they don't have.
"""


_DRAFT: Final = "https://json-schema.org/draft/2020-12/schema"


def options_schema(exporter_id: str, options_class: type) -> dict[str, Any]:
    """Return the JSON Schema 2020-12 of a mapping that the exporter takes as its options.

    It has the exporter's own options and those that all exporters share; names
    are written with `-`, and `_` means the same.
    """
    properties: dict[str, Any] = {}
    definitions: dict[str, Any] = {}
    for options_type in (ViewOptions, options_class):
        fields = option_fields(options_type)
        hints = get_type_hints(options_type, include_extras=True)
        types = [hints[field.name] for field in fields]
        schemas, components = msgspec.json.schema_components(types, schema_hook=_as_text)
        definitions |= components
        for field, schema, row in zip(
            fields, schemas, describe_options(options_type), strict=True
        ):
            default = msgspec.to_builtins(default_of(field), enc_hook=str)
            if isinstance(field.type, kinds.LiteralType):
                schema["enum"] = list(field.type.values)
            properties[row.name] = {**schema, "default": default, "description": row.help}
    return {
        "$schema": _DRAFT,
        "title": f"Options of {exporter_id}",
        "type": "object",
        "properties": properties,
        "additionalProperties": False,
        **({"$defs": definitions} if definitions else {}),
    }


def _as_text(_kind: type) -> dict[str, Any]:
    """Return the schema of a type that JSON has no other form for: a path, say."""
    return {"type": "string"}
