"""Templates of strangers: Jinja in its sandbox, with names and filters for reports.

A template reads the files of its own folders and nothing else, changes nothing, and sees
no private attribute. A provider's folders are left by no link either; those that a user
names are the user's own. An error is reported with its file and line. Neither time nor
memory is bounded.
"""

from __future__ import annotations

import json
import re
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final

from jinja2 import (
    ChoiceLoader,
    FileSystemLoader,
    PackageLoader,
    PrefixLoader,
    StrictUndefined,
    TemplateNotFound,
    TemplateSyntaxError,
)
from jinja2.sandbox import ImmutableSandboxedEnvironment
from markupsafe import Markup, escape

from holdall.errors import HoldallError, ReportTemplateError
from holdall.writing import cut_text, duration, html_text, iso, log_text, moment, text_mark

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Sequence

    from jinja2 import Environment, Template

    from holdall.units import BoundUnit
    from holdall.view import AttemptView, JobView

OWN: Final = "holdall"
"""Templates of holdall's own are `holdall/NAME` to others."""

_LOG: Final = 1 << 16
_KEY: Final = re.compile(r"(\w+:\s)")


class _ConfinedLoader(FileSystemLoader):
    """Loads the files of folders that are in *root*, and none that lies elsewhere."""

    def __init__(self, folders: Sequence[Path], root: Path) -> None:
        super().__init__(folders)
        self._root: Final = root.resolve()

    def get_source(
        self, environment: Environment, template: str
    ) -> tuple[str, str, Callable[[], bool]]:
        """Return the source of *template*, and of no file that a link leads to elsewhere."""
        source, path, is_fresh = super().get_source(environment, template)
        if not Path(path).resolve().is_relative_to(self._root):
            reason = f"it leads out of {str(self._root)!r}, the provider's data folder"
            raise ReportTemplateError(path, 0, reason)
        return source, path, is_fresh


def sandboxed(
    folders: Sequence[Path],
    *,
    markup: bool,
    confined: Sequence[Path] = (),
    root: Path | None = None,
) -> Environment:
    """Return an environment for templates in *confined* and *folders*, the first one first.

    Args:
        folders: Folders of the user.
        markup: Whether the report is HTML or XML, where text is to be escaped.
        confined: Folders of a provider, in *root*; nothing outside of it is read through them.
        root: The provider's data folder.
    """
    own = PrefixLoader({OWN: PackageLoader("holdall_exporters")})
    loaders = [FileSystemLoader(folders), own]
    loader = ChoiceLoader([_ConfinedLoader(confined, root), *loaders] if root else loaders)
    environment = ImmutableSandboxedEnvironment(
        loader=loader,
        autoescape=markup,
        undefined=StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
        keep_trailing_newline=True,
    )
    environment.filters.update(_FILTERS)
    environment.tests["is_name"] = _is_name

    def include_file(name: str) -> Markup:
        """Return a file of the template's folders as it is."""
        text, _path, _fresh = loader.get_source(environment, name)
        return Markup(text)  # noqa: S704 - a file of the template's author

    environment.globals["include_file"] = include_file
    return environment


def provider_folder(template: Path, unit: BoundUnit | None) -> Path | None:
    """Return the data folder of *unit*'s provider if *template* is in it; else it is a user's."""
    folder = unit.folder if unit else None
    return folder if folder and template.is_relative_to(folder) else None


def loaded(environment: Environment, name: str, source: str) -> Template:
    """Return the template *name*; *source* is the place that was meant, for messages.

    Raises:
        ReportTemplateError: There is none, or it can't be read as one.
    """
    try:
        return environment.get_template(name)
    except TemplateNotFound as error:
        if error.name == name:
            raise ReportTemplateError(source, 0, "there is no such file") from error
        raise _explained(source, error) from error
    except OSError as error:
        raise ReportTemplateError(source, 0, error.strerror or str(error)) from error
    except (TemplateSyntaxError, UnicodeDecodeError) as error:
        raise _explained(source, error) from error


def rendered(template: Template, names: dict[str, Any]) -> Iterator[str]:
    """Yield the report piece by piece.

    Raises:
        ReportTemplateError: The template failed; the message has its file and line.
    """
    pieces = template.generate(**names)
    while True:
        try:
            piece = next(pieces)
        except StopIteration:
            return
        except HoldallError:
            raise
        except Exception as error:
            raise _explained(template.filename or str(template.name), error) from error
        yield piece


def _explained(source: str, error: Exception) -> ReportTemplateError:
    """Return what went wrong, with the innermost place in a template that it happened at."""
    if isinstance(error, TemplateSyntaxError):
        return ReportTemplateError(error.filename or source, error.lineno, str(error.message))
    if isinstance(error, TemplateNotFound):
        reason = f"there is no template {error.name!r} in its folders"
    elif isinstance(error, UnicodeDecodeError):
        reason = f"it is not UTF-8 (byte {error.start}); save it as UTF-8"
    else:
        reason = str(error) or type(error).__name__
    position = _place_in_template(error)
    return ReportTemplateError(*(position or (source, 0)), reason)


def _place_in_template(error: Exception) -> tuple[str, int] | None:
    """Return file and line of the innermost template that the error came through."""
    position = None
    step = error.__traceback__
    while step is not None:
        # Jinja puts such a frame in place of each of its own, with the template's file and line.
        if "__jinja_exception__" in step.tb_frame.f_globals:
            position = (step.tb_frame.f_code.co_filename, step.tb_lineno)
        step = step.tb_next
    return position


def _jsonify(value: object, indent: int | None = None) -> str:
    """Return a value as JSON, whatever quotes and line ends are in it."""
    return json.dumps(value, indent=indent, ensure_ascii=False, default=str)


def _strip_ns(unit_id: str) -> str:
    """Return an id without its namespace."""
    return unit_id.partition("::")[2] or unit_id


def _highlight_keys(text: str) -> Markup:
    """Return lines of `key: value` as HTML with the keys in bold."""
    return Markup(_KEY.sub(r"<b>\1</b>", str(escape(text))))  # noqa: S704 - the text is escaped


def _nl2br(text: str) -> Markup:
    """Return text as HTML with its line ends kept."""
    return escape(text).replace("\n", Markup("<br>\n"))


def _log(job: JobView | AttemptView, limit: int = _LOG) -> str:
    """Return what a job wrote, or an attempt, as text; beyond *limit* its middle is left out."""
    beginning, left_out, end = cut_text(log_text(job.io_log()), limit)
    return f"{beginning}{text_mark(left_out)}{end}" if left_out else beginning


def _is_name(text: object) -> bool:
    """Whether *text* is the word `name`."""
    return text == "name"


_FILTERS: Final[dict[str, Callable[..., Any]]] = {
    "duration": duration,
    "highlight_keys": _highlight_keys,
    "iso": lambda seconds: iso(moment(seconds)),
    "json_load_ordered_dict": json.loads,
    "jsonify": _jsonify,
    "log": _log,
    "nl2br": _nl2br,
    "strip_ns": _strip_ns,
    "visible": lambda text: html_text(str(text)),
}
