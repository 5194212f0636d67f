"""Resource expressions: parsed once into closures over a checked tree, never eval'd.

An expression is one line of Python syntax, `disk.category == 'SSD' and
int(disk.size) > 5`. Allowed are names of resources with one attribute,
constants, lists and tuples, comparisons, `and`, `or`, `not`, and the calls
`len`, `bool`, `int` and `float`; the name of a resource alone is true. An
attribute that a record lacks reads as an empty string.

As in Checkbox, an expression without a parenthesis is taken apart at `or` and
`and`, and each part holds if any record satisfies it, so that different records
may satisfy different parts. With a parenthesis anywhere it holds if any record,
or combination of records of several resources, satisfies the whole.
"""

from __future__ import annotations

import ast
import operator
import re
import warnings
from functools import lru_cache
from itertools import product
from typing import TYPE_CHECKING, Any, Final, NamedTuple, TypeGuard

from holdall.errors import ExpressionError, RecordSyntaxError
from holdall.units import Record, parse_records, qualified

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence

    from holdall.results import IOLogRecord
    from holdall.units import Job, Unit

    ResourceRecord = Mapping[str, str]
    ResourceMap = Mapping[str, Sequence[ResourceRecord]]
    Scope = dict[str, ResourceRecord]
    Test = Callable[[Mapping[str, Sequence[ResourceRecord]]], bool]

MANIFEST: Final = "com.canonical.plainbox::manifest"
"""The resource that holds what people answered about the device; no job makes it."""

MOST_COMBINATIONS: Final = 1_000_000
"""Records of several resources are tried together up to this many times."""

DEEPEST: Final = 50
"""How deep an expression may be nested."""


class ResourceExpression(NamedTuple):
    """One line of `requires`, with the qualified ids of the resources it names."""

    text: str
    resource_ids: tuple[str, ...]
    names: tuple[str, ...]
    test: Test

    def holds(self, resources: ResourceMap) -> bool:
        """Whether records of these resources satisfy the expression.

        Raises:
            ExpressionError: That would take too long to find out.
        """
        ids = zip(self.names, self.resource_ids, strict=True)
        try:
            return self.test({name: resources.get(resource_id, ()) for name, resource_id in ids})
        except TooManyCombinationsError as error:
            raise ExpressionError(self.text, 1, 1, str(error)) from error


def requirements(unit: Unit) -> tuple[ResourceExpression, ...]:
    """Return the expressions that all must hold for *unit* to run.

    Raises:
        ExpressionError: A line of `requires` or `imports` can't be used.
    """
    text = unit.get("requires")
    if not text:
        return ()
    imports = parse_imports(unit.get("imports"))
    return tuple(
        parse_expression(line, number, unit.namespace, imports)
        for number, line in expression_lines(text)
    )


def expression_lines(text: str) -> Iterator[tuple[int, str]]:
    """Yield the lines of a field that are expressions, which comments are not, with numbers."""
    for number, line in enumerate(text.splitlines(), start=1):
        if not _is_blank(line):
            yield number, line


def required_resources(job: Job) -> tuple[str, ...]:
    """Return the qualified ids of all resources that jobs must make before this one runs."""
    if not job.requires:
        return ()
    ids = (
        resource_id for expression in requirements(job) for resource_id in expression.resource_ids
    )
    return tuple(dict.fromkeys(resource_id for resource_id in ids if resource_id != MANIFEST))


def parse_imports(text: str) -> dict[str, str]:
    """Return the qualified resource ids that `from NS import ID [as NAME]` lines give names to.

    Raises:
        ExpressionError: A line says something else.
    """
    ids_by_name = {}
    for number, line in enumerate(text.splitlines(), start=1):
        if _is_blank(line):
            continue
        match = _IMPORT.fullmatch(line.strip())
        if not match:
            raise ExpressionError(
                line, number, 1, "an import is 'from NAMESPACE import ID [as NAME]'"
            )
        namespace, resource_id, name = match.groups()
        ids_by_name[name or resource_id] = f"{namespace}::{resource_id}"
    return ids_by_name


class ResourceOutput(NamedTuple):
    """What a resource job printed.

    Attributes:
        records: Its records; none of them counts as one empty record.
        errors: What is wrong with the others, which cost themselves only.
    """

    records: tuple[dict[str, str], ...]
    errors: tuple[RecordSyntaxError, ...] = ()


