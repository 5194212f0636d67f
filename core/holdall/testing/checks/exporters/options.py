"""The promises of an exporter's options: other values than those it begins with."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Final

from holdall.errors import HoldallError, PluginCallError
from holdall.exports import describe_options, options_class_of
from holdall.testing.checks.exporters.subject import exported
from holdall.testing.checks.outcomes import CheckFailed, CheckSkipped
from holdall.testing.sessions import sample_session

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

    from holdall.exports import OptionRow
    from holdall.testing.checks.exporters.subject import ExporterSubject

_VALUES: Final[Mapping[str, tuple[str, ...]]] = {
    "number": ("0", "1", "80"),
    "text": ("", "something else"),
    "path": ("no-such-folder/no-such-file",),
}


def takes_other_values(subject: ExporterSubject) -> None:
    """Each option gives a report at other values too, alone and together, or refuses them."""
    rows = options_of(subject)
    if not rows:
        raise CheckSkipped("it has no options")
    together: dict[str, str] = {}
    for row in rows:
        for value in values_of(row):
            if report_with(subject, {row.name: value}) is not None and value != row.default:
                together[row.name] = value
    report_with(subject, together)


def options_of(subject: ExporterSubject) -> list[OptionRow]:
    """Return the exporter's own options."""
    return describe_options(options_class_of(subject.exporter))


def values_of(row: OptionRow) -> Iterator[str]:
    """Yield values for an option: each of its choices, or some of its type."""
    for part in row.type.removesuffix(",...").split("|"):
        yield from _VALUES.get(part, (part,))


def report_with(subject: ExporterSubject, options: Mapping[str, Any]) -> bytes | None:
    """Return the report on the sample session at these options; None if they were refused.

    Raises:
        CheckFailed: It failed in any other way.
    """
    try:
        return exported(subject.exporter, sample_session(), options, registry=subject.registry())
    except PluginCallError as error:
        shown = ", ".join(f"{name}={value!a:.60}" for name, value in options.items())
        raise CheckFailed(f"with {shown}: {error}") from error
    except HoldallError:
        return None
