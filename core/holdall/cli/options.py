"""Options and arguments that several commands share."""

from __future__ import annotations

import math
from collections import Counter
from datetime import UTC, datetime
from gettext import gettext as _
from pathlib import Path
from typing import TYPE_CHECKING, Any, NamedTuple

import click
from click.core import ParameterSource

from holdall.cli.ages import seconds_of
from holdall.cli.configuration import configured
from holdall.cli.output import note
from holdall.contracts import HasExistence
from holdall.errors import HoldallError, UnknownSessionError
from holdall.stores import NamedStore, default_url, open_repository

if TYPE_CHECKING:
    from collections.abc import Callable

    from holdall.contracts import Repository
    from holdall.registry import Registry
    from holdall.upkeep import Retention

store_option = click.option(
    "--store",
    metavar="STORE",
    envvar="HOLDALL_STORE",
    help="Where sessions are kept, such as file:///var/lib/lab, or a name of holdall.toml. "
    "[env: HOLDALL_STORE; default: a folder in your data folder]",
)

exporter_options = click.option(
    "-O",
    "option",
    multiple=True,
    metavar="[NAME[@N].]KEY=VALUE",
    help="An option of the exporter NAME, of its report number N alone, or of all exporters.",
)

json_option = click.option("--json", "as_json", is_flag=True, help="Print JSON for programs.")


class Age(click.ParamType):  # type: ignore[type-arg] # click 8.1 has no parameter for it
    """An age such as `30d`, as seconds."""

    name = "age"

    def convert(
        self, value: Any, param: click.Parameter | None, ctx: click.Context | None
    ) -> float:
        """Return the seconds; what is no number with a unit is wrong usage."""
        if isinstance(value, float):
            return value
        seconds = seconds_of(str(value))
        if seconds is None:
            text = _("{value!r} is no age; write a number and s, m, h, d or w, as in 30d")
            self.fail(text.format(value=value), param, ctx)
        return seconds


class Seconds(click.FloatRange):
    """A positive, finite number of seconds."""

    def __init__(self) -> None:
        super().__init__(min=0, min_open=True, max=1e9)

    def convert(
        self, value: Any, param: click.Parameter | None, ctx: click.Context | None
    ) -> float:
        """Return the number; what is none, `nan` as well, is wrong usage."""
        seconds = float(super().convert(value, param, ctx))
        if math.isnan(seconds):
            self.fail(_("{value!r} is no number of seconds").format(value=value), param, ctx)
        return seconds


class ExportTarget(NamedTuple):
    """An exporter's name, and the file its report goes to; standard output without one."""

    name: str
    path: str | None

    def __str__(self) -> str:
        return f"{self.name}={self.path}" if self.path else self.name


def parse_targets(given: tuple[str, ...], *, stdout_free: bool = True) -> list[ExportTarget]:
    """Return what `NAME[=PATH]` arguments mean; one of them may go to standard output.

    So does one with the path `-`; a file of that name is `./-`.
    """
    targets = []
    for text in given:
        name, equals, path = text.partition("=")
        if not name or (equals and not path):
            raise click.UsageError(_("{text!r} is not NAME or NAME=PATH").format(text=text))
        targets.append(ExportTarget(name, None if path in {"", "-"} else path))
    paths = Counter(Path(target.path).absolute() for target in targets if target.path)
    for report_path, count in paths.items():
        if count > 1 and not _takes_several(report_path):
            message = _("{count} reports can't all be {path!r}; name other files")
            raise click.UsageError(message.format(count=count, path=str(report_path)))
    loose = [target.name for target in targets if target.path is None]
    if len(loose) > (1 if stdout_free else 0):
        message = (
            _("only one report can go to standard output; write NAME=PATH for {names}")
            if stdout_free
            else _(
                "only one report can go to standard output (--json uses it); "
                "write NAME=PATH for {names}"
            )
        )
        raise click.UsageError(message.format(names=", ".join(loose)))
    return targets


def _takes_several(path: Path) -> bool:
    """Whether *path* is a device or a pipe, where one report follows another."""
    return path.exists() and not path.is_file()


def chosen_repository(
    store: str | None, registry: Registry, *, option: str = "store"
) -> Repository:
    """Return the repository that the user named, or the default one.

    Args:
        option: Name of the option that *store* is the value of.
    """
    stores = {
        name: NamedStore(table.url, table.inner) for name, table in configured().stores.items()
    }
    try:
        repository = open_repository(store or default_url(), registry=registry, stores=stores)
    except HoldallError as error:
        error.add_note(_origin(store, option))
        raise
    return repository


def retention_of(store: str | None) -> Retention | None:
    """Return which sessions the store that the user named need not keep, None if nobody said."""
    table = configured().stores.get(store or "")
    return None if table is None else table.retention


def note_if_missing(repository: Repository, store: str | None) -> None:
    """Say so where there is no store yet, which no command that only reads makes."""
    if isinstance(repository, HasExistence) and not repository.exists():
        text = _("there is no store {url!r} yet; the first session makes it ({origin})")
        note("holdall: " + text.format(url=repository.url, origin=_origin(store)))


def _origin(store: str | None, option: str = "store") -> str:
    """Return where the name of a store came from, for the one who gave it."""
    if not store:
        return _("it is the default; --store or HOLDALL_STORE names another")
    table = configured().stores.get(store.rpartition("::")[2])
    if table is not None:
        return _("it is {location}").format(location=table.location)
    source = click.get_current_context().get_parameter_source(option)
    name = "HOLDALL_STORE" if source is ParameterSource.ENVIRONMENT else f"--{option}"
    return _("it was given as {name}").format(name=name)


def find_session(repository: Repository, text: str) -> str:
    """Return the id of the session that *text* means: an id, its beginning, or `last`.

    Raises:
        UnknownSessionError: It means none, or several.
    """
    known = list(repository.ids())
    if text in known:
        return text
    if text == "last" and known:
        # Commands that look for no session take options of this module, too.
        from holdall.journal import list_sessions

        # A store tells cheaply what was stored last, which a copy of an old session may be.
        newest = list_sessions(repository)[:1]
        return newest[0].id if newest and newest[0].modified else known[0]
    # What an unset variable of a shell leaves is the beginning of none, not of the only one.
    candidates = [session_id for session_id in known if text and session_id.startswith(text)]
    if len(candidates) != 1:
        error = UnknownSessionError(repository.url, text, known)
        if isinstance(repository, HasExistence) and not repository.exists():
            error.add_note(_("there is no such store yet; the first session makes it"))
        raise error
    return candidates[0]


def moment(seconds: float) -> str:
    """Return a moment for people, in UTC."""
    return f"{datetime.fromtimestamp(seconds, UTC):%Y-%m-%d %H:%M:%S}" if seconds else "-"


def command_options(*decorators: Callable[[Any], Any]) -> Callable[[Any], Any]:
    """Return one decorator that applies all of *decorators*, the first one outermost."""

    def decorate(function: Any) -> Any:
        for decorator in reversed(decorators):
            function = decorator(function)
        return function

    return decorate