def resource_output(io_log: Iterable[IOLogRecord]) -> ResourceOutput:
    """Return what a resource job printed, from its log."""
    text = b"".join(record.data for record in io_log if record.stream == "stdout")
    parsed = list(parse_records(text.decode("utf-8", "backslashreplace")))
    records = tuple(record.fields for record in parsed if isinstance(record, Record))
    errors = tuple(error for error in parsed if isinstance(error, RecordSyntaxError))
    return ResourceOutput(records or ({},), errors)


def _is_blank(line: str) -> bool:
    return not line.strip() or line.lstrip().startswith("#")


_IMPORT: Final = re.compile(r"from\s+([\w.-]+)\s+import\s+([\w./-]+)(?:\s+as\s+(\w+))?")


def parse_expression(
    line: str, number: int, namespace: str, imports: Mapping[str, str]
) -> ResourceExpression:
    """Return the expression in *line*, whose resources *imports* or *namespace* qualify.

    Raises:
        ExpressionError: It is none, or says something that is not allowed.
    """
    text = line.strip()
    names, test = _parsed(text, number)
    ids = tuple(imports.get(name) or qualified(name, namespace) for name in names)
    return ResourceExpression(text, ids, names, test)


@lru_cache(maxsize=4096)
def _parsed(text: str, line: int) -> tuple[tuple[str, ...], Test]:
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore", SyntaxWarning)  # Python's views on '\d' help nobody
            warnings.simplefilter("ignore", DeprecationWarning)
            tree = ast.parse(text, mode="eval")
    except (SyntaxError, ValueError, RecursionError, MemoryError) as error:
        column = getattr(error, "offset", None) or 1
        raise ExpressionError(text, line, column, f"it is no expression ({error})") from error
    names: dict[str, None] = {}
    test = _part(tree.body, text, line, names, apart="(" not in text)
    if not names:
        raise ExpressionError(text, line, 1, "it names no resource")
    return tuple(names), test


def _part(node: ast.expr, text: str, line: int, names: dict[str, None], *, apart: bool) -> Test:
    """Return a function that tells whether records satisfy *node*, and add what it names."""
    if apart and isinstance(node, ast.BoolOp):
        parts = [_part(value, text, line, names, apart=apart) for value in node.values]
        combine = all if isinstance(node.op, ast.And) else any
        return lambda records: combine(part(records) for part in parts)
    conjuncts = node.values if _is_and(node) else [node]
    conditions = [_Part.of(conjunct, text, line) for conjunct in conjuncts]
    named = tuple(dict.fromkeys(name for part in conditions for name in part.names))
    names.update(dict.fromkeys(named))
    return lambda records: _any_satisfies(conditions, named, records)


def _is_and(node: ast.expr) -> TypeGuard[ast.BoolOp]:
    return isinstance(node, ast.BoolOp) and isinstance(node.op, ast.And)


class _Part(NamedTuple):
    """One of the conditions of an expression that all must hold for the same records."""

    names: tuple[str, ...]
    closure: Callable[[Scope], Any]

    @classmethod
    def of(cls, node: ast.expr, text: str, line: int) -> _Part:
        compiler = _Compiler(text, line)
        closure = compiler.closure(node, 0)
        return cls(tuple(compiler.names), closure)

    def holds(self, scope: Scope) -> bool:
        try:
            return bool(self.closure(scope))
        except (TypeError, ValueError, OverflowError):
            return False  # these records have no such number; others may


def _any_satisfies(
    parts: Sequence[_Part],
    names: Sequence[str],
    records: Mapping[str, Sequence[ResourceRecord]],
) -> bool:
    """Whether some combination of records, one of each resource, satisfies all *parts*.

    Conditions on one resource are looked at first: few records are left to combine then.
    """
    kept = []
    for name in names:
        own = [part for part in parts if part.names == (name,)]
        kept.append([r for r in records[name] if all(part.holds({name: r}) for part in own)])
    rest = [part for part in parts if len(part.names) != 1]
    for tried, combination in enumerate(product(*kept)):
        if tried >= MOST_COMBINATIONS:
            raise TooManyCombinationsError(names)
        scope = dict(zip(names, combination, strict=True))
        if all(part.holds(scope) for part in rest):
            return True
    return False


