"""`holdall`: thin commands over the library."""

from __future__ import annotations

import sys
import warnings
from gettext import gettext as _
from io import StringIO
from pathlib import Path
from typing import Final, NoReturn

import click

from holdall.cli.lazy import DEBUG, LazyGroup
from holdall.cli.translation import speak, translated
from holdall.errors import HoldallError, OutputError
from holdall.version import __version__

_COMMANDS: Final = {
    "export": "holdall.cli.export:export",
    "import": "holdall.cli.importing:import_sources",
    "launcher": "holdall.cli.launchers:launcher",
    "plugins": "holdall.cli.plugins:plugins",
    "providers": "holdall.cli.providers:providers",
    "resume": "holdall.cli.run:resume",
    "run": "holdall.cli.run:run",
    "schema": "holdall.cli.schema:schema",
    "sessions": "holdall.cli.sessions:sessions",
    "testing": "holdall.cli.testing:testing",
}

INTERRUPTED: Final = 130
"""Exit code after Ctrl-C, as shells count: 128 and the number of SIGINT."""

INTERNAL: Final = 70
"""Exit code of an error in holdall itself, as `sysexits.h` has it: no result of any test."""


class _Root(LazyGroup):
    """The group of all commands; `--no-plugins` takes a value behind `=` and no other."""

    def parse_args(self, ctx: click.Context, args: list[str]) -> list[str]:
        """Parse the options before the command."""
        number = 0
        while number < len(args) and args[number].startswith("-"):
            if args[number] == "--no-plugins":
                args[number] = "--no-plugins=*"
            number += 2 if args[number] == "--plugin" else 1
        return super().parse_args(ctx, args)


@click.group(
    cls=_Root,
    targets=_COMMANDS,
    context_settings={"help_option_names": ["-h", "--help"]},
)
@click.version_option(__version__, prog_name="holdall")
@click.option(
    "--no-plugins",
    metavar="[=ID,...]",
    help="Use holdall's own plugins and no others; with ids, all but these.",
)
@click.option(
    "--plugin",
    multiple=True,
    metavar="[ID=]PATH[:CLASS]",
    help="Try a plugin that is no package yet: a class in a Python file, or a file of hooks; "
    "may be repeated. [env: HOLDALL_PLUGIN]",
)
@click.option(
    "--trace-plugins",
    is_flag=True,
    envvar="HOLDALL_TRACE_PLUGINS",
    help="Print each call of a plugin and its time. [env: HOLDALL_TRACE_PLUGINS]",
)
@click.option(
    "--debug",
    is_flag=True,
    envvar="HOLDALL_DEBUG",
    help="Print the traceback of each error, and how names of plugins are resolved. [env: "
    "HOLDALL_DEBUG]",
)
@click.pass_context
def cli(
    context: click.Context,
    *,
    no_plugins: str | None,  # noqa: ARG001 - `configuration` reads both
    plugin: tuple[str, ...],  # noqa: ARG001
    trace_plugins: bool,
    debug: bool,
) -> None:
    """Run jobs into a session that survives, and turn it into any report.

    Exit codes: 0 fine, 1 tests failed, 2 wrong usage, 3 the session or its
    storage can't be used, 4 a plugin failed, 70 an error in holdall, 130
    interrupted.
    """
    context.ensure_object(dict)[DEBUG] = debug
    if debug or trace_plugins:
        from holdall.cli.tracing import shown
        from holdall.tracing import CALLS, NAMES

        wanted = {NAMES: debug, CALLS: trace_plugins}
        context.with_resource(shown(*(name for name, shows in wanted.items() if shows)))


def main(arguments: list[str] | None = None) -> NoReturn:
    """Run the command line and exit with its code; errors are one line on standard error."""
    from holdall.cli.output import finish_output, open_streams

    open_streams()
    code = _run(arguments)
    try:
        finish_output()
    except HoldallError as error:
        code = max(code, _failed(error, debugging=False))
    sys.exit(code)


def _run(arguments: list[str] | None) -> int:
    from holdall.cli.output import note, note_lines
    from holdall.deprecation import HoldallDeprecationWarning

    speak()
    warnings.showwarning = _show_warning
    warnings.filterwarnings("default", category=HoldallDeprecationWarning)
    chosen: dict[str, bool] = {}
    out = sys.stdout
    try:
        code = translated(cli).main(
            args=arguments, prog_name="holdall", standalone_mode=False, obj=chosen
        )
    except click.ClickException as error:
        usage = StringIO()
        error.show(usage)
        note_lines(usage.getvalue().rstrip("\n"))
        return 2
    except SystemExit:
        if sys.stdout is out:
            raise
        # click replaces it and exits when the reader of its own output, say of a help text, is
        # gone, which is no error.
        sys.stdout = out
        return 0
    except (KeyboardInterrupt, click.Abort):
        note(f"holdall: {_('interrupted')}")
        return INTERRUPTED
    except Exception as error:  # noqa: BLE001 - the exit code of a traceback is that of failed tests
        return _failed(error, debugging=bool(chosen.get(DEBUG)))
    return code or 0


def _failed(error: Exception, *, debugging: bool) -> int:
    """Print what failed, and return the exit code that it means."""
    from holdall.cli.exits import exit_code, message, traceback_of
    from holdall.cli.output import note, note_lines, output_error

    code = exit_code(error)
    if code is None and isinstance(error, OSError) and (reason := output_error()):
        # Click writes help texts itself.
        error = OutputError(reason)
        code = exit_code(error)
    if code is None and isinstance(error, OSError) and not _is_somewhere():
        gone = _("the working folder is gone; change to another one and try again")
        note(f"holdall: {gone}")
        code = 2
    elif code is None:
        note_lines(traceback_of(error))
        ours = _("this is an error in holdall; please report it with the lines above")
        note(f"holdall: {ours}")
        return INTERNAL
    else:
        note(f"holdall: {message(error)}")
    if debugging:
        note_lines(traceback_of(error))
    return code


def _is_somewhere() -> bool:
    try:
        Path.cwd()
    except OSError:
        return False
    return True


def _show_warning(message: Warning | str, *_location: object, **_more: object) -> None:
    from holdall.cli.output import note

    note(f"holdall: {message}")
