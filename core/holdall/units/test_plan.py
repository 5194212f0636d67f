"""Test plans: lists of jobs to select, and what a plan says of them besides."""

from __future__ import annotations

from functools import cached_property
from typing import TYPE_CHECKING, Final, NamedTuple

from holdall.units.lists import list_words, statement
from holdall.units.patterns import selector, target
from holdall.units.unit import Finding, Unit, ineffective_spellings

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

    from holdall.units.patterns import Pattern

OVERRIDABLE: Final = frozenset({"category_id", "certification_status", "auto_retry"})
"""The fields of a job that a line of a plan may override."""


BLOCKS: Final[Mapping[str, str]] = {
    "category_overrides": "category_id",
    "certification_status_overrides": "certification_status",
}
"""The field of a job that each block of a plan overrides, in the order in which they count."""


class PlanOverride(NamedTuple):
    """A field that a plan sets for the jobs that a pattern means.

    Attributes:
        order: Overrides apply in the order of these texts, which is Checkbox's: `ab` counts
            after `a.*`, wherever the two are written.
    """

    order: str
    pattern: Pattern
    field: str
    value: str


class PlanLists(NamedTuple):
    """What a plan lists, as far as it can be read, and what can't be.

    Attributes:
        overrides: Those that stand behind ids.
        blocks: Those of each field of `BLOCKS`.
        faults: Lines without which the plan would select other jobs; it can't be used.
        doubts: Lines of blocks that override nothing.
    """

    include: tuple[Pattern, ...]
    exclude: tuple[Pattern, ...]
    mandatory_include: tuple[Pattern, ...]
    overrides: tuple[PlanOverride, ...]
    blocks: Mapping[str, tuple[PlanOverride, ...]]
    faults: tuple[Finding, ...]
    doubts: tuple[Finding, ...]


class TestPlan(Unit, frozen=True, dict=True, eq=False, kw_only=True):
    """Selects jobs and overrides what they count for."""

    __test__ = False  # pytest must not take the name for a test class

    required = ("id",)
    known = frozenset(
        {
            *("unit", "id", "name", "summary", "description", "estimated_duration"),
            *("include", "exclude", "mandatory_include", "bootstrap_include", "setup_include"),
            *("nested_part", *BLOCKS),
        }
    )

    def doubts(self) -> Iterator[Finding]:
        """Yield what is wrong with the definition, but leaves the rest of it usable.

        What can't be read of its lists is not among it: `lists` says that where the plan is
        used, and compiling the patterns of every plan that is not would cost more than loading.
        """
        yield from super().doubts()
        if not self.get("name"):
            yield Finding("name", "the field 'name' is missing")
        yield from ineffective_spellings(self, BLOCKS)

    @cached_property
    def bootstrap_include(self) -> tuple[str, ...]:
        """Jobs that run before the rest is selected, because templates need their records."""
        return self._ids_of_lines("bootstrap_include")

    @cached_property
    def setup_include(self) -> tuple[str, ...]:
        """Jobs that run before everything else."""
        return self._ids_of_lines("setup_include")

    @cached_property
    def nested_part(self) -> tuple[str, ...]:
        """Other plans, whose lists count as this plan's own."""
        return self.ids("nested_part")

    def _ids_of_lines(self, name: str) -> tuple[str, ...]:
        words = (word for line in self.get(name).splitlines() for word in _ids_of_line(line))
        return tuple(dict.fromkeys(map(self.qualify, words)))

    @cached_property
    def lists(self) -> PlanLists:
        """The lists of patterns and of overrides."""
        faults: list[Finding] = []
        doubts: list[Finding] = []
        overrides: list[PlanOverride] = []
        selected = {
            name: tuple(self._selected(name, overrides, faults))
            for name in ("bootstrap_include", "mandatory_include", "include", "exclude")
        }
        blocks = {
            name: tuple(self._block(name, field, faults, doubts)) for name, field in BLOCKS.items()
        }
        return PlanLists(
            selected["include"],
            selected["exclude"],
            selected["mandatory_include"],
            tuple(overrides),
            blocks,
            tuple(faults),
            tuple(doubts),
        )

    def _selected(
        self, name: str, overrides: list[PlanOverride], faults: list[Finding]
    ) -> Iterator[Pattern]:
        for line in self.get(name).splitlines():
            try:
                parsed = statement(line)
                if parsed is None:
                    continue
                word, settings = parsed
                yield selector(word, self.namespace)
                if name != "exclude":
                    overrides.extend(self._inline(word, settings))
            except ValueError as error:
                if name != "bootstrap_include":  # where any words will do
                    faults.append(Finding(name, f"{name}: {line.strip()!r}: {error.args[0]}"))

    def _inline(self, word: str, settings: tuple[tuple[str, str], ...]) -> Iterator[PlanOverride]:
        for name, value in settings:
            field = name.replace("-", "_")
            if field not in OVERRIDABLE:
                known = ", ".join(sorted(OVERRIDABLE))
                raise ValueError(f"{name!r} overrides nothing (fields: {known})")
            yield self._override(word.removeprefix("^").removesuffix("$"), field, value)

    def _block(
        self, name: str, field: str, faults: list[Finding], doubts: list[Finding]
    ) -> Iterator[PlanOverride]:
        for line in self.fields.get(name, "").splitlines():
            match list_words(line):
                case ():
                    pass
                case ("apply", word, "to", pattern):
                    value = self.qualify(word) if field == "category_id" else word
                    try:
                        yield self._override(pattern, field, value)
                    except ValueError as error:
                        faults.append(Finding(name, f"{name}: {line.strip()!r}: {error}"))
                case _:
                    message = f"{name}: {line.strip()!r} is not 'apply VALUE to PATTERN'"
                    doubts.append(Finding(name, message))

    def _override(self, word: str, field: str, value: str) -> PlanOverride:
        order = f"^{self.qualify(word)}$"
        return PlanOverride(order, target(word, self.namespace), field, value)


def _ids_of_line(line: str) -> tuple[str, ...]:
    try:
        parsed = statement(line)
    except ValueError:
        return list_words(line)  # several ids, which such a line may hold
    return parsed[:1] if parsed else ()