class TooManyCombinationsError(Exception):
    """Whether an expression holds would take too long to find out."""

    def __init__(self, names: Sequence[str]) -> None:
        super().__init__(names)
        self.names = tuple(names)

    def __str__(self) -> str:
        return (
            f"more than {MOST_COMBINATIONS} combinations of records of {', '.join(self.names)} "
            "would have to be tried; compare each with a text first"
        )


class _Compiler:
    """Turns the allowed nodes of a syntax tree into closures, and refuses all others."""

    def __init__(self, text: str, line: int) -> None:
        self.text = text
        self.line = line
        self.names: dict[str, None] = {}

    def closure(  # noqa: C901 - a case for each kind
        self, node: ast.expr, depth: int
    ) -> Callable[[Scope], Any]:
        """Return a function that computes *node* for the records in a scope."""
        if depth > DEEPEST:
            raise self._refusal(node, "it is nested too deep")
        match node:
            case ast.Constant(value=bool() | int() | float() | str() | None as value):
                return lambda _scope: value
            case ast.Attribute(value=ast.Name(id=name), attr=attribute):
                self.names[name] = None
                return lambda scope: scope[name].get(attribute, "")
            case ast.Name(id=name):
                self.names[name] = None
                return lambda _scope: _RECORD
            case ast.List(elts=elements) | ast.Tuple(elts=elements):
                parts = [self.closure(element, depth + 1) for element in elements]
                return lambda scope: [part(scope) for part in parts]
            case ast.BoolOp():
                return self._bool(node, depth)
            case ast.UnaryOp(op=ast.Not(), operand=operand):
                inner = self.closure(operand, depth + 1)
                return lambda scope: not inner(scope)
            case ast.UnaryOp(op=ast.USub(), operand=ast.Constant(value=int() | float() as number)):
                return lambda _scope: -number
            case ast.Compare():
                return self._compare(node, depth)
            case ast.Call(func=ast.Name(id=name), args=[argument], keywords=[]) if name in _CALLS:
                inner = self.closure(argument, depth + 1)
                return lambda scope: _CALLS[name](inner(scope))
        raise self._refusal(node, f"{_kind(node)} is not allowed")

    def _bool(self, node: ast.BoolOp, depth: int) -> Callable[[Scope], Any]:
        parts = [self.closure(value, depth + 1) for value in node.values]
        if isinstance(node.op, ast.And):
            return lambda scope: all(part(scope) for part in parts)
        return lambda scope: any(part(scope) for part in parts)

    def _compare(self, node: ast.Compare, depth: int) -> Callable[[Scope], Any]:
        first = self.closure(node.left, depth + 1)
        steps = []
        for comparison, right in zip(node.ops, node.comparators, strict=True):
            if type(comparison) not in _COMPARISONS:
                raise self._refusal(right, f"the comparison {_kind(comparison)!r} is not allowed")
            steps.append((_COMPARISONS[type(comparison)], self.closure(right, depth + 1)))

        def compare(scope: Scope) -> bool:
            left = first(scope)
            for holds, right in steps:
                value = right(scope)
                if not holds(left, value):
                    return False
                left = value
            return True

        return compare

    def _refusal(self, node: ast.expr, reason: str) -> ExpressionError:
        return ExpressionError(self.text, self.line, node.col_offset + 1, reason)


def _kind(node: ast.AST) -> str:
    return f"{type(node).__name__}"


_RECORD: Final = object()
"""What the name of a resource stands for without an attribute: true, and equal to nothing."""

_CALLS: Final[Mapping[str, Callable[[Any], Any]]] = {
    "len": len,
    "bool": bool,
    "int": int,
    "float": float,
}
_COMPARISONS: Final[Mapping[type[ast.cmpop], Callable[[Any, Any], Any]]] = {
    ast.Eq: operator.eq,
    ast.NotEq: operator.ne,
    ast.Lt: operator.lt,
    ast.LtE: operator.le,
    ast.Gt: operator.gt,
    ast.GtE: operator.ge,
    ast.Is: operator.is_,
    ast.IsNot: operator.is_not,
    ast.In: lambda value, container: value in container,
    ast.NotIn: lambda value, container: value not in container,
}
