"""Files of Allure as values: results, steps, fixtures."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Final, TypeVar

import msgspec

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

_Value = TypeVar("_Value")

LARGEST: Final = 32 * 2**20
"""Bytes that one file may have; a result is read as a whole."""


class Details(msgspec.Struct, gc=False):
    """What is said of a status."""

    message: str | None = None
    trace: str | None = None
    known: bool | None = None
    muted: bool | None = None
    flaky: bool | None = None


class Parameter(msgspec.Struct, gc=False):
    """A parameter of a test or a step."""

    name: str | None = None
    value: Any = None
    excluded: bool | None = None


class Label(msgspec.Struct, gc=False):
    """A label, such as a suite or a severity."""

    name: str | None = None
    value: Any = None


class Link(msgspec.Struct, gc=False):
    """A link to an issue or anything else."""

    type: str | None = None
    url: str | None = None
    name: str | None = None


class File(msgspec.Struct, gc=False):
    """An attachment, whose content is the file *source* beside the results."""

    name: str | None = None
    source: str | None = None
    type: str | None = None


class Step(msgspec.Struct, kw_only=True):
    """What steps, fixtures and results have in common."""

    name: str | None = None
    status: str | None = None
    stage: str | None = None
    details: Details | None = msgspec.field(name="statusDetails", default=None)
    steps: list[Step] | None = None
    attachments: list[File] | None = None
    parameters: list[Parameter] | None = None
    start: Any = None
    stop: Any = None


class Result(Step, kw_only=True):
    """One attempt at a test."""

    uuid: str | None = None
    history: str | None = msgspec.field(name="historyId", default=None)
    whole_name: str | None = msgspec.field(name="fullName", default=None)
    description: str | None = None
    html: str | None = msgspec.field(name="descriptionHtml", default=None)
    labels: list[Label] | None = None
    links: list[Link] | None = None


class Container(msgspec.Struct):
    """Fixtures around some results."""

    children: list[str] | None = None
    befores: list[Step] | None = None
    afters: list[Step] | None = None


class Begun(msgspec.Struct, gc=False):
    """What of a result is read to bring results into their order."""

    start: Any = None


class Globals(msgspec.Struct):
    """What went wrong outside of all tests."""

    errors: list[Details] | None = None
    attachments: list[File] | None = None


def read(path: Path, kind: type[_Value]) -> _Value:
    """Return what a file says.

    Raises:
        ValueError: It is no such file, or too large; the message has its name.
    """
    size = path.stat().st_size
    if size > LARGEST:
        raise ValueError(f"{path.name}: it has more than {LARGEST} bytes")
    try:
        # Some writers put a mark of UTF-8 in front, others leave what is no UTF-8 in texts.
        text = path.read_bytes().removeprefix(b"\xef\xbb\xbf").decode(errors="backslashreplace")
        return msgspec.json.decode(text, type=kind)
    except (ValueError, RecursionError) as error:
        raise ValueError(f"{path.name}: {error}") from error


def nested(steps: list[Step] | None, name: str = "") -> Iterator[tuple[str, Step]]:
    """Yield each step with its name behind those of the steps that it is part of."""
    waiting = [(name, step) for step in reversed(steps or ())]
    while waiting:
        around, step = waiting.pop()
        whole = f"{around} / {step.name or 'step'}" if around else step.name or "step"
        yield whole, step
        waiting += [(whole, part) for part in reversed(step.steps or ())]
