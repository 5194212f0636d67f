"""Answers to manifest entries: given with `--manifest`, remembered, or asked for at a terminal."""

from __future__ import annotations

import json
import os
import reprlib
from contextlib import suppress
from gettext import gettext as _
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final, NamedTuple
from urllib.parse import quote

import click

from holdall.cli.output import note, note_lines
from holdall.cli.terminal import drop_typed
from holdall.errors import UnknownUnitError
from holdall.session import find_entry, is_hidden
from holdall.units import ManifestEntry, Template

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
    from contextlib import AbstractContextManager

    from holdall.session import SessionDeviceContext
    from holdall.units import Unit

Answer = bool | int | str

_TRUTHS: Final = dict.fromkeys(("y", "yes", "t", "true", "on", "1"), True) | dict.fromkeys(
    ("n", "no", "f", "false", "off", "0"), False
)
_MOST: Final = 8


class GivenAnswer(NamedTuple):
    """An answer as it was given, and by what.

    Attributes:
        value: A text of the command line or of a launcher, or what JSON has.
        strict: Whether an id that no provider has is an error; a file may be of a whole machine.
    """

    name: str
    value: object
    source: str
    strict: bool = True


def parse_answers(texts: Iterable[str]) -> list[GivenAnswer]:
    """Return what `--manifest` arguments say: `ID=VALUE`, or the name of a JSON file."""
    given = []
    for text in texts:
        name, equals, value = text.partition("=")
        if equals and not _exists(Path(text)):
            if not name:
                message = _("{text!r} is neither ID=VALUE nor the name of a file")
                raise click.UsageError(message.format(text=text))
            given.append(GivenAnswer(name, value, f"--manifest {text}"))
        else:
            answers = read_answers(Path(text))
            given += [GivenAnswer(*item, text, strict=False) for item in answers.items()]
    return given


def _exists(path: Path) -> bool:
    try:
        return path.exists()
    except OSError:  # such as a text that is too long for the name of a file
        return False


def read_answers(path: Path) -> dict[str, Answer]:
    """Return the answers in a file, which is a JSON object of ids and values; nulls are none.

    Raises:
        click.UsageError: It can't be read, or is none.
    """
    try:
        content = json.loads(path.read_text(encoding="utf-8"))
    except OSError as error:
        reason = error.strerror or str(error)
        raise _file_error(path, reason) from error
    except (ValueError, RecursionError) as error:
        raise _file_error(path, _("it is no JSON: {error}").format(error=error)) from error
    if not isinstance(content, dict):
        reason = _("it holds {kind} and should hold an object of ids and values")
        raise _file_error(path, reason.format(kind=type(content).__name__))
    for name, value in content.items():
        if not isinstance(value, bool | int | str | None):
            reason = _("{name} is {value} and should be true, false, a number or a text")
            raise _file_error(path, reason.format(name=name, value=reprlib.repr(value)))
    return {name: value for name, value in content.items() if value is not None}


def _file_error(path: Path, reason: str) -> click.UsageError:
    message = _("the manifest {path} can't be used: {reason}")
    return click.UsageError(message.format(path=str(path), reason=reason))


def resolved_answers(given: Iterable[GivenAnswer], units: Iterable[Unit]) -> dict[str, Answer]:
    """Return the answers by the whole ids of their entries, each of the type of its entry.

    Raises:
        click.UsageError: No entry has an id of the command line, or a value is of another type.
    """
    units = list(units)
    entries = {unit.id: unit for unit in units if isinstance(unit, ManifestEntry)}
    is_open = any(isinstance(unit, Template) and unit.makes == "manifest entry" for unit in units)
    answers = {}
    for answer in given:
        try:
            entry = find_entry(entries, answer.name)
        except UnknownUnitError as error:
            if not answer.strict or is_open:
                continue
            raise click.UsageError(f"{answer.source}: {error}") from error
        answers[entry.id] = _typed(entry, answer)
    return answers


def _typed(entry: ManifestEntry, answer: GivenAnswer) -> Answer:
    value = answer.value
    kind = entry.get("value_type")
    try:
        if isinstance(value, str) and kind == "bool":
            value = _TRUTHS.get(value.strip().lower(), value)
        elif isinstance(value, str) and kind == "natural" and value.strip().isdecimal():
            value = int(value)
        entry.check(value)
    except (TypeError, ValueError) as error:
        wanted = {"bool": _("yes or no"), "natural": _("a number from 0 on")}.get(
            kind, _("a text")
        )
        message = _("{source}: the manifest entry {id!r} takes {wanted}, not {value!r}")
        text = message.format(source=answer.source, id=entry.id, wanted=wanted, value=answer.value)
        raise click.UsageError(text) from error
    return value  # type: ignore[return-value] # checked just now


class ManifestAnswers:
    """Answers what the jobs of a run ask of their device, before they start.

    What was given counts first, then what the session knows, then what was remembered of
    the device; the rest is asked for, where somebody is at a terminal.

    Args:
        pause: Keeps still whatever else is shown while somebody is asked; None to ask nobody.
        folder: Where answers are remembered.
        checkpoint: Makes durable what the session was told.
    """

    def __init__(
        self,
        given: Sequence[GivenAnswer],
        *,
        pause: Callable[[], AbstractContextManager[Any]] | None,
        folder: Path,
        checkpoint: Callable[[], object] = lambda: None,
    ) -> None:
        self._given: Final = given
        self._checkpoint: Final = checkpoint
        self._pause: Final = pause
        self._folder: Final = folder

    def answer(self, context: SessionDeviceContext) -> None:
        """Answer what the jobs still to run on the device ask."""
        state, manifest = context.state, context.state.manifest_entries
        entries = manifest.entries
        path = self._folder / f"{quote(context.device.id, safe='')}.json"
        given = resolved_answers(self._given, entries.values())
        remembered = _remembered(path, entries)
        known = {
            entry_id: value
            for entry_id, value in remembered.items()
            if not manifest.is_answered(entries[entry_id])
        }
        _update(context, known | given)
        jobs = (job for job in state.run_list if not state.job_state_map[job.id].was_tried)
        unanswered = [
            entry
            for entry in manifest.cited(jobs)
            if not is_hidden(entry) and not manifest.is_answered(entry)
        ]
        visible = {
            entry_id: value
            for entry_id, value in given.items()
            if not is_hidden(entries[entry_id])
        }
        if visible.items() - remembered.items():
            _remember(path, visible)
        for entry_id, value in self._asked(unanswered) if unanswered else ():
            # Each by itself: what was answered stays, whatever becomes of the next question.
            _update(context, {entry_id: value})
            self._checkpoint()
            _remember(path, {entry_id: value})

    def _asked(self, entries: Sequence[ManifestEntry]) -> Iterator[tuple[str, Answer]]:
        """Yield the answers of the person, each as it is given."""
        if self._pause is None:
            names = ", ".join(entry.id for entry in entries[:_MOST])
            names += ", ..." if len(entries) > _MOST else ""
            message = _(
                "nobody answered these manifest entries, which count as False or 0; "
                "give --manifest ID=VALUE: {names}"
            )
            note(f"holdall: {message.format(names=names)}")
            return
        with self._pause():
            try:
                yield from _ask(entries)
            except click.Abort:  # click's word for Ctrl-C and Ctrl-D at a question
                raise KeyboardInterrupt from None


def _update(context: SessionDeviceContext, answers: Mapping[str, Answer]) -> None:
    """Record those of *answers* that the session does not have."""
    state = context.state
    changed = {
        entry_id: value
        for entry_id, value in answers.items()
        if state.manifest.get(entry_id) != str(value)
    }
    if changed:
        state.update_manifest(changed)


def _ask(entries: Iterable[ManifestEntry]) -> Iterator[tuple[str, Answer]]:
    """Ask about each entry; entries of one prompt stand together below it."""
    note_lines(_("\nSome jobs depend on what this device is or has."))
    prompts: dict[str, list[ManifestEntry]] = {}
    for entry in entries:
        prompts.setdefault(_prompt(entry), []).append(entry)
    for prompt, group in sorted(prompts.items()):
        note_lines(f"\n{prompt}")
        for entry in sorted(group, key=_name):
            yield entry.id, _ask_one(entry)


def _prompt(entry: ManifestEntry) -> str:
    by_type = {"bool": _("Does it have this?"), "natural": _("How much or how many?")}
    default = by_type.get(entry.get("value_type"), _("What is it?"))
    return entry.get("prompt") or default


def _name(entry: ManifestEntry) -> str:
    return entry.get("name") or entry.partial_id


def _ask_one(entry: ManifestEntry) -> Answer:
    unit = entry.get("value_unit")
    text = f"  {_name(entry)}" + (f" ({unit})" if unit else "")
    drop_typed()
    match entry.get("value_type"):
        case "bool":
            return click.confirm(text, default=None, err=True)
        case "natural":
            number: int = click.prompt(text, type=click.IntRange(min=0), err=True)
            return number
    answer: str = click.prompt(text, err=True)
    return answer


def _remembered(path: Path, entries: Mapping[str, ManifestEntry]) -> dict[str, Answer]:
    """Return what is remembered of visible entries; a file that can't be used is reported."""
    if not _exists(path):
        return {}
    try:
        answers = read_answers(path)
    except click.UsageError as error:
        note(f"holdall: {error.message}")
        return {}
    remembered = {}
    for entry_id, value in answers.items():
        entry = entries.get(entry_id)
        if entry is not None and not is_hidden(entry):
            with suppress(TypeError, ValueError):  # the entry changed since then
                entry.check(value)
                remembered[entry_id] = value
    return remembered


def _remember(path: Path, answers: Mapping[str, Answer]) -> None:
    """Add *answers* to a file, which other programs may have written to meanwhile."""
    known: dict[str, Answer] = {}
    with suppress(click.UsageError):
        known = read_answers(path) if _exists(path) else {}
    text = json.dumps({**known, **answers}, indent=2, sort_keys=True, ensure_ascii=False)
    beside = path.with_name(f".{path.name}.{os.getpid()}")
    try:
        path.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
        beside.write_text(f"{text}\n", encoding="utf-8")
        beside.replace(path)
    except OSError as error:
        message = _("the answers can't be remembered: {error}")
        note(f"holdall: {message.format(error=error)}")


def manifest_folder() -> Path:
    """Return the folder in which the answers about each device are remembered."""
    from platformdirs import user_state_path

    return user_state_path("holdall") / "manifest"
